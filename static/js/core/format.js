/** Values as people read them. Pure. Times are ms since 1970 UTC, money is dollars. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortClock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayNameLong = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const dayNameYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

/** Reads both forms of the API: `2026-11-24 14:46:46` (UTC) and ISO. NaN when it is neither. */
export function moment(value) {
  if (!value) return NaN;
  return Date.parse(value.includes("T") ? value : `${value.replace(" ", "T")}Z`);
}

/** `14:02:11`; with the day when that is not today. */
export function clockTime(at, now = Date.now()) {
  if (Number.isNaN(at)) return "";
  const date = new Date(at);
  if (sameDay(at, now)) return clock.format(date);
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return sameYear ? `${dayName.format(date)} ${shortClock.format(date)}` : dayNameYear.format(date);
}

function sameDay(a, b) {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** For a title: the whole local time with its zone, and UTC. */
export function bothTimes(at) {
  if (Number.isNaN(at)) return "";
  const date = new Date(at);
  const zoneName = zone.formatToParts(date).find((part) => part.type === "timeZoneName").value;
  const local = `${dayNameYear.format(date)}, ${clock.format(date)} ${zoneName}`;
  return zoneName === "UTC" ? local : `${local} · ${utc(at)}`;
}

/** How far the reader's clock is from UTC at a moment: `UTC+05:30`. */
export function zoneOffset(at) {
  const minutes = -new Date(at).getTimezoneOffset();
  const far = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.floor(far / 60))}:${pad(far % 60)}`;
}

export function utc(at) {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** How long since: `38s`, `4m 12s`, `2h 05m`, `3d`. */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (ms < HOUR) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${pad(Math.floor((ms % HOUR) / MINUTE))}m`;
  return `${Math.floor(ms / DAY)}d`;
}

/** Coarser, for lists: `now`, `4 min ago`, `2 h ago`, `3 d ago`. */
export function ago(ms) {
  if (ms < MINUTE) return "now";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  return `${Math.floor(ms / DAY)} d ago`;
}

export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 1000) return `${ms} ms`;
  if (ms < MINUTE) return `${(ms / 1000).toFixed(1)} s`;
  return age(ms);
}

const pad = (number) => String(number).padStart(2, "0");

export const count = (number) => whole.format(number);

/** `950`, `12.3k`, `4.1M`: three digits that matter. */
export function compact(number) {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (number >= size) {
      const value = number / size;
      return `${value >= 100 ? Math.floor(value) : value.toFixed(1)}${unit}`;
    }
  }
  return whole.format(number);
}

/** Small sums keep the digits that matter: `$12.48`, `$0.025`, `$0.0042`, `<$0.0001`. */
export function money(dollars) {
  if (dollars === 0 || dollars >= 1) return `$${cents.format(dollars)}`;
  if (dollars >= 0.01) return `$${dollars.toFixed(3)}`;
  return dollars >= 0.0001 ? `$${dollars.toFixed(4)}` : "<$0.0001";
}

/** A cost that may rest on calls without a price: these are named, never taken for $0. */
export function costOf(dollars, calls, unpriced) {
  if (!unpriced) return money(dollars ?? 0);
  return unpriced >= calls ? "unpriced" : `≥ ${money(dollars)}`;
}

/** The same in words, for a title. */
export function costWords(dollars, calls, unpriced) {
  const priced = `$${dollars ?? 0} for ${plural(calls - unpriced, "priced call")}`;
  return unpriced ? `${priced}; ${plural(unpriced, "call")} of models without a known price` : priced;
}

export function percent(share) {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

export function bytes(number) {
  if (number < 1024) return `${number} B`;
  return number < 1024 ** 2 ? `${(number / 1024).toFixed(0)} kB` : `${(number / 1024 ** 2).toFixed(1)} MB`;
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export const shortDay = (at) => dayName.format(at);
export const longDay = (at) => dayNameLong.format(at);
export const hourOfDay = (at) => shortClock.format(at);

const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Foreign text made visible: control and direction marks as signs that do nothing. */
export function visible(value) {
  return value.replace(CONTROLS, (mark) => {
    const code = mark.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "␡" : `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
  });
}

/** One line of at most `most` characters. */
export function oneLine(value, most = 300) {
  const part = value.slice(0, most * 2).trim().replace(/\s+/g, " ");
  const line = visible(part.slice(0, most));
  return part.length > most || value.length > most * 2 ? `${line}…` : line;
}
