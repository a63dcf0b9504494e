/** A card for each live session, and the latest of those that ended. */

import * as address from "../core/address.js";
import { ask, sessionPath } from "../core/api.js";
import { tick } from "../core/clock.js";
import { describe, sessionState, shortModel } from "../core/describe.js";
import { attribute, clone, keyed, show, text, withRefs } from "../core/dom.js";
import { bothTimes, clockTime, compact, costOf, costWords, count, moment, oneLine, plural } from "../core/format.js";
import { leadToCalls } from "../core/ledger.js";
import * as store from "../core/store.js";
import { endedRows, fillActivity, latestEvents, liveRows, moreEnded, since } from "../data/sessions.js";
import { showAgent, showPlace, titleOf } from "./place.js";

const FEW = 24;
const panel = withRefs(document.getElementById("agents"));
let all = false;
let held = false;
let order = [];
const askedFor = new Set();

export function agents() {
  // Cards keep their places while the pointer or the focus is among them.
  const hold = (value) => () => {
    held = value;
    if (!value) store.touch("sessions");
  };
  panel.cards.addEventListener("pointerenter", hold(true));
  panel.cards.addEventListener("pointerleave", hold(false));
  panel.cards.addEventListener("focusin", hold(true));
  panel.cards.addEventListener("focusout", hold(false));
  panel.more_cards_button.addEventListener("click", () => {
    all = true;
    store.touch("sessions");
  });
  panel.more_ended_button.addEventListener("click", moreEnded);
  store.watch(["sessions", "address", "loaded"], render);
}

function render() {
  const rows = inOrder(liveRows());
  const shown = all ? rows : rows.slice(0, FEW);
  text(panel.tally, rows.length || "");
  keyed(panel.cards, shown, ({ id }) => id, () => clone("card"), updateCard);
  show(panel.more_cards, rows.length > shown.length);
  text(panel.more_cards_button, `Show all ${count(rows.length)}`);
  renderEnded();
  const filtered = Object.keys(address.filters(["agent", "project", "branch", "model"])).length > 0;
  show(panel.nothing, store.get("loaded") === true && !rows.length);
  text(panel.nothing, filtered ? "No live session passes these filters." : "No agent is running now.");
  fetchActivity(shown);
}

/** While held, known cards stay where they are and new ones come last. */
function inOrder(rows) {
  if (held) {
    const places = new Map(order.map((id, index) => [id, index]));
    rows = rows.toSorted((a, b) => (places.get(a.id) ?? Infinity) - (places.get(b.id) ?? Infinity) || 0);
  }
  order = rows.map(({ id }) => id);
  return rows;
}

function updateCard(card, session) {
  const { mark, word } = sessionState(session);
  attribute(card.card, "data-mark", mark);
  attribute(card.state, "data-mark", mark);
  text(card.state, word);
  tick(card.age, since(session), "age");
  showAgent(card.agent, session.agent_type);
  showPlace(card, session);
  text(card.title, titleOf(session));
  lead(card.title, session, "transcript");
  text(card.activity, oneLine(session.state_detail ?? ""));
  text(card.model, session.model ? shortModel(session.model) : "");
  attribute(card.model, "title", session.model);
  text(card.lines, session.lines_added || session.lines_removed ? `+${count(session.lines_added)} −${count(session.lines_removed)}` : "");
  text(card.tokens, tokensOf(session));
  attribute(card.tokens, "title", `Input ${count(session.tokens_in)} · cache read ${count(session.cache_read_tokens)} · cache write ${count(session.cache_write_tokens)} · output ${count(session.tokens_out)}`);
  leadToCalls(card.tokens, { session_id: session.id });
  text(card.cost, costOf(session.total_cost_usd, session.call_count, session.unpriced_calls));
  card.cost.classList.toggle("partly", session.unpriced_calls > 0);
  attribute(card.cost, "title", costWords(session.total_cost_usd, session.call_count, session.unpriced_calls));
  leadToCalls(card.cost, { session_id: session.id });
  keyed(card.mini, latestEvents(session.id), ({ id }) => id, () => clone("mini-row"), fillMiniRow);
}

function lead(node, session, tab) {
  address.lead(node, { session: session.id, tab });
}

/** All that went in, cached or not, and what came out. */
function tokensOf(session) {
  const read = session.tokens_in + session.cache_read_tokens + session.cache_write_tokens;
  return `${compact(read)} in · ${compact(session.tokens_out)} out`;
}

/** Filled anew only when a further witness completed the event, which is another object then. */
function fillMiniRow(row, event) {
  if (row.event === event) return;
  row.event = event;
  const { what, detail, failed } = describe(event);
  const at = moment(event.client_timestamp ?? event.created_at);
  text(row.time, clockTime(at));
  attribute(row.time, "title", bothTimes(at));
  text(row.what, what);
  text(row.detail, detail);
  row.root.classList.toggle("failed", failed);
}

/** Cards whose last events are not in the feed's first page ask for them, once each. */
function fetchActivity(sessions) {
  if (!store.get("feedLoaded")) return;
  for (const { id } of sessions) {
    if (latestEvents(id).length || askedFor.has(id)) continue;
    askedFor.add(id);
    ask(sessionPath(id), { event_limit: 3 }).then(({ events }) => fillActivity(events), () => askedFor.delete(id));
  }
}

function renderEnded() {
  const { rows, more } = endedRows();
  show(panel.earlier, rows.length > 0);
  show(panel.more_ended, more);
  keyed(panel.ended, rows, ({ id }) => id, () => clone("ended-row"), updateEnded);
}

function updateEnded(row, session) {
  tick(row.when, moment(session.ended_at ?? session.last_event_at), "ago");
  showAgent(row.agent, session.agent_type);
  showPlace(row, session);
  text(row.title, titleOf(session));
  text(row.model, session.model ? shortModel(session.model) : "");
  attribute(row.model, "title", session.model);
  text(row.calls, session.call_count ? plural(session.call_count, "call") : "");
  text(row.cost, session.call_count ? costOf(session.total_cost_usd, session.call_count, session.unpriced_calls) : "");
  address.lead(row.link, { session: session.id });
}
