/** One session in a layer: its facts and sums, its transcript, events and calls; live while it is open. */

import * as address from "../core/address.js";
import { ask, refresher, sessionPath } from "../core/api.js";
import { tick } from "../core/clock.js";
import { sessionState } from "../core/describe.js";
import { attribute, element, keyed, show, text, withRefs } from "../core/dom.js";
import { clockTime, compact, costOf, costWords, count, moment, oneLine, percent, plural } from "../core/format.js";
import { closesItself, openLayer } from "../core/layer.js";
import { leadToCalls } from "../core/ledger.js";
import * as store from "../core/store.js";
import { find, markSeen, since } from "../data/sessions.js";
import { callTable } from "./call_table.js";
import { reader } from "./entries.js";
import { sessionEvents } from "./session_events.js";
import { subagentTree } from "./subagents.js";
import { showAgent, showPlace, titleOf } from "./place.js";

const TABS = ["transcript", "events", "subagents", "calls"];
const NOTHING = {
  transcript: "Nothing has been told of this session yet.",
  events: "No event of this session is kept.",
  subagents: "This session has no sub-agents.",
};
const dialog = document.getElementById("session-layer");
const layer = withRefs(dialog);
const tabs = [...dialog.querySelectorAll("[role=tab]")];
const views = {
  transcript: reader(layer),
  events: sessionEvents(layer),
  subagents: subagentTree(layer),
  calls: callTable(layer.calls, () => {}),
};
const upkeep = refresher("session", keepUp, 1500);
let session = null;
let id = null;
let loadedTab = null;
let loadedAgent = null;
let isBehind = false;

export function sessionLayer() {
  closesItself(dialog);
  for (const tab of tabs) tab.addEventListener("click", () => address.go({ tab: tab.dataset.tab, subagent: null }, { replace: true }));
  dialog.querySelector("[role=tablist]").addEventListener("keydown", moveTab);
  store.watch(["address"], sync);
  store.watch(["sessions"], () => {
    if (!id) return;
    update(find(id));
    if (!document.hidden) markSeen(id);
  });
}

/** An event of the stream: the open session keeps up. */
export function takeEvent(event) {
  if (event.session_id !== id) return;
  if (loadedTab === "events") views.events.take(event);
  upkeep.ask();
}

/** An event that is known says more now. */
export function completeEvent(event) {
  if (event.session_id !== id) return;
  if (loadedTab === "events") views.events.complete(event);
  upkeep.ask();
}

/** The stream broke, or brings not all: the tab in front catches up. */
export function reloadSession() {
  if (!id) return;
  isBehind = true;
  upkeep.now();
}

function sync() {
  const wanted = address.value("session");
  if (!wanted) {
    if (dialog.open) dialog.close();
    return;
  }
  const tab = TABS.includes(address.value("tab")) ? address.value("tab") : TABS[0];
  openLayer(dialog, closed);
  if (wanted !== id) begin(wanted);
  const agent = tab === "calls" ? address.value("subagent") : null;
  if (tab !== loadedTab || agent !== loadedAgent) openTab(tab, agent);
}

function begin(wanted) {
  id = wanted;
  markSeen(id);
  session = null;
  loadedTab = loadedAgent = null;
  show(layer.fault, false);
  show(layer.subagents_tab, false);
  update(find(wanted) ?? { id: wanted, status: "", project: null, branch: null });
  refreshFacts().catch(fail);
}

function closed() {
  id = session = loadedTab = loadedAgent = null;
  if (address.value("session")) address.go({ session: null, tab: null, subagent: null, entry: null });
}

async function openTab(tab, agent) {
  loadedTab = tab;
  loadedAgent = agent;
  showCallsOf(agent);
  for (const each of tabs) {
    attribute(each, "aria-selected", String(each.dataset.tab === tab));
    each.tabIndex = each.dataset.tab === tab ? 0 : -1;
  }
  for (const view of dialog.querySelectorAll("[data-view]")) show(view, view.dataset.view === tab);
  attribute(layer.body, "aria-labelledby", `tab-${tab}`);
  layer.body.scrollTop = 0;
  show(layer.nothing, false);
  try {
    await (tab === "calls" ? views.calls.load({ session_id: id, subagent_id: agent }) : views[tab].load(id, address.value("entry")));
    renderNothing();
  } catch (error) {
    fail(error);
  }
}

