/** Who waits for a human, oldest first, with a count in the tab's title and a word to screen readers. */

import { go, lead } from "../core/address.js";
import { tick } from "../core/clock.js";
import { agent, sessionState } from "../core/describe.js";
import { attribute, clone, keyed, show, text, withRefs } from "../core/dom.js";
import { oneLine } from "../core/format.js";
import { canNotify, notifies, notify, toggleNotify } from "../core/notify.js";
import * as store from "../core/store.js";
import { since, waitingRows } from "../data/sessions.js";
import { showAgent, showPlace, titleOf } from "./place.js";

const ANNOUNCE_EVERY_MS = 5000;
const panel = withRefs(document.getElementById("attention"));
let announced = new Set();
let announcedAt = -Infinity;
let notified = null; // nobody is told of what waited before the page was opened
const icon = document.querySelector("link[rel=icon]");

export function waiting() {
  store.watch(["sessions"], render);
  show(panel.bell, canNotify);
  panel.bell.addEventListener("click", async () => showBell(await toggleNotify()));
  showBell(notifies());
}

function showBell(on) {
  const words = on ? "Notifications are on in this browser" : "Notify me in this browser";
  attribute(panel.bell, "aria-pressed", String(on));
  attribute(panel.bell, "title", words);
  text(panel.bell_words, words);
}

function render() {
  const rows = waitingRows();
  panel.root.classList.toggle("some", rows.length > 0);
  show(panel.nobody, !rows.length);
  text(panel.tally, rows.length || "");
  document.title = rows.length ? `(${rows.length}) AgentMonitor` : "AgentMonitor";
  attribute(icon, "href", rows.length ? icon.dataset.waiting : icon.dataset.calm);
  keyed(panel.list, rows, ({ id }) => id, () => clone("waiting-row"), update);
  announce(rows);
  notifyOf(rows);
}

const wordOf = (session) => `${session.id} ${session.state} ${session.state_at}`;

function notifyOf(rows) {
  if (!store.get("loaded")) return;
  const known = notified;
  notified = new Set(rows.map(wordOf));
  if (known === null) return;
  for (const session of rows.filter((one) => !known.has(wordOf(one)))) {
    const title = `${agent(session.agent_type).name} ${sessionState(session).word}`;
    const body = [session.project, session.state_detail ?? titleOf(session)].filter(Boolean).map((part) => oneLine(part, 120)).join(": ");
    notify(session.id, title, body, () => go({ session: session.id }));
  }
}

function update(row, session) {
  const { mark, word } = sessionState(session);
  attribute(row.state, "data-mark", mark);
  text(row.state, word);
  tick(row.age, since(session), "age");
  showAgent(row.agent, session.agent_type);
  showPlace(row, session);
  text(row.what, session.state_detail ? oneLine(session.state_detail) : titleOf(session));
  lead(row.link, { session: session.id });
}

/** Only who is new is told, and at most one line in five seconds. */
function announce(rows) {
  const fresh = rows.filter((session) => !announced.has(`${session.id} ${session.state}`));
  const now = performance.now();
  if (fresh.length && now - announcedAt >= ANNOUNCE_EVERY_MS) {
    const [first] = fresh;
    const more = fresh.length > 1 ? `, and ${fresh.length - 1} more` : "";
    const place = oneLine(first.project ?? "", 60);
    text(document.getElementById("announcer"), `${agent(first.agent_type).name} ${place} ${sessionState(first).word}${more}`);
    announcedAt = now;
    announced = new Set(rows.map((session) => `${session.id} ${session.state}`));
  }
}

export function openFirstWaiting() {
  const first = panel.list.querySelector("a");
  if (!first) return false;
  first.focus();
  first.click();
  return true;
}
