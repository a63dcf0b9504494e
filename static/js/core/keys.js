/** One table of keys makes the handler and the sheet behind `?`. */

import { setting } from "./settings.js";
import { topLayer } from "./layer.js";

/** Rows: {keys, words, act, inLayer}. Without `act` the browser does it, and the row is for the sheet alone. */
export function listen(table) {
  const byKey = new Map();
  for (const row of table) for (const key of row.act ? row.keys : []) byKey.set(key, row);
  document.addEventListener("keydown", (press) => {
    if (press.defaultPrevented || press.metaKey || press.ctrlKey || press.altKey || press.isComposing) return;
    if (isTyping(press.target) || (setting("keys") === "off" && press.key.length === 1)) return;
    const row = byKey.get(press.key);
    if (!row || (topLayer() && !row.inLayer)) return;
    if (row.act(press) !== false) press.preventDefault();
  });
}

function isTyping(target) {
  return target.matches("input, textarea, select, [contenteditable]");
}

/** Moves the focus along the rows of the list in front: the open layer's, or else the feed's. */
export function step(by, press) {
  const scope = topLayer() ?? document;
  const list = [...scope.querySelectorAll("[data-rows]")].find((node) => node.offsetParent !== null);
  const inList = list?.contains(document.activeElement);
  if (!list || (press.key.startsWith("Arrow") && !inList)) return false;
  const rows = [...list.querySelectorAll("[data-row]")];
  const at = rows.indexOf(document.activeElement.closest("[data-row]"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.focus();
  return true;
}
