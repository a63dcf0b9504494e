/** What the whole page should know: an import that runs, a writer in trouble, and the first steps when all is empty. */

import { cssNumber, show, text, withRefs } from "../core/dom.js";
import { count, oneLine, plural } from "../core/format.js";
import * as store from "../core/store.js";

const progress = withRefs(document.getElementById("import-progress"));
const unread = document.getElementById("import-trouble");
const trouble = document.getElementById("writer-trouble");
const welcome = document.getElementById("welcome");
let writerBefore = null;

export function notices() {
  store.watch(["import"], renderImport);
  store.watch(["status"], renderWriter);
  store.watch(["stats", "import", "sessions"], renderWelcome);
  document.addEventListener("click", copy);
}

function renderImport() {
  const importing = store.get("import");
  show(progress.root, Boolean(importing?.running));
  const errors = importing?.errors ?? [];
  show(unread, errors.length > 0);
  if (errors.length) text(unread, `The import met ${plural(errors.length, "problem")}: ${oneLine(errors[0])}`);
  if (!importing?.running) return;
  const { source, files_done, files_total, events_imported } = importing;
  const whose = source ? `${oneLine(source, 40)}: ` : "";
  text(progress.words, `${whose}${count(files_done)} of ${plural(files_total, "transcript")} · ${plural(events_imported, "event")}`);
  cssNumber(progress.meter, "--share", files_total ? files_done / files_total : 0);
}

/** The writer's figures only grow: what grew since the last look is the trouble of now. */
function renderWriter() {
  const { writer } = store.get("status") ?? {};
  if (!writer) return;
  const words = writerBefore && troubleOf(writer, writerBefore);
  writerBefore = writer;
  show(trouble, Boolean(words));
  text(trouble, words);
}

function troubleOf(writer, before) {
  if (writer.unavailable > before.unavailable) {
    const reason = writer.last_error ? `: ${oneLine(writer.last_error)}` : "";
    return `The database takes no writes${reason}. Senders are told to try again; nothing that was acknowledged is lost.`;
  }
  const overloaded = writer.overloaded > before.overloaded;
  return overloaded ? "More arrives than can be stored. Senders are told to wait and try again." : null;
}

/** Only when the server has said that there is nothing, and nothing is on its way. */
function renderWelcome() {
  const stats = store.get("stats");
  const importing = store.get("import")?.running;
  show(welcome, Boolean(stats && stats.total_sessions === 0 && !importing && !store.get("sessions").size));
}

async function copy(click) {
  const button = click.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.previousElementSibling.textContent);
  text(button, "Copied");
  setTimeout(() => text(button, "Copy"), 2000);
}
