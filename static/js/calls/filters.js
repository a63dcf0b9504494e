/** Which calls are listed: choices that live in the address, under the API's own names. */

import * as address from "../core/address.js";
import { ask } from "../core/api.js";
import { agent } from "../core/describe.js";
import { element, keyed, text } from "../core/dom.js";
import { clockTime, moment, oneLine } from "../core/format.js";
import { FILTERS } from "../core/ledger.js";
import * as store from "../core/store.js";

const bar = document.getElementById("call-filters");
const selects = [...bar.querySelectorAll("select")];
const times = [...bar.querySelectorAll("input")];
const clear = document.getElementById("clear-filters");
const chips = document.getElementById("chips");
const NONE = " none"; // no name begins with a space: the API drops those

const LISTS = { agent_type: "agent_types", model: "models", project: "projects", branch: "branches" };

/** Filters that have no field of their own, in words. */
const CHIPS = {
  session_id: (id) => `session ${oneLine(id, 60)}`,
  received_since: (at) => `received since ${clockTime(moment(at))}`,
  unpriced: () => "unpriced only",
};

export const chosen = () => Object.fromEntries(FILTERS.map((name) => [name, address.value(name)]).filter(([, value]) => value));

export function callFilters() {
  for (const select of selects) select.addEventListener("change", () => address.go(choice(select)));
  for (const input of times) input.addEventListener("change", () => address.go({ [input.name]: isoOf(input.value) }));
  clear.addEventListener("click", () => {
    address.go(Object.fromEntries(FILTERS.map((name) => [name, null])));
    selects[0].focus();
  });
  store.watch(["options", "address"], render);
  ask("filter-options").then((options) => store.set("options", options), () => {});
}

export const focusFilters = () => selects[0].focus();

const unnamed = () => (address.value("unnamed") ?? "").split(",").filter(Boolean);

function choice({ name, value }) {
  const others = unnamed().filter((field) => field !== name);
  const none = value === NONE ? [...others, name] : others;
  return { [name]: value === NONE ? null : value || null, unnamed: none.join(",") || null };
}

function render() {
  for (const select of selects) fill(select);
  for (const input of times) if (document.activeElement !== input) input.value = localOf(address.value(input.name));
  clear.disabled = !Object.keys(chosen()).length;
  const shown = Object.entries(chosen()).filter(([name]) => name in CHIPS);
  keyed(chips, shown, ([name]) => name, newChip, (chip, [name, value]) => {
    text(chip.words, CHIPS[name](value));
    address.lead(chip.link, { ...chosen(), [name]: null });
  });
}

function newChip() {
  const root = element("li");
  const link = element("a", { className: "control", title: "Take this filter away" });
  const words = element("bdi");
  link.append(words, element("span", { content: "✕", "aria-label": "remove", role: "img" }));
  root.append(link);
  return { root, link, words };
}

function fill(select) {
  const wanted = unnamed().includes(select.name) ? NONE : (address.value(select.name) ?? "");
  const listed = (store.get("options")?.[LISTS[select.name]] ?? []).map((option) => option.value ?? option);
  const names = [...new Set([...listed, ...(wanted && wanted !== NONE ? [wanted] : [])])];
  const options = [["", select.dataset.all], ...names.map((name) => [name, labelOf(select.name, name)])];
  if (select.name !== "agent_type") options.push([NONE, "(none named)"]);
  const key = JSON.stringify(options);
  if (select.optionsKey !== key) {
    select.optionsKey = key;
    select.replaceChildren(...options.map(([value, content]) => element("option", { value, content: oneLine(content, 80) })));
  }
  select.value = wanted;
  select.classList.toggle("chosen", wanted !== "");
}

const labelOf = (field, name) => (field === "agent_type" && agent(name).family !== "other" ? agent(name).name : name);

/** Local time as a field has it, to the second. */
function localOf(value) {
  const at = moment(value);
  if (Number.isNaN(at)) return "";
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

const isoOf = (local) => (local ? new Date(local).toISOString() : null);
