/** Named values that panels watch. A change paints its watchers with the next frame. */

import { paint } from "./frame.js";

const values = new Map();
const watchers = new Map();

export function get(name) {
  return values.get(name);
}

export function set(name, value) {
  values.set(name, value);
  touch(name);
}

/** The value changed in place. */
export function touch(name) {
  for (const render of watchers.get(name) ?? []) paint(render);
}

/** Paints `render` now and whenever one of the names changes. */
export function watch(names, render) {
  for (const name of names) {
    if (!watchers.has(name)) watchers.set(name, new Set());
    watchers.get(name).add(render);
  }
  paint(render);
}
