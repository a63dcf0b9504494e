/** The limits that the providers state themselves, as meters beside one's own. */

import { agent } from "../core/describe.js";
import { attribute, cssNumber, text } from "../core/dom.js";
import { moment } from "../core/format.js";
import { leadToCalls } from "../core/ledger.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** One for each window that has a use; `entries` are those of the usage monitor. */
export function providerWindows(entries) {
  return entries.flatMap((entry) =>
    ["primary", "secondary"]
      .filter((name) => entry.provider && entry[name]?.used_percent !== null && entry[name]?.used_percent !== undefined)
      .map((name) => ({ key: `${entry.provider} ${name}`, ...entry, ...entry[name], reached: entry.forecast?.[name] ?? null })),
  );
}

export function updateProviderLimit(row, limit) {
  const name = `${agent(limit.agent_type).name} quota${limit.window_minutes ? `, ${windowWords(limit.window_minutes)}` : ""}`;
  const resets = limit.resets_at ? moment(limit.resets_at) : null;
  const isPast = resets !== null && resets <= Date.now();
  const share = isPast ? 0 : limit.used_percent / 100;
  text(row.name, name);
  text(row.words, isPast ? "reset since" : wordsOf(limit, resets));
  cssNumber(row.meter, "--share", share);
  attribute(row.meter, "data-level", share >= 1 ? "over" : limit.reached && !isPast ? "high" : null);
  attribute(row.meter, "aria-label", `${name}: used of the limit`);
  attribute(row.meter, "aria-valuemax", 100);
  attribute(row.meter, "aria-valuenow", Math.round(share * 100));
  attribute(row.meter, "aria-valuetext", row.words.textContent);
  attribute(row.link, "title", title(limit, resets, isPast));
  const start = resets !== null && limit.window_minutes && !isPast ? new Date(resets - limit.window_minutes * MINUTE).toISOString() : null;
  if (start) leadToCalls(row.link, { agent_type: limit.agent_type, since: start });
}

function wordsOf({ used_percent, reached }, resets) {
  const used = `${Math.round(used_percent)} %`;
  if (used_percent >= 100) return resets === null ? used : `${used} until ${when(resets)}`;
  return reached ? `${used}, full ${when(moment(reached))}` : used;
}

function title({ updated_at, reached }, resets, isPast) {
  const told = `As told at ${when(moment(updated_at))}.`;
  if (resets === null) return told;
  if (isPast) return `${told} That window ended at ${when(resets)}.`;
  const ahead = reached ? ` At the rate of this window so far it is full at ${when(moment(reached))}.` : "";
  return `${told}${ahead} Resets at ${when(resets)}.`;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const when = (at) => new Date(at).toLocaleString([], Math.abs(at - Date.now()) < DAY ? CLOCK : { weekday: "short", ...CLOCK });
const windowWords = (minutes) => (minutes >= 48 * 60 ? `${Math.round(minutes / 1440)} days` : `${Math.round(minutes / 60)} h`);
