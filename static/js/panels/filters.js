/** What the page shows only: six choices that live in the address. */

import * as address from "../core/address.js";
import { agent, typeName } from "../core/describe.js";
import { element } from "../core/dom.js";
import { oneLine } from "../core/format.js";
import * as store from "../core/store.js";

const bar = document.getElementById("filters");
const selects = [...bar.querySelectorAll("select")];
const clear = document.getElementById("clear-filters");

const OPTIONS = {
  agent: ({ agent_types }) => agent_types.map((value) => ({ value, label: agent(value).family === "other" ? value : agent(value).name })),
  type: ({ event_types }) => event_types.map((value) => ({ value, label: typeName(value) })),
  tool: ({ tool_names }) => tool_names.map((value) => ({ value, label: value })),
  model: ({ models }) => models.map((value) => ({ value, label: value })),
  project: ({ projects }) => projects.map((value) => ({ value, label: value })),
  branch: ({ branches }) => unique(branches),
};

/** One branch name may live in several projects; the filter takes the name. */
function unique(branches) {
  const byName = new Map();
  for (const { value, label } of branches) {
    byName.set(value, byName.has(value) ? { value, label: value } : { value, label });
  }
  return [...byName.values()];
}

export function filters() {
  for (const select of selects) {
    select.addEventListener("change", () => address.go({ [select.name]: select.value || null }));
  }
  clear.addEventListener("click", () => {
    address.go(Object.fromEntries(Object.keys(address.FILTERS).map((name) => [name, null])));
    selects[0].focus();
  });
  store.watch(["options", "address"], render);
}

export function focusFilters() {
  const target = selects.find((select) => select.offsetParent !== null);
  target?.focus();
  return Boolean(target);
}

function render() {
  const options = store.get("options");
  for (const select of selects) {
    const chosen = address.value(select.name) ?? "";
    fill(select, options ? OPTIONS[select.name](options) : [], chosen);
    select.value = chosen;
    select.classList.toggle("chosen", chosen !== "");
  }
  clear.disabled = !Object.keys(address.filters()).length;
}

/** The options are made anew only when they differ: an open list must not close under the pointer. */
function fill(select, options, chosen) {
  const all = [{ value: "", label: select.dataset.all }, ...options];
  if (chosen && !options.some(({ value }) => value === chosen)) all.push({ value: chosen, label: chosen });
  const key = JSON.stringify(all);
  if (select.optionsKey === key) return;
  select.optionsKey = key;
  select.replaceChildren(
    ...all.map(({ value, label }) => element("option", { value, content: oneLine(label, 80) })),
  );
}
