/** One timer for all times that tick. A node says since when (`data-since`, ms) and how (`data-tick`). */

import { age, ago, bothTimes } from "./format.js";
import { paint } from "./frame.js";
import { attribute, text } from "./dom.js";

const FORMS = { age, ago };

/** Makes a `<time>` tick from now on. */
export function tick(node, at, form) {
  if (!Number.isFinite(at)) {
    text(node, "");
    delete node.dataset.since;
    return;
  }
  if (node.dataset.since !== String(at)) {
    node.dataset.since = at;
    node.dataset.tick = form;
    attribute(node, "datetime", new Date(at).toISOString());
    attribute(node, "title", bothTimes(at));
  }
  text(node, FORMS[form](Date.now() - at));
}

function advance() {
  const now = Date.now();
  for (const node of document.querySelectorAll("time[data-since]")) {
    text(node, FORMS[node.dataset.tick](now - Number(node.dataset.since)));
  }
}

const extra = new Set();

/** `render` runs with each tick: once a second, not in a hidden tab. */
export function eachSecond(render) {
  extra.add(render);
}

setInterval(() => {
  if (document.hidden) return;
  paint(advance);
  for (const render of extra) paint(render);
}, 1000);
