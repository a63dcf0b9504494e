/**
 * All events, newest first. It follows only at its top and while nobody reads: a scrolled list, a focused or
 * pointed-at row, an open layer and a pause hold it, and a badge counts what waits.
 */

import * as address from "../core/address.js";
import { ask, refresher } from "../core/api.js";
import { attribute, keyed, show, text, withRefs } from "../core/dom.js";
import { count, plural } from "../core/format.js";
import { paint } from "../core/frame.js";
import { topLayer } from "../core/layer.js";
import * as store from "../core/store.js";
import { Feed } from "../data/feed.js";
import { fillActivity } from "../data/sessions.js";
import { eventRow, fillEventRow } from "./event_row.js";

const MOST = Number(document.body.dataset.maxFeed);
const OLDER_PAGE = 100;
const MOST_READ = 2000;
const AT_TOP_PX = 4;
const POINTER_RESTS_MS = 1500;
const MOST_FLASHING = 3; // a few new rows are marked for a moment; a burst is not

const panel = withRefs(document.getElementById("feed"));
const feed = new Feed(MOST);
const loading = refresher("feed", load, 1000);
const completing = refresher("feed", complete, 1000);
let paused = false;
let pointerAt = -Infinity;
let meanwhile = []; // events that came while a page was being loaded
let completed = []; // and those that were completed
let isLoading = false;
let wanted = address.filters();
let rendered = Infinity; // the newest event that was rendered
let flash = false;
// Remembered, since asking the document for each event would bring its style and layout up to date each time.
let atTop = true;
let isFocused = false;

export function feedPanel() {
  panel.pause.addEventListener("click", togglePause);
  panel.badge.addEventListener("click", toTop);
  panel.older_button.addEventListener("click", loadOlder);
  panel.scroll.addEventListener("scroll", onScroll, { passive: true });
  panel.rows.addEventListener("pointermove", () => (pointerAt = performance.now()), { passive: true });
  panel.rows.addEventListener("pointerleave", () => {
    pointerAt = -Infinity;
    followSoon();
  });
  panel.rows.addEventListener("focusin", () => (isFocused = true));
  panel.rows.addEventListener("focusout", () => {
    isFocused = false;
    followSoon();
  });
  store.watch(["address"], onAddress);
  store.watch(["feed"], render);
  store.watch(["layers"], followSoon);
}

export const reloadFeed = () => loading.now();

function onAddress() {
  const next = address.filters();
  if (JSON.stringify(next) === JSON.stringify(wanted)) return;
  wanted = next;
  scrollToTop();
  loading.now();
}

async function load() {
  isLoading = true;
  meanwhile = [];
  completed = [];
  try {
    const asked = wanted;
    const { events, total } = await ask("events", { ...asked, limit: MOST });
    if (asked !== wanted) return; // the filters changed meanwhile; another load is on its way
    feed.load(events, total);
    rendered = feed.newest;
    for (const event of meanwhile) feed.take(event, isHeld());
    for (const event of completed) feed.complete(event);
    fillActivity(events);
    store.set("feedLoaded", true);
    store.touch("feed");
  } finally {
    isLoading = false;
    meanwhile = [];
    completed = [];
  }
}

async function complete() {
  const { events } = await ask("events", { ...wanted, limit: MOST });
  for (const event of events) feed.complete(event);
  store.touch("feed");
}

/** After a break of the stream: what was completed meanwhile is shown, and nothing moves. */
export const catchUp = () => completing.now();

/** An event of the stream. */
export function takeEvent(event) {
  if (!address.takes(event, wanted)) return;
  if (isLoading) meanwhile.push(event);
  if (feed.take(event, isHeld())) store.touch("feed");
}

/** A row that is shown stays, also where its event passes the filters no longer. */
export function completeEvent(event) {
  if (isLoading) completed.push(event);
  if (feed.complete(event)) store.touch("feed");
}

function onScroll() {
  atTop = panel.scroll.scrollTop <= AT_TOP_PX;
  if (atTop) followSoon();
}

function scrollToTop() {
  panel.scroll.scrollTop = 0;
  atTop = true;
}

function isHeld() {
  const pointed = performance.now() - pointerAt < POINTER_RESTS_MS;
  return paused || pointed || !atTop || topLayer() !== null || isFocused;
}

/** Shows what waited, once nobody reads any more. */
function followSoon() {
  paint(() => {
    if (!isHeld()) release();
  });
}

function release() {
  if (!feed.waitingCount && feed.shown.length <= MOST) return;
  feed.release();
  store.touch("feed");
}

function toTop() {
  pointerAt = -Infinity;
  if (isFocused) panel.scroll.focus({ preventScroll: true });
  scrollToTop();
  feed.release();
  store.touch("feed");
}

export function togglePause() {
  paused = !paused;
  attribute(panel.pause, "aria-pressed", String(paused));
  text(panel.pause_word, paused ? "Resume" : "Pause");
  if (!paused) followSoon();
  store.touch("feed");
}

async function loadOlder() {
  panel.older_button.disabled = true;
  try {
    const { events, total } = await ask("events", { ...wanted, limit: OLDER_PAGE, offset: feed.offset });
    feed.older(events);
    feed.total = Math.max(total, feed.offset);
    store.touch("feed");
  } catch (error) {
    store.set("fault:feed", { message: error.message, status: error.status, again: Date.now() });
  }
  panel.older_button.disabled = false;
}

function render() {
  const fresh = feed.shown.findIndex(({ id }) => id <= rendered);
  flash = fresh > 0 && fresh <= MOST_FLASHING;
  keyed(panel.rows, feed.shown, ({ id }) => id, newRow, fillEventRow);
  rendered = feed.newest;
  text(panel.total, store.get("feedLoaded") ? plural(feed.total, "event") : "");
  show(panel.badge, feed.waitingCount > 0);
  text(panel.badge, `${count(feed.waitingCount)} new ↑`);
  show(panel.older, feed.offset < feed.total && feed.shown.length < MOST_READ);
  const nothing = store.get("feedLoaded") === true && !feed.shown.length;
  show(panel.nothing, nothing);
  if (nothing) text(panel.nothing, Object.keys(wanted).length ? "No event passes these filters." : "No events yet.");
  if (feed.waitingCount) setTimeout(followSoon, POINTER_RESTS_MS);
}

function newRow(event) {
  const row = eventRow(event);
  if (flash && event.id > rendered) row.link.classList.add("arrived");
  return row;
}
