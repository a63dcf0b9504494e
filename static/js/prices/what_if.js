/** What the same calls would have cost on another model. */

import { ask } from "../core/api.js";
import { element, show, text } from "../core/dom.js";
import { money, oneLine, plural } from "../core/format.js";
import { callsAddress } from "../core/ledger.js";

const form = document.getElementById("what-if");
const answer = document.getElementById("what-if-answer");
const called = document.getElementById("called-models");

export function whatIf() {
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    compare();
  });
  const fill = ({ models }) => called.replaceChildren(...models.map((value) => element("option", { value })));
  ask("filter-options").then(fill, () => {});
}

async function compare() {
  const { model, called_model: calledModel, since, until } = Object.fromEntries(new FormData(form));
  const wanted = { called_model: calledModel.trim() || null, since: startOf(since), until: endOf(until) };
  show(answer, true);
  try {
    const found = await ask("pricing/what-if", { model, ...wanted });
    const calls = element("a", { className: "figure-link underlined", content: plural(found.calls, "call") });
    calls.href = callsAddress({ model: wanted.called_model, since: wanted.since, until: wanted.until });
    answer.replaceChildren(calls, words(found));
  } catch (error) {
    text(answer, error.message);
  }
}

const startOf = (day) => (day ? new Date(`${day}T00:00:00`).toISOString() : null);
const endOf = (day) => (day ? new Date(`${day}T23:59:59.999`).toISOString() : null);

function words(found) {
  const left = found.calls - found.compared_calls;
  const beside = left ? ` ${plural(left, "call")} without one of the two prices ${left === 1 ? "is" : "are"} left out.` : "";
  return (
    ` cost ${money(found.compared_usd)}; on ${oneLine(found.model, 120)} the same calls would have cost ` +
    `${money(found.with_cache_usd)}, and without any cache ${money(found.without_cache_usd)}.${beside}`
  );
}
