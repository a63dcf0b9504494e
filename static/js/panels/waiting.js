/** Who waits for a human, oldest first, with a count in the tab's title and a word to screen readers. */

import { lead } from "../core/address.js";
import { tick } from "../core/clock.js";
import { agent, sessionState } from "../core/describe.js";
import { attribute, clone, keyed, show, text, withRefs } from "../core/dom.js";
import { oneLine } from "../core/format.js";
import * as store from "../core/store.js";
import { since, waitingRows } from "../data/sessions.js";
import { showAgent, showPlace, titleOf } from "./place.js";

const ANNOUNCE_EVERY_MS = 5000;
const panel = withRefs(document.getElementById("attention"));
let announced = new Set();
let announcedAt = -Infinity;

export function waiting() {
  store.watch(["sessions"], render);
}

function render() {
  const rows = waitingRows();
  panel.root.classList.toggle("some", rows.length > 0);
  show(panel.nobody, !rows.length);
  text(panel.tally, rows.length || "");
  document.title = rows.length ? `(${rows.length}) AgentMonitor` : "AgentMonitor";
  keyed(panel.list, rows, ({ id }) => id, () => clone("waiting-row"), update);
  announce(rows);
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
