/** The search over all transcripts: the address holds what is looked for, each result leads to its entry. */

import { ask } from "./core/api.js";
import { agent } from "./core/describe.js";
import { attribute, clone, element, show, text } from "./core/dom.js";
import { bothTimes, clockTime, moment, oneLine, plural, visible } from "./core/format.js";
import { CLOSE, shell, WALK } from "./panels/shell.js";

const FILTERS = ["session_id", "agent_type", "project", "tool_name", "since", "until"];
const node = (id) => document.getElementById(id);
const form = node("search-form");
const moreButton = node("more").querySelector("button");
let asked = 0;
let next = null;

/** What the address asks for, by the API's names. */
function wanted() {
  const given = new URLSearchParams(location.search);
  const names = ["q", "kind", ...FILTERS];
  return Object.fromEntries(names.map((name) => [name, given.get(name)]).filter(([, value]) => value));
}

function fill() {
  const { q = "", kind = "" } = wanted();
  form.elements.q.value = q;
  form.elements.kind.value = kind;
}

async function search(cursor = null) {
  const parameters = wanted();
  const number = ++asked;
  show(node("fault"), false);
  if (!parameters.q) return render({ results: [], next: null }, cursor, "");
  try {
    const answer = await ask("search", { ...parameters, cursor });
    if (number === asked) render(answer, cursor, found(answer));
  } catch (error) {
    if (number !== asked) return;
    render({ results: [], next: null }, cursor, "");
    text(node("fault"), error.message);
    show(node("fault"), true);
  }
}

function found({ total, is_complete }) {
  const entries = plural(total, "entry", "entries");
  return is_complete ? `${entries}, newest first` : `${entries} among the latest with these words, newest first; there are more`;
}

function render({ results, next: following }, cursor, words) {
  next = following;
  const rows = results.map(row);
  if (cursor) node("results").append(...rows);
  else node("results").replaceChildren(...rows);
  if (!cursor) text(node("found"), words);
  show(node("more"), next !== null);
}

function row(result) {
  const refs = clone("result");
  const { family, name } = agent(result.agent_type);
  const at = moment(result.at);
  const address = new URLSearchParams({ session: result.session_id, entry: result.entry_id });
  attribute(refs.link, "href", `/?${address}`);
  refs.link.classList.toggle("failed", result.is_error);
  attribute(refs.agent, "data-family", family);
  text(refs.agent, name);
  text(refs.project, oneLine(result.project ?? "", 80));
  text(refs.title, oneLine(result.session_title ?? result.session_id, 120));
  text(refs.kind, [result.kind.replace("_", " "), result.tool_name && oneLine(result.tool_name, 40)].filter(Boolean).join(" · "));
  if (result.at) {
    text(refs.time, clockTime(at));
    attribute(refs.time, "title", bothTimes(at));
  }
  refs.snippet.replaceChildren(...result.snippet.map(piece));
  return refs.root;
}

const piece = (part) => (part.is_match ? element("mark", { content: visible(part.text) }) : visible(part.text));

form.addEventListener("submit", (submit) => {
  submit.preventDefault();
  const address = new URLSearchParams(location.search);
  for (const name of ["q", "kind"]) {
    const value = form.elements[name].value.trim();
    if (value) address.set(name, value);
    else address.delete(name);
  }
  history.pushState(null, "", address.size ? `?${address}` : location.pathname);
  search();
});
form.elements.kind.addEventListener("change", () => form.requestSubmit());
moreButton.addEventListener("click", () => search(next));
addEventListener("popstate", () => {
  fill();
  search();
});

shell([...WALK, { keys: ["/"], words: "Search", act: () => form.elements.q.focus() }, CLOSE]);
fill();
search();
