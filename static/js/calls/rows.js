/** One row of the ledger. The whole row is a link to the call's receipt. */

import { agent, shortModel } from "../core/describe.js";
import { attribute, clone, element, text } from "../core/dom.js";
import { bothTimes, clockTime, compact, count, moment, money, oneLine } from "../core/format.js";
import { inputOf } from "../core/ledger.js";

/** Sign, word, and what it means. */
const MARKS = {
  terms: ["△", "terms", "Billed as an ordinary call: the row has no price for "],
  provisional: ["◌", "provisional", "No transcript has told of this call yet; its figures may still change", "calm"],
};

export const newRow = () => clone("ledger-row");

export function updateRow(row, call) {
  const at = moment(call.called_at);
  text(row.time, clockTime(at));
  attribute(row.time, "title", bothTimes(at));
  attribute(row.link, "id", `call-${call.id}`);
  attribute(row.link, "href", `/calls/${call.id}/`);
  const { family, name } = agent(call.agent_type);
  attribute(row.agent, "data-family", family);
  text(row.agent, name);
  attribute(row.agent, "title", oneLine(call.agent_type));
  text(row.session, oneLine(call.session_title ?? call.session_id, 80));
  attribute(row.session, "title", call.session_id);
  attribute(row.session, "href", `/?${new URLSearchParams({ session: call.session_id })}`);
  text(row.project, call.project ? oneLine(call.project, 60) : "–");
  attribute(row.project, "title", call.project && oneLine(call.project));
  text(row.model, call.model ? shortModel(call.model) : "(none named)");
  attribute(row.model, "title", call.model);
  updateTokens(row, call);
  const isUnpriced = call.cost_usd === null;
  text(row.cost, isUnpriced ? "unpriced" : money(call.cost_usd));
  attribute(row.cost, "title", isUnpriced ? "unpriced" : `$${call.cost_usd}`);
  row.cost.classList.toggle("unpriced", isUnpriced);
  renderMarks(row.marks, call);
}

function updateTokens(row, call) {
  text(row.input, count(call.input_tokens));
  text(row.read, count(call.cache_read_tokens));
  text(row.write, count(call.cache_write_5m_tokens + call.cache_write_1h_tokens));
  text(row.write5, count(call.cache_write_5m_tokens));
  text(row.write1, count(call.cache_write_1h_tokens));
  text(row.output, count(call.output_tokens));
  text(row.reasoning, count(call.reasoning_tokens));
  text(row.brief, `${compact(inputOf(call))} in · ${compact(call.output_tokens)} out`);
}

function renderMarks(node, call) {
  const marks = [
    call.unpriced_terms && [...MARKS.terms.slice(0, 2), MARKS.terms[2] + oneLine(call.unpriced_terms, 200)],
    call.provisional && MARKS.provisional,
  ].filter(Boolean);
  const key = JSON.stringify(marks);
  if (node.marksKey === key) return;
  node.marksKey = key;
  node.replaceChildren(...marks.map(newMark));
}

function newMark([sign, word, title, className]) {
  const mark = element("span", { title, className });
  mark.append(`${sign} `, element("span", { content: word, className: "word" }));
  return mark;
}
