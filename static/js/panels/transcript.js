/** A session told as a conversation, oldest first; the last entries at once, the earlier ones when asked for. */

import { ask, sessionPath } from "../core/api.js";
import { typeName } from "../core/describe.js";
import { attribute, clone, keyed, show, text } from "../core/dom.js";
import { bothTimes, clockTime, compact, count, duration, moment, money, oneLine, visible } from "../core/format.js";

const STEP = 300;
const LONGEST_CHARS = 4000;

/** `load(id)` begins anew at the end; `refresh()` adds what came. Both say whether there is anything. */
export function transcript(refs) {
  let id = null;
  let entries = [];
  let most = STEP;

  const render = () => {
    const first = Math.max(0, entries.length - most);
    const shown = entries.slice(first).map((entry, index) => ({ entry, number: first + index }));
    keyed(refs.transcript, shown, ({ number }) => number, newEntry, () => {});
    show(refs.before, first > 0);
    text(refs.before_button, `${count(first)} earlier entries`);
  };

  const refresh = async () => {
    const asked = id;
    const answer = await ask(sessionPath(asked, "/transcript")).catch((error) => {
      if (error.status === 404) return { entries: [] };
      throw error;
    });
    if (asked !== id) return;
    // The end of what is read stays in sight when more is added below it.
    const body = refs.body;
    const atEnd = body.scrollTop + body.clientHeight >= body.scrollHeight - 24;
    most += Math.max(0, answer.entries.length - entries.length);
    if (!entries.length) most = STEP;
    entries = answer.entries;
    render();
    if (atEnd) body.scrollTop = body.scrollHeight;
  };

  refs.before_button.addEventListener("click", () => {
    const fromEnd = refs.body.scrollHeight - refs.body.scrollTop;
    most += STEP;
    render();
    refs.body.scrollTop = refs.body.scrollHeight - fromEnd;
  });

  return {
    get count() {
      return entries.length;
    },
    refresh,
    async load(wanted) {
      id = wanted;
      entries = [];
      most = STEP;
      render();
      await refresh();
      refs.body.scrollTop = refs.body.scrollHeight;
    },
  };
}

function newEntry({ entry }) {
  const refs = clone("entry");
  const at = moment(entry.timestamp);
  attribute(refs.entry, "data-role", entry.role);
  refs.entry.classList.toggle("failed", Boolean(entry.status));
  text(refs.role, roleOf(entry));
  text(refs.facts, factsOf(entry));
  text(refs.time, clockTime(at));
  attribute(refs.time, "title", bothTimes(at));
  say(refs, entry.detail ?? "");
  return refs;
}

function roleOf(entry) {
  if (entry.role === "user") return "You";
  if (entry.tool_name) return oneLine(entry.tool_name, 60);
  return typeName(entry.type);
}

function factsOf(entry) {
  const parts = [];
  if (entry.status) parts.push(entry.status);
  if (entry.model) parts.push(oneLine(entry.model, 60));
  if (entry.duration_ms) parts.push(duration(entry.duration_ms));
  if (entry.tokens_in || entry.tokens_out) parts.push(`${compact(entry.tokens_in ?? 0)} in, ${compact(entry.tokens_out ?? 0)} out`);
  if (entry.cost_usd) parts.push(money(entry.cost_usd));
  return parts.join(" · ");
}

/** Long text comes in part, whole when asked for. */
export function say(refs, detail) {
  const long = detail.length > LONGEST_CHARS;
  text(refs.said, visible(long ? detail.slice(0, LONGEST_CHARS) : detail));
  show(refs.all, long);
  if (!long) return;
  text(refs.all, `Show all ${count(detail.length)} characters`);
  refs.all.addEventListener("click", () => {
    text(refs.said, visible(detail));
    show(refs.all, false);
  });
}
