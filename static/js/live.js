/** The live page: the stream on one side, the panels on the other. */

import { ask, authorization } from "./core/api.js";
import * as store from "./core/store.js";
import { Stream } from "./core/stream.js";
import * as sessions from "./data/sessions.js";
import * as summary from "./data/summary.js";
import { agents } from "./panels/agents.js";
import { connection } from "./panels/connection.js";
import { costs } from "./panels/costs.js";
import { faults } from "./panels/faults.js";
import { catchUp as feedCatchesUp, completeEvent as feedCompletes, feedPanel, reloadFeed, takeEvent as feedTakes, togglePause } from "./panels/feed.js";
import { filters, focusFilters } from "./panels/filters.js";
import { notices } from "./panels/notices.js";
import { overview } from "./panels/overview.js";
import { completeEvent as sessionCompletes, reloadSession, sessionLayer, takeEvent as sessionTakes } from "./panels/session.js";
import { CLOSE, WALK, shell } from "./panels/shell.js";
import { tabbar } from "./panels/tabbar.js";
import { tools } from "./panels/tools.js";
import { openFirstWaiting, waiting } from "./panels/waiting.js";
import * as address from "./core/address.js";

const KEYS = [
  { keys: ["/"], words: "To the filters", act: focusFilters },
  { keys: ["n"], words: "Open the first who waits for you", act: openFirstWaiting },
  { keys: ["p"], words: "Pause or resume the feed", act: togglePause, inLayer: true },
  ...WALK,
  CLOSE,
];

const stream = new Stream("/api/stream", {
  headers: authorization,
  silenceMs: 2 * Number(document.body.dataset.heartbeatMs) + 5000,
  onFrame,
  onState,
});

/** Data is loaded once the stream stands, so that nothing falls between; without a stream, again and again. */
function onState(state) {
  store.set("connection", state);
  if (state.refused || (state.retryAt && !store.get("loaded"))) loadAll();
}

function onFrame(message) {
  const { type, payload } = message;
  if (type === "event") takeEvent(payload);
  else if (type === "event_update") completeEvent(payload);
  else if (type === "stats") summary.takeStats(payload);
  else if (type === "session_update") takeUpdate(payload);
  else if (type === "connected") connected(message.resumed);
  else if (type === "resync") loadAll();
}

function takeEvent(event) {
  store.set("newestEvent", event.id);
  feedTakes(event);
  sessions.takeEvent(event);
  sessionTakes(event);
  summary.takeEvent();
}

/** An event that is known says more now: its rows change where they stand. */
function completeEvent(event) {
  feedCompletes(event);
  sessions.completeEvent(event);
  sessionCompletes(event);
  summary.takeEvent();
}

function takeUpdate(update) {
  sessions.takeUpdate(update);
  if (update.type === "import_progress") store.set("import", update);
  if (update.type === "auto_import" && update.imported) loadAll();
}

/** A resumed stream brings the missed events itself; states and sums are asked for. */
async function connected(resumed) {
  if (!resumed) {
    loadAll();
    return;
  }
  // Another database behind the address: its ids mean other things, and nothing shown here is of it.
  if (!(await knowsOurEvents())) location.reload();
  sessions.reload();
  summary.reload();
  reloadSession();
  feedCatchesUp();
}

async function knowsOurEvents() {
  const answer = await ask("events", { limit: 1 }).catch(() => null);
  return answer === null || (answer.events[0]?.id ?? 0) >= (store.get("newestEvent") ?? 0);
}

function loadAll() {
  sessions.reload();
  summary.reload();
  reloadFeed();
  reloadSession();
}

let sums = "";

/** Which sums and sessions are asked for is in the address too. */
const sumsAddress = () => ["range", "agent", "project", "branch", "model"].map(address.value).join("\n");

function onAddress() {
  const next = sumsAddress();
  if (next === sums) return;
  sums = next;
  sessions.reload();
  summary.reloadSums();
}

shell(KEYS);
for (const start of [notices, waiting, overview, filters, agents, feedPanel, costs, tools, sessionLayer, tabbar, faults]) start();
connection(stream);
sums = sumsAddress();
store.watch(["address"], onAddress);
stream.start();
