/** One event as a row of the feed, here and in a session. */

import { lead } from "../core/address.js";
import { describe } from "../core/describe.js";
import { attribute, clone, text } from "../core/dom.js";
import { bothTimes, clockTime, compact, duration, moment, money } from "../core/format.js";
import { showAgent, showPlace } from "./place.js";

export function eventRow(event) {
  const refs = clone("event-row");
  fillEventRow(refs, event);
  return refs;
}

/** A row is filled anew only when a further witness completed its event, which is another object then. */
export function fillEventRow(refs, event) {
  if (refs.event === event) return;
  refs.event = event;
  const { what, detail, failed, warned } = describe(event);
  const at = moment(event.client_timestamp ?? event.created_at);
  const time = clockTime(at);
  text(refs.time, time);
  attribute(refs.time, "title", bothTimes(at));
  showAgent(refs.agent, event.agent_type);
  showPlace(refs, event);
  text(refs.what, what);
  text(refs.detail, detail);
  text(refs.amount, amount(event));
  refs.link.classList.toggle("failed", failed);
  refs.link.classList.toggle("warned", warned);
  refs.link.classList.toggle("dated", time.length > 8);
  attribute(refs.link, "data-type", event.event_type);
  attribute(refs.link, "title", detail);
  lead(refs.link, { session: event.session_id });
}

/** What the event cost, or used, or took: the first that is known. */
function amount(event) {
  const parts = [];
  if (event.duration_ms) parts.push(duration(event.duration_ms));
  const tokens = event.tokens_in + event.tokens_out + event.cache_read_tokens + event.cache_write_tokens;
  if (tokens) parts.push(`${compact(tokens)} tokens`);
  if (event.cost_usd !== null) parts.push(money(event.cost_usd));
  else if (tokens && event.model) parts.push("unpriced");
  return parts.join(" · ");
}
