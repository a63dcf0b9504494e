/** What the calls of the range cost: over time, by model, by project. Every figure leads to its calls. */

import { attribute, clone, cssNumber, element, keyed, show, text, withRefs } from "../core/dom.js";
import { bothTimes, costOf, costWords, count, hourOfDay, money, oneLine, plural, shortDay } from "../core/format.js";
import { leadToCalls, named } from "../core/ledger.js";
import * as store from "../core/store.js";
import { range, wholeHour } from "../data/summary.js";
import { bars } from "./chart.js";
import { bucketsOf } from "./buckets.js";

const MOST_RANKED = 100;
const panel = withRefs(document.getElementById("costs"));
let looked = null;

export function costs() {
  store.watch(["usage", "address"], render);
}

function render() {
  const usage = store.get("usage");
  text(panel.range, range().words);
  if (!usage) return;
  const buckets = bucketsOf(usage, Date.now());
  renderUnpriced(usage);
  bars(panel.plot, buckets.map(point), { form: money, onShow: showPoint });
  renderCaption(usage, buckets);
  ranked(panel.models, usage.model, (row) => row.key || "(no model named)", (row) => named("model", row.key));
  ranked(panel.projects, usage.project, (row) => row.key || "(no project)", (row) => named("project", row.key));
  text(panel.bucket_name, usage.group === "hour" ? "Hour" : "Day");
  keyed(panel.table, buckets.filter(({ row }) => row).toReversed(), ({ at }) => at, () => clone("usage-row"), updateRow);
}

function point(bucket) {
  const { row, at, end, words } = bucket;
  return {
    key: at,
    value: row?.cost_usd ?? 0,
    unpriced: row?.unpriced_calls ?? 0,
    tick: bucket.isHour ? hourOfDay(at) : shortDay(at),
    label: `${words}: ${row ? `${costOf(row.cost_usd, row.calls, row.unpriced_calls)}, ${plural(row.calls, "call")}` : "no calls"}`,
    words,
    row,
    wanted: bucketFilters(at, end),
    lead: (anchor) => leadToCalls(anchor, bucketFilters(at, end)),
  };
}

/** The calls of the whole hours in a bucket. */
function bucketFilters(at, end) {
  const last = Date.parse(wholeHour(end)) - 1;
  return { ...store.get("usage").wanted, since: wholeHour(at), until: new Date(last).toISOString() };
}

function showPoint(shown) {
  looked = shown;
  store.touch("usage");
}

/** One line of fixed height: the bar that is looked at, or else the whole. */
function renderCaption(usage, buckets) {
  const last = buckets.at(-1);
  const { words, row, wanted } = looked ?? { words: `Total, ${range().words}`, row: usage.total, wanted: usage.wanted };
  const cost = row ? costOf(row.cost_usd, row.calls, row.unpriced_calls) : "no calls";
  const parts = row ? ` · ${plural(row.calls, "call")}` : "";
  const cached = row ? cacheShare(row) : null;
  text(panel.caption_words, `${words}: `);
  text(panel.caption_cost, cost);
  leadToCalls(panel.caption_cost, wanted);
  text(panel.caption_rest, `${parts}${cached === null ? "" : ` · ${cached} % of input from cache`}`);
  text(panel.today, last && !last.isHour ? `today ${last.row ? costOf(last.row.cost_usd, last.row.calls, last.row.unpriced_calls) : "$0.00"}` : "");
  if (last) leadToCalls(panel.today, bucketFilters(last.at, last.end));
}

function cacheShare(row) {
  const input = row.input_tokens + row.cache_read_tokens + row.cache_write_5m_tokens + row.cache_write_1h_tokens;
  return input ? Math.round((100 * row.cache_read_tokens) / input) : null;
}

/** Models without a price are named, each with its calls; the name leads to where a price can be said. */
function renderUnpriced(usage) {
  const rows = usage.model.filter((row) => row.unpriced_calls);
  show(panel.unpriced, rows.length > 0);
  const key = JSON.stringify([usage.wanted, rows.map((row) => [row.key, row.unpriced_calls])]);
  if (panel.unpriced.rowsKey === key) return;
  panel.unpriced.rowsKey = key;
  const names = rows.flatMap((row, index) => {
    const model = element("a", { content: row.key ? oneLine(row.key, 60) : "no model named", href: inboxAddress(row.key) });
    const calls = element("a", { content: plural(row.unpriced_calls, "call") });
    leadToCalls(calls, { ...usage.wanted, ...named("model", row.key), unpriced: 1 });
    return [index ? ", " : "", model, " (", calls, ")"];
  });
  panel.unpriced.replaceChildren("▲ No price is known for ", ...names, ". They are not in the sums.");
}

const inboxAddress = (model) => (model ? `/prices/?${new URLSearchParams({ model })}` : "/prices/");

function ranked(list, rows, nameOf, filtersOf) {
  const shown = rows.slice(0, MOST_RANKED);
  const most = Math.max(...rows.map((row) => row.cost_usd), 0);
  keyed(list, shown, (row) => row.key, () => clone("ranked-row"), (refs, row) => {
    text(refs.name, oneLine(nameOf(row), 80));
    attribute(refs.name, "title", nameOf(row));
    text(refs.count, plural(row.calls, "call"));
    text(refs.amount, costOf(row.cost_usd, row.calls, row.unpriced_calls));
    attribute(refs.amount, "title", costWords(row.cost_usd, row.calls, row.unpriced_calls));
    refs.amount.classList.toggle("unpriced", row.unpriced_calls > 0);
    cssNumber(refs.root, "--share", most ? row.cost_usd / most : 0);
    leadToCalls(refs.link, { ...store.get("usage").wanted, ...filtersOf(row) });
  });
}

function updateRow(refs, { at, end, row, words }) {
  text(refs.bucket, words);
  attribute(refs.bucket, "title", bothTimes(at));
  text(refs.calls, count(row.calls));
  for (const name of ["calls", "input", "read", "write5", "write1", "output", "cost"]) leadToCalls(refs[name], bucketFilters(at, end));
  text(refs.input, count(row.input_tokens));
  text(refs.read, count(row.cache_read_tokens));
  text(refs.write5, count(row.cache_write_5m_tokens));
  text(refs.write1, count(row.cache_write_1h_tokens));
  text(refs.output, count(row.output_tokens));
  text(refs.cost, costOf(row.cost_usd, row.calls, row.unpriced_calls));
  attribute(refs.cost, "title", costWords(row.cost_usd, row.calls, row.unpriced_calls));
}

