/** The receipt of one call: what the API says of it, as tables and words. */

import { ask } from "./core/api.js";
import { element, show, text } from "./core/dom.js";
import { bothTimes, count, moment, visible } from "./core/format.js";
import { shell } from "./panels/shell.js";

const KINDS = {
  uncached_input: "Input, uncached",
  cache_read: "Cache read",
  cache_write_5m: "Cache write, 5 minutes",
  cache_write_1h: "Cache write, 1 hour",
  output: "Output",
  web_searches: "Web searches",
};
const node = (id) => document.getElementById(id);
const shown = (value) => (value === null ? "–" : visible(String(value)));
/** Whole numbers as text, with their thousands apart; exact however long. */
const grouped = (nanos) => (nanos === null ? "–" : String(nanos).replace(/(?<!\.\d*)\B(?=(\d{3})+(?!\d))/g, ","));

function cells(name, values) {
  const row = element("tr");
  row.append(element("th", { content: name, scope: "row" }));
  row.append(...values.map((content) => element("td", { className: "numbers", content })));
  return row;
}

/** A place of the live page, by what its address says. */
function link(words, parameters) {
  return element("a", { className: "underlined", href: `/?${new URLSearchParams(parameters)}`, content: shown(words) });
}

function definition(value) {
  const node = element("dd");
  node.append(value instanceof Node ? value : shown(value));
  return node;
}

function facts(receipt) {
  const price = receipt.price;
  const days = price && `${price.valid_from ?? "the beginning"} until ${price.valid_until ?? "now"}`;
  return [
    ["Model", receipt.model ?? "(no model named)"],
    ["Called at", bothTimes(moment(receipt.called_at))],
    ["Session", link(receipt.session_id, { session: receipt.session_id })],
    ["Sub-agent", receipt.subagent_id],
    ["Project", receipt.project],
    ["Agent", receipt.agent_type],
    ["Price row", price ? `${price.id}, valid from ${days}` : null],
    ["Read at", price?.source ? `${price.source}, on ${price.checked_on}` : null],
    ["Tier", receipt.tier],
    ["Service", [receipt.service_tier, receipt.speed].filter(Boolean).join(", ") || null],
    ["Decided by", receipt.decided_by],
    ["Key", receipt.call_key],
  ];
}

function lineRow(line) {
  const name = KINDS[line.kind] ?? line.kind;
  return cells(name, [count(line.tokens), shown(line.price_usd_per_mtok), grouped(line.amount_nanos), shown(line.amount_usd)]);
}

function sumRows(receipt) {
  const rows = [];
  if (receipt.rounding_nanos !== null && receipt.rounding_nanos !== "0") {
    rows.push(cells("Rounding, once for the call", ["", "", grouped(receipt.rounding_nanos), ""]));
  }
  rows.push(cells("Cost", ["", "", grouped(receipt.cost_nanos), shown(receipt.cost_usd)]));
  return rows;
}

/** Its own figures beside the counted ones, where our copy of what it said was kept. */
function said(witness) {
  if (!witness.said) return "What it said is not kept apart.";
  const { input_tokens: input, cache_read_tokens: read, cache_write_tokens: written, output_tokens: output } = witness.said;
  const words = `It said: input ${count(input)}, cache read ${count(read)}, written ${count(written)}, output ${count(output)}`;
  const cost = witness.said.cost_usd === null ? "" : `, $${witness.said.cost_usd}`;
  return `${words}${cost}. ${witness.agrees ? "The same tokens as counted." : "Not the tokens that were counted."}`;
}

function witnessItem(witness) {
  const place = witness.file === null ? shown(witness.ref) : `${shown(witness.file)}, line ${witness.line}`;
  const item = element("li");
  item.append(
    element("div", { content: `${shown(witness.source)}: ${place}` }),
    element("div", { className: "muted", content: bothTimes(moment(witness.at)) }),
    element("div", { className: witness.agrees === false ? "differs" : "muted", content: said(witness) }),
  );
  return item;
}

function render(receipt) {
  const basis = { book: "", client: " (stated by the client)", unpriced: "unpriced" }[receipt.basis];
  text(node("total"), receipt.cost_usd === null ? basis : `$${receipt.cost_usd}${basis}`);
  const told = facts(receipt).filter(([, value]) => value !== null);
  node("facts").replaceChildren(
    ...told.flatMap(([name, value]) => [element("dt", { content: name }), definition(value)]),
  );
  node("lines").replaceChildren(...receipt.lines.map(lineRow));
  node("sum").replaceChildren(...sumRows(receipt));
  node("notes").replaceChildren(...receipt.notes.map((content) => element("li", { content: shown(content) })));
  node("witnesses").replaceChildren(...receipt.witnesses.map(witnessItem));
}

/** Back to the list as it was left, where the reader came from one. */
function back() {
  if (document.referrer.startsWith(location.origin)) history.back();
  else location.assign("/calls/");
}

shell([{ keys: ["Escape"], words: "Back to where you came from", act: back }]);
if (node("total")) await load();

async function load() {
  try {
    render(await ask(`calls/${document.body.dataset.callId}/receipt`));
  } catch (error) {
    text(node("fault"), error.message);
    show(node("fault"), true);
  }
}
