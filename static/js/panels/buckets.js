/** Usage rows by hour or day, laid on an axis of time without holes: what has no calls is a gap, not left out. */

import { hourOfDay, longDay } from "../core/format.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MOST_BUCKETS = 92;

/** From the API's rows: [{at, end, isHour, words, row|null}], oldest first. Days begin at the local midnight. */
export function bucketsOf({ group, time, since }, now) {
  const isHour = group === "hour";
  const rows = new Map(time.map((row) => [isHour ? Date.parse(row.key) : localDay(row.key), row]));
  const starts = isHour ? hours(since, now) : days(since, time, now);
  return starts.map((at, index) => {
    const end = starts[index + 1] ?? (isHour ? at + HOUR : nextDay(at));
    const words = isHour ? `${longDay(at)} ${hourOfDay(at)}` : longDay(at);
    return { at, end, isHour, words, row: rows.get(at) ?? null };
  });
}

function hours(since, now) {
  const starts = [];
  for (let at = Date.parse(since); at <= now; at += HOUR) starts.push(at);
  return starts;
}

/** From the start of the range, or of the data when all of it is asked for; the latest ones when it is long. */
function days(since, time, now) {
  const first = since ? Date.parse(since) : time.length ? localDay(time[0].key) : now - 6 * DAY;
  const starts = [];
  for (let at = midnight(Math.max(first, now - MOST_BUCKETS * DAY)); at <= now; at = nextDay(at)) starts.push(at);
  return starts;
}

function localDay(key) {
  const [year, month, day] = key.split("-").map(Number);
  return new Date(year, month - 1, day).getTime();
}

function midnight(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** The next local midnight: a day may have 23 or 25 hours. */
function nextDay(at) {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
}
