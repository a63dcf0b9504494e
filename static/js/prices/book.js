/** The price book: every row with its days and its source; a search by name. */

import * as address from "../core/address.js";
import { attribute, clone, element, keyed, show, text, withRefs } from "../core/dom.js";
import { count, oneLine, plural } from "../core/format.js";
import * as store from "../core/store.js";

const panel = withRefs(document.getElementById("book"));
const RATES = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"];

export function book() {
  panel.search.addEventListener("input", () => address.go({ q: panel.search.value.trim() || null }, { replace: true }));
  store.watch(["rows", "address"], render);
}

export const focusSearch = () => panel.search.focus();

function render() {
  const rows = store.get("rows");
  if (!rows) return;
  const wanted = (address.value("q") ?? "").toLowerCase();
  if (document.activeElement !== panel.search) panel.search.value = address.value("q") ?? "";
  const shown = rows.filter((row) => `${row.applies_to}\n${row.model}\n${row.price_id}`.toLowerCase().includes(wanted));
  text(panel.tally, wanted ? `${count(shown.length)} of ${plural(rows.length, "row")}` : plural(rows.length, "row"));
  show(panel.nothing, !shown.length);
  keyed(panel.rows, shown, (row) => `${row.applies_to}\n${row.price_id}\n${row.valid_from}`, () => clone("book-row"), update);
}

function update(refs, row) {
  text(refs.name, oneLine(row.applies_to, 200));
  text(refs.as, row.model === row.applies_to ? "" : ` as ${oneLine(row.model, 120)}`);
  attribute(refs.name, "title", row.price_id);
  text(refs.from, row.valid_from ?? "always");
  text(refs.until, row.valid_until ?? "open");
  for (const rate of RATES) text(refs[rate], row[`${rate}_usd`]);
  text(refs.tiers, row.tiers_above_tokens.length ? `dearer above ${row.tiers_above_tokens.map(count).join(", ")}` : "");
  text(refs.source, row.source ? oneLine(row.source, 120) : "your own");
  attribute(refs.source, "title", row.source);
  text(refs.checked, row.checked_on ?? "");
}

/** Names to choose from where a known model is asked for. */
export function fillKnown(rows) {
  const names = [...new Set(rows.map((row) => row.applies_to))];
  document.getElementById("known-models").replaceChildren(...names.map((value) => element("option", { value })));
}
