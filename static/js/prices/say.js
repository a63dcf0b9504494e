/** The layer where a person says which model an unknown name is, or what it costs. */

import * as address from "../core/address.js";
import { send } from "../core/api.js";
import { show, text } from "../core/dom.js";
import { money, oneLine, plural } from "../core/format.js";
import { closesItself, openLayer } from "../core/layer.js";
import * as store from "../core/store.js";

const dialog = document.getElementById("say-layer");
const form = document.getElementById("say-form");
const fault = document.getElementById("say-fault");
const title = document.getElementById("say-title");
const outcome = document.getElementById("outcome");
const WAYS = {
  same_as: ["same_as"],
  prices: ["input_usd", "output_usd", "cache_read_usd", "cache_write_5m_usd", "cache_write_1h_usd", "valid_from", "valid_until"],
  discount: ["discount_percent", "valid_from", "valid_until"],
};
const TEXTS = new Set(["same_as", "valid_from", "valid_until", "note"]);

/** `changed()` runs when prices are no longer what they were. */
export function sayLayer(changed) {
  closesItself(dialog);
  form.addEventListener("change", showWay);
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    say(changed);
  });
  store.watch(["address", "unknown"], sync);
}

const way = () => new FormData(form).get("way");

/** Only the fields of the chosen way are there; the others are neither asked nor sent. */
function showWay() {
  for (const part of form.querySelectorAll("[data-way]")) {
    const isChosen = part.dataset.way.split(" ").includes(way());
    show(part, isChosen);
    part.disabled = !isChosen;
  }
}

function sync() {
  const model = address.value("model");
  const isKnown = model && store.get("unknown")?.some((found) => found.model === model);
  if (!isKnown) return void (dialog.open && dialog.close());
  if (dialog.open) return;
  form.reset();
  showWay();
  show(fault, false);
  text(title, `What is ${oneLine(model, 120)}?`);
  openLayer(dialog, () => address.value("model") && address.go({ model: null }));
}

async function say(changed) {
  const model = address.value("model");
  try {
    const answer = await send("POST", `pricing/unknown/${encodeURIComponent(model)}`, said());
    tell(`${oneLine(model, 120)}: ${repriced(answer)}${answer.still_unknown ? " Some of its calls still have no price." : ""}`);
    dialog.close();
    changed();
  } catch (error) {
    text(fault, error.message);
    show(fault, true);
  }
}

function said() {
  const fields = new FormData(form);
  const given = [...WAYS[way()], "note"].map((name) => [name, (fields.get(name) ?? "").trim()]).filter(([, value]) => value);
  return Object.fromEntries(given.map(([name, value]) => [name, TEXTS.has(name) ? value : Number(value)]));
}

export const repriced = ({ calls, before_usd, after_usd }) =>
  `${plural(calls, "call")} priced anew, ${money(before_usd)} before, ${money(after_usd)} now.`;

export function tell(words) {
  text(outcome, words);
  show(outcome, true);
}
