/** What the whole page should know: an import that runs, a writer in trouble, and the first steps when all is empty. */

import { cssNumber, show, text, withRefs } from "../core/dom.js";
import { count, oneLine, plural } from "../core/format.js";
import * as store from "../core/store.js";

const progress = withRefs(document.getElementById("import-progress"));
const trouble = document.getElementById("writer-trouble");
const welcome = document.getElementById("welcome");

export function notices() {
  store.watch(["status"], renderStatus);
  store.watch(["stats", "status", "sessions"], renderWelcome);
  document.addEventListener("click", copy);
}

function renderStatus() {
  const { import: importing, writer } = store.get("status") ?? {};
  show(progress.root, Boolean(importing?.running));
  if (importing?.running) {
    const { source, files_done, files_total, events_imported } = importing;
    const source_words = source ? ` of ${oneLine(source, 40)}` : "";
    text(progress.words, `${count(files_done ?? 0)} of ${plural(files_total ?? 0, "transcript")}${source_words} · ${plural(events_imported ?? 0, "event")}`);
    cssNumber(progress.meter, "--share", files_total ? files_done / files_total : 0);
  }
  const words = troubleOf(writer);
  show(trouble, words !== null);
  text(trouble, words);
}

function troubleOf(writer) {
  if (writer?.unavailable) return `The database takes no writes${writer.last_error ? `: ${oneLine(writer.last_error)}` : ""}. Senders are told to try again; nothing that was acknowledged is lost.`;
  return writer?.overloaded ? "More arrives than can be stored. Senders are told to wait and try again." : null;
}

/** Only when the server has said that there is nothing, and nothing is on its way. */
function renderWelcome() {
  const stats = store.get("stats");
  const importing = store.get("status")?.import?.running;
  show(welcome, Boolean(stats && stats.total_sessions === 0 && !importing && !store.get("sessions").size));
}

async function copy(click) {
  const button = click.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.previousElementSibling.textContent);
  text(button, "Copied");
  setTimeout(() => text(button, "Copy"), 2000);
}
