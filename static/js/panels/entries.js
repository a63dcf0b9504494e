/** What a session's transcript says, in pages: the last entries first, or those around one that was linked to. */

import { ask, sessionPath } from "../core/api.js";
import { attribute, clone, keyed, show, text } from "../core/dom.js";
import { bothTimes, bytes, clockTime, moment, oneLine, visible } from "../core/format.js";
import { say, transcript } from "./transcript.js";

const PAGE = 100;
const NEAR_PX = 300;
const ROLES = { prompt: "user", answer: "assistant", thinking: "system", tool_use: "tool", tool_result: "tool" };
const NAMES = { prompt: "You", answer: "Answer", thinking: "Thinking", tool_use: "Tool", tool_result: "Result", compaction: "Compaction", notice: "Notice" };
const FOLDED = new Set(["thinking", "tool_use", "tool_result", "notice"]);
const ERROR_NOT_FOUND = 404;

/** The transcript's entries where the session has any, else what its events tell. */
export function reader(refs) {
  const events = transcript(refs);
  const entries = sessionEntries(refs);
  let view = events;
  let id = null;
  let loaded = null;

  const choose = async (begin) => {
    const asked = id;
    const found = await begin();
    if (asked !== id) return false;
    view = found ? entries : events;
    show(refs.told, found);
    show(refs.story, !found);
    return found;
  };

  return {
    get count() {
      return view.count;
    },
    async load(wanted, entryId) {
      id = wanted;
      loaded = null;
      if (!(await choose(() => entries.load(wanted, entryId))) && id === wanted) await events.load(wanted);
      loaded = wanted;
    },
    async refresh() {
      const asked = id;
      if (loaded !== asked) return;
      if (view === entries) await entries.refresh();
      else if (!(await choose(() => entries.load(asked))) && id === asked) await events.refresh();
    },
  };
}

function sessionEntries(refs) {
  let id = null;
  let shown = [];
  let previous = null;
  let next = null;
  let busy = false;

  const page = async (parameters) => {
    const path = sessionPath(id, "/entries");
    return ask(path, { limit: PAGE, ...parameters }).catch((error) => {
      if (error.status === ERROR_NOT_FOUND) return { entries: [], next: null, previous: null };
      throw error;
    });
  };

  const render = () => {
    keyed(refs.entries, shown, (entry) => entry.id, newEntry, () => {});
    show(refs.earlier, previous !== null);
  };

  /** One page more at either end; what is read stays where it is. */
  const more = async (isEarlier) => {
    if (busy) return;
    busy = true;
    const asked = id;
    try {
      const answer = await page(isEarlier ? { before: previous } : { after: next ?? shown.at(-1)?.position });
      if (asked !== id) return;
      const fromEnd = refs.body.scrollHeight - refs.body.scrollTop;
      shown = isEarlier ? [...answer.entries, ...shown] : [...shown, ...answer.entries];
      if (isEarlier) previous = answer.previous;
      else next = answer.next;
      render();
      if (isEarlier) refs.body.scrollTop = refs.body.scrollHeight - fromEnd;
    } finally {
      busy = false;
    }
  };

  refs.earlier_button.addEventListener("click", () => more(true));
  refs.body.addEventListener("scroll", () => {
    if (refs.told.hidden || refs.told.closest("[data-view]").hidden) return;
    const left = refs.body.scrollHeight - refs.body.clientHeight - refs.body.scrollTop;
    if (previous !== null && refs.body.scrollTop < NEAR_PX) more(true).catch(() => {});
    else if (next !== null && left < NEAR_PX) more(false).catch(() => {});
  });

  const begin = async (entryId) => {
    const around = entryId && (await ask(`entries/${entryId}`).catch(() => null));
    if (!around || around.session.id !== id) return page({ before: "end" });
    const [at, number] = [around.entry.position.slice(0, -String(around.entry.id).length - 1), around.entry.id];
    const [before, after] = await Promise.all([page({ before: `${at}-${number + 1}` }), page({ after: around.entry.position })]);
    return { entries: [...before.entries, ...after.entries], previous: before.previous, next: after.next };
  };

  return {
    get count() {
      return shown.length;
    },
    /** Begins anew, at the entry or at the end; whether there is anything. */
    async load(wanted, entryId = null) {
      id = wanted;
      const answer = await begin(entryId);
      if (wanted !== id) return false;
      ({ entries: shown, previous, next } = answer);
      show(refs.told, shown.length > 0);
      render();
      const target = entryId && document.getElementById(`entry-${entryId}`);
      if (target) requestAnimationFrame(() => reach(target));
      else refs.body.scrollTop = refs.body.scrollHeight;
      return shown.length > 0;
    },
    async refresh() {
      // Further pages come by scrolling; what is new comes after the last of them.
      if (next !== null) return;
      const atEnd = refs.body.scrollTop + refs.body.clientHeight >= refs.body.scrollHeight - 24;
      await more(false);
      if (atEnd) refs.body.scrollTop = refs.body.scrollHeight;
    },
  };
}

/** The entry that was linked to, in sight, open and marked. */
function reach(target) {
  target.classList.add("linked");
  const fold = target.querySelector("details");
  if (!fold.hidden) fold.open = true;
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
}

function newEntry(entry) {
  const refs = clone("told-entry");
  const at = moment(entry.at);
  refs.entry.id = `entry-${entry.id}`;
  attribute(refs.entry, "data-role", ROLES[entry.kind] ?? "system");
  refs.entry.classList.toggle("failed", entry.is_error);
  text(refs.role, roleOf(entry));
  text(refs.facts, factsOf(entry));
  text(refs.time, entry.at ? clockTime(at) : "");
  if (entry.at) attribute(refs.time, "title", bothTimes(at));
  if (FOLDED.has(entry.kind)) fold(refs, entry);
  else say(refs, entry.text);
  return refs;
}

function roleOf({ kind, tool_name, subagent_id }) {
  if (kind === "prompt" && subagent_id) return "Task";
  return kind === "tool_use" && tool_name ? oneLine(tool_name, 60) : (NAMES[kind] ?? kind);
}

function factsOf({ subagent_id, truncated, text_bytes }) {
  const parts = [];
  if (subagent_id) parts.push(`sub-agent ${oneLine(subagent_id, 40)}`);
  if (truncated) parts.push(`cut, ${bytes(text_bytes)} in all`);
  return parts.join(" · ");
}

/** One line, and the whole once it is opened. */
function fold(refs, entry) {
  show(refs.fold, true);
  text(refs.brief, oneLine(entry.text, 200) || "(nothing)");
  refs.fold.addEventListener("toggle", () => refs.fold.open && text(refs.folded, visible(entry.text)));
}
