/** Addresses of the page of calls: each figure leads to exactly the calls that it is the sum of. */

import { attribute } from "./dom.js";

/** What the page of calls is asked for, by the API's names; what has no value is left out. */
export const FILTERS = [
  "session_id", "agent_type", "model", "project", "branch", "since", "until", "received_since", "unnamed", "unpriced",
];

export function callsAddress(filters) {
  const given = Object.entries(filters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `/calls/?${new URLSearchParams(given)}` : "/calls/";
}

export function leadToCalls(anchor, filters) {
  attribute(anchor, "href", callsAddress(filters));
}

/** Calls whose model, project or branch is this name, or that name none where it is empty. */
export const named = (field, name) => (name ? { [field]: name } : { [field]: null, unnamed: field });

/** All that went in, cached or not. */
export const inputOf = (sums) =>
  sums.input_tokens + sums.cache_read_tokens + sums.cache_write_5m_tokens + sums.cache_write_1h_tokens;
