/** Models that calls name and no price is known of: each with its calls, and one thing to do. */

import * as address from "../core/address.js";
import { attribute, clone, keyed, show, text, withRefs } from "../core/dom.js";
import { bothTimes, clockTime, count, moment, oneLine } from "../core/format.js";
import { leadToCalls, named } from "../core/ledger.js";
import * as store from "../core/store.js";

const panel = withRefs(document.getElementById("inbox"));

export function inbox() {
  store.watch(["unknown"], render);
}

function render() {
  const models = store.get("unknown");
  if (!models) return;
  text(panel.tally, count(models.length));
  show(panel.table, models.length > 0);
  show(panel.nothing, !models.length);
  keyed(panel.rows, models, ({ model }) => model, () => clone("unknown-row"), update);
}

function update(row, found) {
  text(row.model, found.model === null ? "(none named)" : oneLine(found.model, 200));
  text(row.calls, count(found.calls));
  leadToCalls(row.calls, { ...named("model", found.model), unpriced: 1 });
  text(row.input, count(found.input_tokens));
  text(row.read, count(found.cache_read_tokens));
  text(row.write, count(found.cache_write_tokens));
  text(row.output, count(found.output_tokens));
  time(row.first, found.first_seen);
  time(row.last, found.last_seen);
  show(row.say, found.model !== null);
  show(row.unsayable, found.model === null);
  if (found.model !== null) address.lead(row.say, { model: found.model, q: address.value("q") });
}

function time(node, value) {
  text(node, clockTime(moment(value)));
  attribute(node, "title", bothTimes(moment(value)));
}
