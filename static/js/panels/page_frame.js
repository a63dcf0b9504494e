/** What stands around every page's content: the link of this page is in sight, and the foot says whose times these are. */

import { bothTimes, zoneOffset } from "../core/format.js";
import { text } from "../core/dom.js";

export function pageFrame() {
  const here = document.querySelector(".topbar [aria-current]");
  // A phone has no room for all links: the bar scrolls, and only the bar.
  if (here) center(here, here.parentElement);
  const zone = document.getElementById("zone");
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  text(zone, name === "UTC" ? name : `${name} (${zoneOffset(Date.now())})`);
  zone.title = `Now: ${bothTimes(Date.now())}`;
}

function center(node, bar) {
  const at = node.getBoundingClientRect();
  const frame = bar.getBoundingClientRect();
  bar.scrollLeft += at.left + at.width / 2 - frame.left - frame.width / 2;
}
