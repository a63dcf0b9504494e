/** The page of prices: models without one, one's own prices, the price book, and what if. */

import { ask } from "./core/api.js";
import { show, text } from "./core/dom.js";
import * as store from "./core/store.js";
import { CLOSE, shell } from "./panels/shell.js";
import { book, fillKnown, focusSearch } from "./prices/book.js";
import { inbox } from "./prices/inbox.js";
import { own } from "./prices/own.js";
import { sayLayer } from "./prices/say.js";
import { whatIf } from "./prices/what_if.js";

const fault = document.getElementById("fault");

async function load() {
  try {
    const [{ models }, { overrides }, { rows }] = await Promise.all([ask("pricing/unknown"), ask("pricing/overrides"), ask("pricing/rows")]);
    fillKnown(rows);
    store.set("unknown", models);
    store.set("overrides", overrides);
    store.set("rows", rows);
    show(fault, false);
  } catch (error) {
    text(fault, `Not loaded: ${error.message}. Reload the page to try again.`);
    show(fault, true);
  }
}

shell([{ keys: ["/"], words: "Search the price book", act: focusSearch }, CLOSE]);
inbox();
sayLayer(load);
own(load);
book();
whatIf();
load();
