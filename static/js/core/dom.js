/** The few ways in which this page touches the DOM. Text goes in as text; there is no other door. */

/** A copy of `<template id>` : its root, and the nodes marked `data-ref` by name. */
export function clone(id) {
  const root = document.getElementById(id).content.firstElementChild.cloneNode(true);
  return withRefs(root);
}

export function withRefs(root) {
  const refs = { root };
  if (root.dataset.ref) refs[root.dataset.ref] = root;
  for (const node of root.querySelectorAll("[data-ref]")) refs[node.dataset.ref] = node;
  return refs;
}

/** Sets text only when it differs: an untouched node costs no layout and keeps a selection. */
export function text(node, value) {
  const wanted = value === null || value === undefined ? "" : String(value);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** A number for CSS, as a custom property: the policy of the page forbids style attributes. */
export function cssNumber(node, name, value) {
  const wanted = String(value);
  if (node.style.getPropertyValue(name) !== wanted) node.style.setProperty(name, wanted);
}

export function element(tag, { className, content, ...attributes } = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (content !== undefined) node.textContent = content;
  for (const [name, value] of Object.entries(attributes)) attribute(node, name, value);
  return node;
}

const rowsOf = new WeakMap();

/**
 * Makes the container's children follow `items`: makes, patches, moves and removes only what differs.
 * `create(item)` gives refs (with `root`), `update(refs, item)` patches them.
 */
export function keyed(container, items, key, create, update) {
  if (!rowsOf.has(container)) rowsOf.set(container, new Map());
  const rows = rowsOf.get(container);
  const wanted = new Set(items.map(key));
  for (const [id, row] of rows) {
    if (!wanted.has(id)) {
      row.root.remove();
      rows.delete(id);
    }
  }
  let place = container.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let row = rows.get(id);
    if (!row) rows.set(id, (row = create(item)));
    update(row, item);
    if (row.root === place) place = place.nextElementSibling;
    else container.insertBefore(row.root, place);
  }
}
