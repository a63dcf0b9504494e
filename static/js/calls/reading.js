/** Reading the ledger: the newest calls under filters, and the sums of all, such that both are of the same calls. */

import { ask } from "../core/api.js";

export const PAGE = 100;
const MOST = 1000;
const ATTEMPTS = 3;

/** The first `count` calls and the sums; asked again when a call came between the two answers. */
export async function read(filters, count) {
  for (let attempt = 1; ; attempt += 1) {
    const [usage, found] = await Promise.all([ask("usage", { ...filters, group_by: "agent_type" }), first(filters, count)]);
    if (usage.totals.calls === found.total || attempt === ATTEMPTS) return { ...found, sums: usage.totals };
  }
}

async function first(filters, count) {
  const calls = [];
  for (;;) {
    const page = await pageAt(filters, calls.length, Math.min(MOST, count - calls.length));
    calls.push(...page.calls);
    if (!page.calls.length || calls.length >= Math.min(count, page.total)) return { calls, total: page.total };
  }
}

export const pageAt = (filters, offset, limit = PAGE) => ask("calls", { ...filters, limit, offset });
