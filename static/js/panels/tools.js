/** Tools: calls, errors, mean time, by agent. A name leads to the feed with that tool. */

import * as address from "../core/address.js";
import { agent } from "../core/describe.js";
import { attribute, clone, cssNumber, element, keyed, show, text, withRefs } from "../core/dom.js";
import { count, duration, oneLine, percent } from "../core/format.js";
import * as store from "../core/store.js";
import { range } from "../data/summary.js";

const FEW = 12;
const panel = withRefs(document.getElementById("tools"));
let all = false;

export function tools() {
  panel.more_button.addEventListener("click", () => {
    all = true;
    store.touch("tools");
  });
  store.watch(["tools", "address"], render);
}

function render() {
  const rows = store.get("tools");
  text(panel.range, range().words);
  if (!rows) return;
  const shown = all ? rows : rows.slice(0, FEW);
  keyed(panel.rows, shown, ({ tool_name }) => tool_name, () => clone("tool-row"), update);
  show(panel.nothing, !rows.length);
  show(panel.more, rows.length > shown.length);
  text(panel.more_button, `Show all ${count(rows.length)}`);
}

function update(row, tool) {
  text(row.name, oneLine(tool.tool_name, 60));
  for (const anchor of [row.name, row.calls, row.errors]) {
    address.lead(anchor, { tool: tool.tool_name, type: null, show: "feed" });
  }
  text(row.calls, count(tool.total_calls));
  text(row.errors, tool.error_count ? `${count(tool.error_count)} · ${percent(tool.error_rate)}` : "0");
  row.errors.classList.toggle("failing", tool.error_count > 0);
  text(row.time, tool.avg_duration_ms === null ? "–" : duration(tool.avg_duration_ms));
  const byAgent = Object.entries(tool.by_agent);
  const words = byAgent.map(([name, calls]) => `${agent(name).name} ${count(calls)}`).join(", ");
  attribute(row.agents, "aria-label", words);
  attribute(row.agents, "title", words);
  keyed(row.agents, byAgent, ([name]) => name, part, (refs, [, calls]) => cssNumber(refs.root, "--share", calls));
}

const part = ([name]) => ({ root: element("span", { "data-family": agent(name).family }) });
