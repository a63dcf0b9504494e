/** Sums over the chosen range: usage from the ledger, tools, limits, and what the server says of itself. */

import * as address from "../core/address.js";
import { ask, refresher } from "../core/api.js";
import * as store from "../core/store.js";

const HOUR = 3_600_000;
const STATUS_MS = 15_000;
const DAY = 24 * HOUR;

export const RANGES = {
  "24h": { words: "24 h", group: "hour", ms: DAY },
  "7d": { words: "7 days", group: "day", days: 7 },
  "30d": { words: "30 days", group: "day", days: 30 },
  all: { words: "all time", group: "day" },
};

export const range = () => RANGES[address.value("range")] ?? RANGES["30d"];

/** The first whole UTC hour from a moment on: what the API's periods are made of, in every zone. */
export const wholeHour = (at) => new Date(Math.ceil(at / HOUR) * HOUR).toISOString();

/** Start of the range as ISO text, or null. Days begin at the local midnight. */
export function since() {
  const { ms, days } = range();
  if (ms) return wholeHour(Date.now() - ms + 1);
  if (!days) return null;
  const start = new Date();
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() - days + 1);
  return wholeHour(start.getTime());
}

const usageFilters = () => address.filters(["agent", "project", "branch", "model"]);

/** A row as the panels take it: what it is of as `key`, with no name for none. */
const keyed = (group) => (row) => ({ ...row, key: row[group] ?? "" });

async function loadUsage() {
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const wanted = { ...usageFilters(), since: since() };
  const { group } = range();
  const groups = [group, "model", "project"];
  const answers = await Promise.all(groups.map((group_by) => ask("usage", { ...wanted, tz, group_by })));
  const [time, model, project] = answers.map(({ rows }, index) => rows.map(keyed(groups[index])));
  store.set("usage", { group, wanted, since: wanted.since, time, model, project, total: answers[0].totals });
}

async function loadStats() {
  const { agent_type } = address.filters(["agent"]);
  store.set("stats", await ask("stats", { agent_type, since: since() }));
}

async function loadTools() {
  const { agent_type } = address.filters(["agent"]);
  store.set("tools", (await ask("stats/tools", { agent_type, since: since() })).tools);
}

async function loadStatus() {
  const status = await ask("status");
  store.set("status", status);
  store.set("import", status.import);
}

async function loadOptions() {
  store.set("options", await ask("filter-options"));
}

const usage = refresher("usage", loadUsage, 2000);
const stats = refresher("stats", loadStats, 2000);
const tools = refresher("tools", loadTools, 3000);
const status = refresher("status", loadStatus, 2000);
const options = refresher("options", loadOptions, 5000);

export function reload() {
  for (const each of [usage, stats, tools, status, options]) each.now();
}

/** The range or a filter changed. */
export function reloadSums() {
  for (const each of [usage, stats, tools]) each.now();
}

setInterval(() => status.ask(), STATUS_MS);

let known = null;

/** A `stats` frame says whether anything moved; only then are the sums asked for again. */
export function takeStats(frame) {
  store.set("limits", frame.usage_monitor ?? []);
  store.set("activeSessions", frame.active_sessions);
  const moved = [frame.total_events, frame.total_tokens_in, frame.total_tokens_out, frame.total_cost_usd].join();
  if (moved === known) return;
  known = moved;
  for (const each of [usage, stats, tools, options]) each.ask();
}

/** Between two stats frames: something was stored. */
export function takeEvent() {
  stats.ask();
}
