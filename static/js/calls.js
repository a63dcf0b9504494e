/** The page of calls: the ledger under the filters of the address, with its sums. */

import { keyed, show, text, withRefs } from "./core/dom.js";
import { count } from "./core/format.js";
import * as store from "./core/store.js";
import { callFilters, chosen, focusFilters } from "./calls/filters.js";
import { keepPlace, remembered, restore } from "./calls/place.js";
import { PAGE, pageAt, read } from "./calls/reading.js";
import { newRow, updateRow } from "./calls/rows.js";
import { showSums } from "./calls/sums.js";
import { CLOSE, WALK, shell } from "./panels/shell.js";

const page = withRefs(document.getElementById("ledger"));
const fault = document.getElementById("fault");
let filters = null;
let calls = [];
let total = 0;
let loading = false;

/** Reads anew for the address: as many rows as the reader had when this entry of the history was left. */
async function open() {
  const wanted = chosen();
  if (JSON.stringify(wanted) === JSON.stringify(filters)) return;
  filters = wanted;
  const place = remembered();
  await begin(Math.max(PAGE, place?.count ?? 0));
  if (filters !== wanted) return;
  if (place) restore(place);
  else scrollTo({ top: 0, behavior: "instant" });
}

async function begin(size) {
  const asked = filters;
  await told(async () => {
    const found = await read(asked, size);
    if (asked !== filters) return;
    ({ calls, total } = found);
    showSums(found.sums, { isCounted: Boolean(asked.received_since) });
    render();
  });
}

/** The next page; where calls came meanwhile, everything anew, so that rows and sums stay of the same calls. */
async function more() {
  if (loading || calls.length >= total) return;
  const asked = filters;
  await told(async () => {
    const next = await pageAt(asked, calls.length);
    if (asked !== filters) return;
    if (next.total !== total) return void (await begin(calls.length + PAGE));
    calls = [...new Map([...calls, ...next.calls].map((call) => [call.id, call])).values()];
    render();
  });
}

async function told(work) {
  loading = true;
  try {
    await work();
    show(fault, false);
  } catch (error) {
    text(fault, `Not loaded: ${error.message}. Reload the page to try again.`);
    show(fault, true);
  } finally {
    loading = false;
  }
}

function render() {
  keyed(page.rows, calls, ({ id }) => id, newRow, updateRow);
  const isFiltered = Object.keys(filters).length > 0;
  show(page.table, total > 0);
  show(page.empty, !total && !isFiltered);
  show(page.nothing, !total && isFiltered);
  show(page.more, calls.length < total);
  text(page.shown, total ? `${count(calls.length)} of ${count(total)} shown, newest first` : "");
}

shell([{ keys: ["/"], words: "To the filters", act: focusFilters }, ...WALK, CLOSE]);
callFilters();
keepPlace(page.rows, () => calls.length);
store.watch(["address"], open);
page.more_button.addEventListener("click", more);
new IntersectionObserver(([seen]) => seen.isIntersecting && more(), { rootMargin: "600px" }).observe(page.more);
