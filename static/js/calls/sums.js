/** The sums of all calls under the filters, exact. */

import { text, attribute, element, keyed } from "../core/dom.js";
import { costOf, costWords, count } from "../core/format.js";
import { inputOf } from "../core/ledger.js";

const list = document.getElementById("sums");

/** `isCounted`: the calls are those of a limit, which counts what no cache held and what came out. */
export function showSums(sums, { isCounted }) {
  keyed(list, figuresOf(sums, isCounted), ({ key }) => key, newFigure, (refs, { words, title }) => {
    text(refs.value, words);
    attribute(refs.value, "title", title);
  });
}

function figuresOf(sums, isCounted) {
  const tokens = [
    ["all_input", "Input", inputOf(sums)],
    ["input", "Uncached", sums.input_tokens],
    ["read", "Cache read", sums.cache_read_tokens],
    ["write5", "Write 5 min", sums.cache_write_5m_tokens],
    ["write1", "Write 1 h", sums.cache_write_1h_tokens],
    ["output", "Output", sums.output_tokens],
    ["reasoning", "of it reasoning", sums.reasoning_tokens],
  ];
  if (isCounted) tokens.push(["counted", "Uncached + output", sums.input_tokens + sums.output_tokens]);
  return [
    { key: "cost", name: "Cost", words: costOf(sums.cost_usd, sums.calls, sums.unpriced_calls), title: costWords(sums.cost_usd, sums.calls, sums.unpriced_calls) },
    { key: "calls", name: "Calls", words: count(sums.calls), title: count(sums.calls) },
    ...(sums.unpriced_calls ? [{ key: "unpriced", name: "Unpriced calls", words: count(sums.unpriced_calls), title: count(sums.unpriced_calls) }] : []),
    ...tokens.map(([key, name, number]) => ({ key, name, words: count(number), title: count(number) })),
  ];
}

function newFigure({ key, name }) {
  const root = element("div", { "data-sum": key });
  const value = element("dd");
  root.append(element("dt", { content: name }), value);
  return { root, value };
}
