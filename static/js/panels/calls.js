/** The layer with the calls behind a figure. Its filters are its own, in the address. */

import * as address from "../core/address.js";
import { text, withRefs } from "../core/dom.js";
import { clockTime, count, moment, oneLine } from "../core/format.js";
import { closesItself, openLayer } from "../core/layer.js";
import * as store from "../core/store.js";
import { callTable } from "./call_table.js";

const dialog = document.getElementById("calls-layer");
const layer = withRefs(dialog);
const table = callTable(layer.body, (total) => text(layer.total, count(total)));
let shown = null;

const NAMES = {
  c_agent: "agent_type",
  c_model: "model",
  c_project: "project",
  c_session: "session_id",
  c_since: "since",
  c_until: "until",
};

export function callsLayer() {
  closesItself(dialog);
  store.watch(["address"], sync);
}

function wanted() {
  return Object.fromEntries(address.CALL_FILTERS.map((name) => [NAMES[name], address.value(name)]));
}

function sync() {
  if (!address.value("calls")) {
    if (dialog.open) dialog.close();
    return;
  }
  const filters = wanted();
  const key = JSON.stringify(filters);
  openLayer(dialog, closed);
  if (key === shown) return;
  shown = key;
  text(layer.which, words(filters));
  text(layer.total, "");
  table.load(filters).catch((error) => text(layer.which, `Not loaded: ${error.message}`));
}

function closed() {
  shown = null;
  const nothing = Object.fromEntries(["calls", ...address.CALL_FILTERS].map((name) => [name, null]));
  if (address.value("calls")) address.go(nothing);
}

function words({ since, until, ...values }) {
  const parts = Object.values(values).filter(Boolean).map((value) => oneLine(value, 60));
  if (since && until) parts.push(`${clockTime(moment(since))} to ${clockTime(moment(until))}`);
  else if (since) parts.push(`since ${clockTime(moment(since))}`);
  return parts.join(" · ") || "All calls";
}
