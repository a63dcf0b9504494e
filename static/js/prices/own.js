/** Prices of one's own, and taking one back. */

import { send } from "../core/api.js";
import { clone, keyed, show, text, withRefs } from "../core/dom.js";
import { oneLine } from "../core/format.js";
import * as store from "../core/store.js";
import { repriced, tell } from "./say.js";

const panel = withRefs(document.getElementById("own"));

export function own(changed) {
  store.watch(["overrides"], () => render(changed));
}

function render(changed) {
  const overrides = store.get("overrides");
  if (!overrides) return;
  show(panel.table, overrides.length > 0);
  show(panel.nothing, !overrides.length);
  keyed(panel.rows, overrides, ({ id }) => id, () => clone("own-row"), (row, override) => update(row, override, changed));
}

function update(row, override, changed) {
  text(row.model, oneLine(override.model, 200));
  text(row.what, wordsOf(override));
  text(row.from, override.valid_from ?? "always");
  text(row.until, override.valid_until ?? "open");
  text(row.note, oneLine(override.note, 200));
  row.remove.onclick = () => remove(row.remove, override, changed);
  row.remove.onblur = () => text(row.remove, "Remove");
}

/** Asked twice: the first press says what the second does. */
async function remove(button, override, changed) {
  if (button.textContent === "Remove") return text(button, "Really remove?");
  button.disabled = true;
  try {
    const answer = await send("DELETE", `pricing/overrides/${override.id}`);
    tell(`The price of ${oneLine(override.model, 120)} is taken back: ${repriced(answer)}`);
  } catch (error) {
    tell(`Not removed: ${error.message}`);
    button.disabled = false;
  }
  changed();
}

function wordsOf(override) {
  if (override.same_as) return `is ${oneLine(override.same_as, 120)}`;
  if (override.discount_percent !== null) return `${override.discount_percent} % off`;
  const caches = [["read", "cache_read_usd"], ["write 5 min", "cache_write_5m_usd"], ["write 1 h", "cache_write_1h_usd"]]
    .filter(([, field]) => override[field] !== null)
    .map(([name, field]) => `, ${name} $${override[field]}`);
  return `input $${override.input_usd}, output $${override.output_usd}${caches.join("")}`;
}
