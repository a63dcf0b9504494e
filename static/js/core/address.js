/** The address is the state: what is filtered, chosen and open. Defaults are left out. */

import { touch } from "./store.js";

const DEFAULTS = { range: "30d", tab: "transcript", show: "agents" };

/** Filters of the page and the parameter of the API that each one is. */
export const FILTERS = {
  agent: "agent_type",
  type: "event_type",
  tool: "tool_name",
  project: "project",
  branch: "branch",
  model: "model",
};

let current = new URLSearchParams(location.search);

export function value(name) {
  return current.get(name) || DEFAULTS[name] || null;
}

/** Chosen filters by the API's names. `names` limits them to what an endpoint knows. */
export function filters(names = Object.keys(FILTERS)) {
  const chosen = {};
  for (const name of names) if (current.get(name)) chosen[FILTERS[name]] = current.get(name);
  return chosen;
}

/** Whether an event or a session row is what the filters ask for; a field that it hasn't is not asked. */
export function takes(row, wanted) {
  return Object.entries(wanted).every(([field, value]) => !(field in row) || row[field] === value);
}

/** A change of the address: choosing pushes, typing replaces. null takes a name out. */
export function go(patch, { replace = false } = {}) {
  const next = merged(current, patch);
  if (next.toString() === current.toString()) return;
  current = next;
  const url = next.size ? `?${next}` : location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  touch("address");
}

function merged(base, patch) {
  const next = new URLSearchParams(base);
  for (const [name, wanted] of Object.entries(patch)) {
    if (wanted === null || wanted === undefined || wanted === "" || wanted === DEFAULTS[name]) next.delete(name);
    else next.set(name, wanted);
  }
  return next;
}

/** Makes an anchor lead to a change of the address; opened in a new tab, it shows that alone. */
export function lead(anchor, patch) {
  const key = JSON.stringify(patch);
  if (anchor.patchKey === key) return;
  anchor.patchKey = key;
  anchor.patch = patch;
  const alone = merged(new URLSearchParams(), patch);
  anchor.setAttribute("href", alone.size ? `?${alone}` : location.pathname);
}

addEventListener("popstate", () => {
  current = new URLSearchParams(location.search);
  touch("address");
});

document.addEventListener("click", (click) => {
  if (click.defaultPrevented || click.button || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
  const anchor = click.target.closest("a");
  if (!anchor?.patch) return;
  click.preventDefault();
  go(anchor.patch);
  const target = anchor.dataset.then && document.getElementById(anchor.dataset.then);
  if (target) {
    target.scrollIntoView({ block: "nearest" });
    target.focus({ preventScroll: true });
  }
});
