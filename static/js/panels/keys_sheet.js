/** The sheet behind `?`, made from the very table that handles the keys. */

import { element } from "../core/dom.js";
import { closesItself, openLayer } from "../core/layer.js";
import { choose, setting } from "../core/settings.js";

const SHOWN = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc" };
const dialog = document.getElementById("keys-layer");

export function openKeys() {
  openLayer(dialog);
}

export function keysSheet(table) {
  const list = document.getElementById("keys-list");
  for (const { keys, words } of table) {
    const term = element("dt");
    for (const key of keys) term.append(element("kbd", { content: SHOWN[key] ?? key }));
    list.append(term, element("dd", { content: words }));
  }
  const box = document.getElementById("keys-on");
  box.checked = setting("keys") === "on";
  box.addEventListener("change", () => choose("keys", box.checked ? "on" : "off"));
  document.getElementById("open-keys").addEventListener("click", openKeys);
  closesItself(dialog);
}
