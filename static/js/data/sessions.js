/** Sessions: those that live, by id, and the latest that ended. The sums are the server's, never guessed here. */

import * as address from "../core/address.js";
import { ask, refresher, send } from "../core/api.js";
import { sessionState } from "../core/describe.js";
import { moment } from "../core/format.js";
import * as store from "../core/store.js";

const MOST_LIVE = 300;
const ENDED_STEP = 12;
const MOST_ACTIVITY = 3;
const MOST_PROMPTS = 1000;

const live = new Map();
const activity = new Map(); // session id → its latest events, newest first
const prompts = new Map(); // session id → its latest prompt event
let lastSeen = null;
let dead = []; // who was found dead, and nobody looked since
let ended = [];
let endedShown = ENDED_STEP;
let endedMore = false;

store.set("sessions", live);

// The tab's title says who waits, above all when the tab is hidden.
const liveSessions = refresher("sessions", loadLive, 1500, { whileHidden: true });
const endedSessions = refresher("ended", loadEnded, 2000);

function wanted() {
  const { agent_type, project } = address.filters(["agent", "project"]);
  return { agent_type, project };
}

async function loadLive() {
  const asked = { ...wanted(), exclude_status: "ended", limit: MOST_LIVE };
  const [{ sessions }, { agents }] = await Promise.all([ask("sessions", asked), ask("attention")]);
  dead = agents.filter(({ attention }) => attention === "died").map(asSession);
  live.clear();
  for (const session of sessions) live.set(session.id, session);
  forgetGone();
  store.set("loaded", true);
  store.touch("sessions");
}

const asSession = (told) => ({ ...told, id: told.session_id, state: "died", state_detail: told.detail, state_at: told.since });

/** The human looks at a session: what it finished, or its death, waits for nobody any more. */
export function markSeen(id) {
  const session = live.get(id) ?? dead.find((one) => one.id === id);
  if (!["finished", "died"].includes(session?.attention)) return;
  const what = `${id} ${session.state_at}`;
  if (what === lastSeen) return;
  lastSeen = what;
  send("POST", `attention/${encodeURIComponent(id)}/seen`).then(() => liveSessions.ask(), () => {});
}

async function loadEnded() {
  const { sessions } = await ask("sessions", { ...wanted(), status: "ended", limit: endedShown + 1 });
  endedMore = sessions.length > endedShown;
  ended = sessions.slice(0, endedShown);
  store.touch("sessions");
}

function forgetGone() {
  for (const id of activity.keys()) if (!live.has(id)) activity.delete(id);
}

export function reload() {
  liveSessions.now();
  endedSessions.now();
}

export function moreEnded() {
  endedShown += ENDED_STEP * 4;
  endedSessions.now();
}

/** Live sessions under the filters: who waits first, then who runs; in each the newest session first. */
export function liveRows() {
  const chosen = address.filters(["agent", "project", "branch", "model"]);
  return [...live.values()]
    .filter((session) => session.status !== "ended" && address.takes(session, chosen))
    .sort((a, b) => sessionState(a).rank - sessionState(b).rank || order(b) - order(a));
}

const order = (session) => moment(session.started_at);

export function endedRows() {
  const chosen = address.filters(["branch", "model"]);
  return { rows: ended.filter((session) => address.takes(session, chosen)), more: endedMore };
}

/** Who waits for a human, whatever the filters: what stops an agent first, then finished turns; oldest first. */
export function waitingRows() {
  return [...live.values(), ...dead]
    .filter((session) => sessionState(session).waits)
    .sort((a, b) => sessionState(a).rank - sessionState(b).rank || since(a) - since(b));
}

export const since = (session) => moment(session.state_at ?? session.last_event_at);
export const find = (id) => live.get(id) ?? ended.find((session) => session.id === id) ?? null;
export const latestEvents = (id) => activity.get(id) ?? [];
export const latestPrompt = (id) => prompts.get(id) ?? null;

/** An event came: its session is alive, and its sums are asked for soon. */
export function takeEvent(event) {
  const session = live.get(event.session_id);
  notePrompt(event);
  if (session) {
    session.last_event_at = event.created_at;
    session.branch = event.branch ?? session.branch;
    remember(event);
    store.touch("sessions");
  }
  liveSessions.ask();
}

/** An event that is known says more now. */
export function completeEvent(event) {
  const latest = activity.get(event.session_id) ?? [];
  const place = latest.findIndex(({ id }) => id === event.id);
  if (place >= 0) latest[place] = event;
  if (prompts.get(event.session_id)?.id === event.id) prompts.set(event.session_id, event);
  liveSessions.ask();
  store.touch("sessions");
}

function notePrompt(event) {
  if (event.event_type !== "user_prompt" || event.id < (prompts.get(event.session_id)?.id ?? 0)) return;
  prompts.delete(event.session_id); // the last that was set is the last to be forgotten
  prompts.set(event.session_id, event);
  if (prompts.size > MOST_PROMPTS) prompts.delete(prompts.keys().next().value);
}

function remember(event) {
  const latest = activity.get(event.session_id) ?? [];
  if (latest.some(({ id }) => id === event.id)) return;
  latest.push(event);
  latest.sort((a, b) => b.id - a.id);
  activity.set(event.session_id, latest.slice(0, MOST_ACTIVITY));
}

/** Events read from history fill the cards' latest lines. */
export function fillActivity(events) {
  for (const event of events) {
    notePrompt(event);
    if (live.has(event.session_id)) remember(event);
  }
  store.touch("sessions");
}

/** `session_update`: a state changed now; sums and times follow with the next load. */
export function takeUpdate(update) {
  const session = live.get(update.session_id);
  if (session) {
    if (session.state !== update.state || session.state_detail !== update.state_detail) {
      session.state_at = update.state_at ?? new Date().toISOString();
    }
    for (const field of ["status", "state", "state_detail", "attention"]) {
      if (field in update) session[field] = update[field];
    }
    store.touch("sessions");
  }
  liveSessions.ask();
  if (update.status === "ended" || update.type !== "status") endedSessions.ask();
}
