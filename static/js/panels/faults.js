/** A panel fails alone: it says what failed, and when it is tried again. */

import { eachSecond } from "../core/clock.js";
import { element, show, text } from "../core/dom.js";
import * as store from "../core/store.js";

export function faults() {
  for (const node of document.querySelectorAll("[data-fault-of]")) watchFaults(node);
}

function watchFaults(node) {
  const names = node.dataset.faultOf.split(" ").map((name) => `fault:${name}`);
  // What failed is announced; the seconds that run down are only seen.
  const what = element("span", { role: "status" });
  const when = element("span", { "aria-hidden": "true" });
  node.append(what, when);
  const render = () => {
    const fault = names.map((name) => store.get(name)).find(Boolean);
    // Without a server, the pill in the top bar says it once for all panels.
    const told = Boolean(fault && (fault.status !== 0 || store.get("connection")?.name === "live"));
    show(node, told);
    text(what, told ? `Not up to date: ${fault.message}.` : "");
    text(when, told ? ` Trying again in ${Math.max(0, Math.ceil((fault.again - Date.now()) / 1000))} s.` : "");
  };
  store.watch([...names, "connection"], render);
  eachSecond(() => node.hidden || render());
}
