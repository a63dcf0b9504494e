/** A panel fails alone: it says what failed and when it is tried again. */

import { eachSecond } from "../core/clock.js";
import { show, text } from "../core/dom.js";
import * as store from "../core/store.js";

export function faults() {
  for (const node of document.querySelectorAll("[data-fault-of]")) {
    const names = node.dataset.faultOf.split(" ").map((name) => `fault:${name}`);
    const render = () => {
      const fault = names.map((name) => store.get(name)).find(Boolean);
      // Without a server, the pill in the top bar says it once for all panels.
      const told = fault && (fault.status !== 0 || store.get("connection")?.name === "live");
      show(node, Boolean(told));
      if (!told) return;
      const seconds = Math.max(0, Math.ceil((fault.again - Date.now()) / 1000));
      text(node, `Not up to date: ${fault.message}. Trying again in ${seconds} s.`);
    };
    store.watch([...names, "connection"], render);
    eachSecond(() => node.hidden || render());
  }
}
