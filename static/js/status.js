/** The page of the server's own state: what it is, and what its hooks cost. Asked for anew every five seconds. */

import { ask } from "./core/api.js";
import { agent } from "./core/describe.js";
import { element, show, text } from "./core/dom.js";
import { bytes, count, duration, oneLine, visible } from "./core/format.js";
import { shell } from "./panels/shell.js";

const EVERY_MS = 5000;
const node = (id) => document.getElementById(id);
const MEASURED_BY = { server: "this server", client: "the client" };

async function load() {
  try {
    render(await ask("status"));
    show(node("fault"), false);
  } catch (error) {
    text(node("fault"), `Not loaded: ${error.message}. It is tried again.`);
    show(node("fault"), true);
  }
}

function render(status) {
  const facts = [
    ["Version", status.version],
    ["Up for", duration(status.uptime * 1000)],
    ["Database", `${visible(status.database.path)}, ${bytes(status.database.size_bytes)}`],
    ["Pages that listen", count(status.sse_clients)],
  ];
  if (status.writer) {
    facts.push(["Stored", `${count(status.writer.events)} events in ${count(status.writer.groups)} transactions`]);
    facts.push(["Refused", `${count(status.writer.overloaded)} while overloaded, ${count(status.writer.unavailable)} while the database was shut`]);
  }
  node("server").replaceChildren(...facts.flatMap(([name, said]) => [element("dt", { content: name }), element("dd", { content: said })]));
  node("hook-rows").replaceChildren(...status.hooks.map(hookRow));
  show(node("hooks"), status.hooks.length > 0);
  show(node("no-hooks"), status.hooks.length === 0);
}

function hookRow(hook) {
  const row = element("tr");
  const words = [agent(hook.client).name, oneLine(hook.hook, 40), MEASURED_BY[hook.measured_by]];
  row.append(...words.map((content) => element("td", { content })));
  const numbers = [count(hook.calls), ms(hook.median_ms), ms(hook.p99_ms), count(hook.failures), hook.measured_by === "server" ? bytes(hook.bytes) : "–"];
  row.append(...numbers.map((content, at) => element("td", { content, className: at === 3 && hook.failures ? "numbers failed" : "numbers" })));
  return row;
}

const ms = (number) => (number === null ? "–" : number < 10 ? `${number.toFixed(1)} ms` : duration(number));

shell([]);
load();
setInterval(() => document.hidden || load(), EVERY_MS);
