/** A session's sub-agents as a tree, each with what it spent and leading to its calls; and the compactions. */

import * as address from "../core/address.js";
import { attribute, clone, cssNumber, keyed, show, text } from "../core/dom.js";
import { bothTimes, clockTime, compact, costOf, costWords, count, duration, moment, oneLine, plural } from "../core/format.js";

const MAIN = "";
const SUMS = ["calls", "unpriced_calls", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "cost_usd"];

/** Draws into the session's layer. `take(answer)` gets what the API says of the session; `count` is what there is to see. */
export function subagentTree(layer) {
  let agents = null;
  let compactions = [];
  return {
    take(answer) {
      ({ subagents: agents, compactions } = answer);
      show(layer.subagents_tab, this.count > 0);
      text(layer.subagent_count, agents.length ? count(agents.length) : "");
      const rows = agents.length ? [mainOf(answer.session, agents), ...agents] : [];
      keyed(layer.subagents, rows, ({ subagent_id: id }) => id, () => clone("subagent-row"), (row, agent) => updateRow(row, agent, answer.session.id));
      show(layer.compactions_of, compactions.length > 0);
      keyed(layer.compactions, compactions, (_, index) => index, () => clone("compaction-row"), (row, told) => updateCompaction(row, told, agents));
    },
    named: (id) => nameOf(agents?.find((agent) => agent.subagent_id === id) ?? { subagent_id: id }),
    load: async () => {},
    refresh: async () => {},
    get count() {
      return agents === null ? undefined : agents.length + compactions.length;
    },
  };
}

/** What the session spent beside its sub-agents. */
function mainOf(session, agents) {
  const whole = {
    calls: session.call_count,
    unpriced_calls: session.unpriced_calls,
    input_tokens: session.tokens_in,
    cache_read_tokens: session.cache_read_tokens,
    cache_write_tokens: session.cache_write_tokens,
    output_tokens: session.tokens_out,
    cost_usd: session.total_cost_usd,
  };
  const main = { subagent_id: MAIN, depth: 0, kind: "Main conversation", description: "", started_at: null };
  for (const name of SUMS) main[name] = Math.max(0, whole[name] - agents.reduce((sum, agent) => sum + sumOf(agent, name), 0));
  return main;
}

const sumOf = (agent, name) =>
  name === "cache_write_tokens" && agent[name] === undefined ? agent.cache_write_5m_tokens + agent.cache_write_1h_tokens : agent[name];

function nameOf({ kind, description, subagent_id: id }) {
  return [kind ?? "Sub-agent", description ?? id].filter(Boolean).map((part) => oneLine(part, 80)).join(": ");
}

function updateRow(row, agent, sessionId) {
  const read = agent.input_tokens + agent.cache_read_tokens + sumOf(agent, "cache_write_tokens");
  cssNumber(row.link, "--depth", Math.min(agent.depth, 6));
  text(row.kind, oneLine(agent.kind ?? "Sub-agent", 80));
  text(row.description, oneLine(agent.description ?? agent.subagent_id, 120));
  attribute(row.name, "title", agent.subagent_id || null);
  text(row.when, whenOf(agent));
  attribute(row.when, "title", agent.started_at && bothTimes(moment(agent.started_at)));
  text(row.calls, plural(agent.calls, "call"));
  text(row.input, `${compact(read)} in`);
  attribute(row.input, "title", `uncached ${count(agent.input_tokens)} · cache read ${count(agent.cache_read_tokens)} · cache write ${count(sumOf(agent, "cache_write_tokens"))}`);
  text(row.output, `${compact(agent.output_tokens)} out`);
  attribute(row.output, "title", count(agent.output_tokens));
  text(row.cost, costOf(agent.cost_usd, agent.calls, agent.unpriced_calls));
  attribute(row.cost, "title", costWords(agent.cost_usd, agent.calls, agent.unpriced_calls));
  if (agent.subagent_id !== MAIN) address.lead(row.link, { session: sessionId, tab: "calls", subagent: agent.subagent_id });
}

function whenOf({ started_at: started, ended_at: ended }) {
  if (!started) return "";
  return ended ? `${clockTime(moment(started))} · ${duration(moment(ended) - moment(started))}` : clockTime(moment(started));
}

function updateCompaction(row, told, agents) {
  const at = moment(told.at);
  const agent = told.subagent_id && agents.find(({ subagent_id: id }) => id === told.subagent_id);
  text(row.time, clockTime(at));
  attribute(row.time, "title", bothTimes(at));
  const words = [told.trigger, told.pre_tokens && `${compact(told.pre_tokens)} tokens before`, agent && nameOf(agent)];
  text(row.words, words.filter(Boolean).map((part) => oneLine(part, 120)).join(" · ") || "compacted");
}
