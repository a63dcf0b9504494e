/** The sums of the chosen range, the range itself, and the limits that the human set. */

import * as address from "../core/address.js";
import { agent } from "../core/describe.js";
import { attribute, clone, cssNumber, element, keyed, text, withRefs } from "../core/dom.js";
import { compact, count, money, plural } from "../core/format.js";
import { leadToCalls } from "../core/ledger.js";
import * as store from "../core/store.js";
import { RANGES, range } from "../data/summary.js";
import { providerWindows, updateProviderLimit } from "./provider_limits.js";

const panel = withRefs(document.getElementById("overview"));
const ranges = document.getElementById("ranges");

export function overview() {
  for (const [name, { words }] of Object.entries(RANGES)) {
    const anchor = element("a", { content: words, "data-range": name });
    address.lead(anchor, { range: name });
    ranges.append(anchor);
  }
  store.watch(["usage", "address"], renderUsage);
  store.watch(["stats", "activeSessions", "address"], renderStats);
  store.watch(["limits", "stats"], renderLimits);
  store.watch(["address"], renderRange);
}

function renderUsage() {
  const usage = store.get("usage");
  if (!usage) return;
  const { total } = usage;
  number(panel.calls, total.calls, count);
  number(panel.tokens_in, total.input_tokens);
  number(panel.cache_read, total.cache_read_tokens);
  number(panel.tokens_out, total.output_tokens);
  const allUnpriced = total.calls > 0 && total.unpriced_calls >= total.calls;
  text(panel.cost, allUnpriced ? "unpriced" : money(total.cost_usd));
  attribute(panel.cost, "title", `$${total.cost_usd}`);
  text(panel.unpriced, total.unpriced_calls ? `+ ${plural(total.unpriced_calls, "unpriced call")}` : "");
  for (const node of [panel.calls, panel.tokens_in, panel.cache_read, panel.tokens_out, panel.cost]) {
    leadToCalls(node, usage.wanted);
  }
  leadToCalls(panel.unpriced, { ...usage.wanted, unpriced: 1 });
}

function number(node, value, form = compact) {
  text(node, form(value));
  attribute(node, "title", count(value));
}

function renderStats() {
  const stats = store.get("stats");
  if (!stats) return;
  number(panel.events, stats.total_events);
  address.lead(panel.events, { type: null, tool: null, show: "feed" });
  number(panel.active, store.get("activeSessions") ?? stats.active_sessions, count);
  address.lead(panel.active, { show: "agents" });
}

function renderRange() {
  text(panel.range, range().words);
  for (const anchor of ranges.children) {
    attribute(anchor, "aria-current", anchor.dataset.range === address.value("range") && "true");
  }
}

function renderLimits() {
  const entries = store.get("limits") ?? store.get("stats")?.usage_monitor ?? [];
  const windows = entries.flatMap((entry) =>
    ["session", "extended"]
      .filter((name) => entry[name]?.limit)
      .map((name) => ({ key: `${entry.agent_type} ${name}`, ...entry, ...entry[name] })),
  );
  const all = [...windows, ...providerWindows(entries)];
  keyed(panel.limits, all, ({ key }) => key, () => clone("limit-row"), (row, limit) => (limit.provider ? updateProviderLimit : updateLimit)(row, limit));
}

function updateLimit(row, { agent_type, limitType, used, limit, windowHours, since: start }) {
  const form = limitType === "cost" ? dollars : compact;
  const share = used / limit;
  const name = `${agent(agent_type).name}, ${hours(windowHours)}`;
  text(row.name, name);
  text(row.words, `${form(used)} of ${form(limit)}`);
  cssNumber(row.meter, "--share", share);
  attribute(row.meter, "data-level", share >= 1 ? "over" : share >= 0.8 ? "high" : null);
  attribute(row.meter, "aria-label", `${name}: used of the limit`);
  attribute(row.meter, "aria-valuemax", limit);
  attribute(row.meter, "aria-valuenow", Math.min(used, limit));
  attribute(row.meter, "aria-valuetext", row.words.textContent);
  if (start) leadToCalls(row.link, { agent_type, received_since: start });
}

const dollars = (amount) => (Number.isInteger(amount) ? `$${count(amount)}` : money(amount));
const hours = (number) => (number >= 48 && number % 24 === 0 ? `${number / 24} days` : `${number} h`);
