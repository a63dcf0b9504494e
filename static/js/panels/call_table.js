/** The ledger as a table: calls with their tokens, price and witnesses. Pages backwards; new calls come on top. */

import { ask } from "../core/api.js";
import { attribute, clone, element, keyed, show, text } from "../core/dom.js";
import { bothTimes, clockTime, count, moment, money, oneLine } from "../core/format.js";

const PAGE = 100;

/** Builds the table in `host`. `load(filters)` begins anew, `refresh()` looks for newer calls. */
export function callTable(host, onTotal) {
  const table = clone("call-table");
  host.replaceChildren(table.root);
  let filters = {};
  let calls = [];

  const render = (total) => {
    keyed(table.rows, calls, ({ id }) => id, () => clone("call-row"), updateRow);
    show(table.nothing, !calls.length);
    show(table.more, calls.length < total);
    onTotal(total);
  };

  const page = async (offset) => {
    const asked = filters;
    const answer = await ask("calls", { ...asked, limit: PAGE, offset });
    if (asked !== filters) return;
    // A known call may have got a better witness since: the newer row replaces the older.
    const byId = new Map([...calls, ...answer.calls].map((call) => [call.id, call]));
    calls = [...byId.values()].sort((a, b) => moment(b.called_at) - moment(a.called_at) || b.id - a.id);
    render(answer.total);
  };

  table.more_button.addEventListener("click", () => page(calls.length));
  return {
    load(wanted) {
      filters = wanted;
      calls = [];
      return page(0);
    },
    refresh: () => page(0),
  };
}

function updateRow(row, call) {
  const at = moment(call.called_at);
  text(row.time, clockTime(at));
  attribute(row.time, "title", bothTimes(at));
  text(row.model, call.model ? oneLine(call.model, 60) : "(no model named)");
  text(row.input, count(call.input_tokens));
  text(row.read, count(call.cache_read_tokens));
  text(row.write5, count(call.cache_write_5m_tokens));
  text(row.write1, count(call.cache_write_1h_tokens));
  text(row.output, call.reasoning_tokens ? `${count(call.output_tokens)} (${count(call.reasoning_tokens)} reasoning)` : count(call.output_tokens));
  text(row.cost, call.cost_usd === null ? "unpriced" : money(call.cost_usd));
  attribute(row.cost, "title", call.cost_usd === null ? "No price is known for this model" : `$${call.cost_usd}`);
  attribute(row.cost, "href", `/calls/${call.id}/`);
  row.cost.classList.toggle("unpriced", call.cost_usd === null);
  text(row.price, call.price === "client" ? "stated by client" : (call.price ?? "–"));
  attribute(row.price, "title", call.price);
  renderWitnesses(row.witnesses, call.witnesses);
}

/** Who told of the call: the sources in short, each with its reference and time. */
function renderWitnesses(node, witnesses) {
  const key = JSON.stringify(witnesses);
  if (node.witnessKey === key) return;
  node.witnessKey = key;
  node.replaceChildren(
    ...witnesses.flatMap(({ source, ref, at }, index) => [
      index ? ", " : "",
      element("span", { content: oneLine(source, 24), title: `${oneLine(String(ref ?? ""), 200)} · ${bothTimes(moment(at))}` }),
    ]),
  );
}