function renderNothing() {
  const empty = loadedTab !== "calls" && views[loadedTab]?.count === 0;
  show(layer.nothing, empty);
  if (empty) text(layer.nothing, NOTHING[loadedTab]);
}

async function keepUp() {
  if (!id) return;
  await refreshFacts();
  if (loadedTab) await views[loadedTab].refresh();
  if (isBehind && loadedTab === "events") await views.events.catchUp();
  isBehind = false;
  show(layer.fault, false);
  renderNothing();
}

async function refreshFacts() {
  const asked = id;
  const answer = await ask(sessionPath(asked), { event_limit: 0 });
  if (asked !== id) return;
  update(answer.session);
  views.subagents.take(answer);
  showCallsOf(loadedAgent);
  renderNothing();
}

/** The calls of one sub-agent say whose they are, and lead back to all. */
function showCallsOf(agent) {
  show(layer.calls_of, agent !== null);
  if (agent === null) return;
  text(layer.calls_of_name, views.subagents.named(agent));
  address.lead(layer.calls_of_all, { session: id, tab: "calls", subagent: null });
}

function fail(error) {
  show(layer.fault, true);
  text(layer.fault, error.status === 404 ? "This session is not known here." : `Not loaded: ${error.message}`);
}

function moveTab(press) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[press.key];
  if (!by) return;
  const shown = tabs.filter((tab) => !tab.hidden);
  const next = shown[(shown.indexOf(press.target) + by + shown.length) % shown.length];
  next.focus();
  next.click();
}

function update(row) {
  if (!row) return;
  session = { ...session, ...row };
  showAgent(layer.agent, session.agent_type);
  showPlace(layer, session);
  text(layer.title, titleOf(session));
  const { mark, word } = sessionState(session);
  attribute(layer.state, "data-mark", mark);
  text(layer.state, session.status ? word : "");
  tick(layer.state_age, session.status ? since(session) : NaN, "age");
  text(layer.facts, factsOf(session));
  attribute(layer.facts, "title", session.id);
  if (session.event_count === undefined) return;
  text(layer.event_count, count(session.event_count));
  text(layer.call_count, count(session.call_count));
  keyed(layer.figures, figuresOf(session), ({ name }) => name, newFigure, updateFigure);
}

function factsOf({ id: sessionId, cwd, model, started_at, client_version, permission_mode, parent_id }) {
  const parts = [model, cwd, client_version && `version ${client_version}`, permission_mode && `permissions: ${permission_mode}`];
  if (started_at) parts.push(`since ${clockTime(moment(started_at))}`);
  if (parent_id) parts.push(`sub-agent of ${parent_id}`);
  parts.push(sessionId);
  return parts.filter(Boolean).map((part) => oneLine(part, 120)).join(" · ");
}

function figuresOf(row) {
  const read = row.tokens_in + row.cache_read_tokens + row.cache_write_tokens;
  return [
    { name: "Cost", words: costOf(row.total_cost_usd, row.call_count, row.unpriced_calls), title: costWords(row.total_cost_usd, row.call_count, row.unpriced_calls), tab: "calls" },
    { name: "Input", words: compact(read), title: `uncached ${count(row.tokens_in)} · cache read ${count(row.cache_read_tokens)} · cache write ${count(row.cache_write_tokens)}`, tab: "calls" },
    { name: "From cache", words: read ? percent(row.cache_read_tokens / read) : "–", title: count(row.cache_read_tokens), tab: "calls" },
    { name: "Output", words: compact(row.tokens_out), title: count(row.tokens_out), tab: "calls" },
    { name: "Files edited", words: count(row.files_edited), title: plural(row.files_edited, "file"), tab: "events" },
    { name: "Lines", words: `+${count(row.lines_added)} −${count(row.lines_removed)}`, title: "added and removed", tab: "events" },
  ];
}

function newFigure({ name }) {
  const root = element("div");
  const amount = element("a", { className: "figure-link" });
  const value = element("dd");
  value.append(amount);
  root.append(element("dt", { content: name }), value);
  return { root, amount };
}

function updateFigure(refs, { words, title, tab }) {
  text(refs.amount, words);
  attribute(refs.amount, "title", title);
  if (tab === "calls") leadToCalls(refs.amount, { session_id: id });
  else address.lead(refs.amount, { session: id, tab, subagent: null });
}
