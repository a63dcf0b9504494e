/** Asking the server. One error type, one token, and refreshers that never ask twice at once. */

import * as store from "./store.js";

const TOKEN = "agentmonitor.token";

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status; // 0: no answer at all
  }
}

export function authorization() {
  const token = remembered();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function remembered() {
  try {
    return localStorage.getItem(TOKEN);
  } catch {
    return null;
  }
}

export function rememberToken(token) {
  localStorage.setItem(TOKEN, token);
}

/** JSON of `/api/<path>`; parameters that are null are left out. Throws ApiError. */
export function ask(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) query.set(name, value);
  }
  return answer(`/api/${path}${query.size ? `?${query}` : ""}`, {});
}

/** Says something to `/api/<path>`; the answer is JSON. Throws ApiError. */
export function send(method, path, content) {
  const body = content === undefined ? {} : { body: JSON.stringify(content) };
  return answer(`/api/${path}`, { method, ...body }, { "Content-Type": "application/json" });
}

async function answer(url, request, headers = {}) {
  let response;
  try {
    response = await fetch(url, { ...request, headers: { ...headers, ...authorization() } });
  } catch {
    throw new ApiError("the server doesn't answer", 0);
  }
  if (response.status === 401) store.set("denied", true);
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(body?.error ?? `HTTP ${response.status}`, response.status);
  if (body === null) throw new ApiError("the answer is not JSON", response.status);
  return body;
}

export const sessionPath = (id, rest = "") => `sessions/${encodeURIComponent(id)}${rest}`;

const SLOWEST_MS = 30_000;

/**
 * Keeps something fresh: `ask()` loads it soon, at most once in `everyMs`, one load at a time, and in a
 * hidden tab only `whileHidden`. A failure is told under `fault:<name>` and tried again, ever more slowly.
 */
export function refresher(name, load, everyMs, { whileHidden = false } = {}) {
  let timer = null;
  let running = false;
  let wanted = false;
  let last = -Infinity;
  let failures = 0;

  const plan = () => {
    if (timer !== null || running || (document.hidden && !whileHidden)) return;
    const wait = failures ? Math.min(SLOWEST_MS, 1000 * 2 ** failures) : everyMs;
    timer = setTimeout(run, Math.max(0, last + wait - performance.now()));
  };

  const run = async () => {
    clearTimeout(timer);
    timer = null;
    running = true;
    wanted = false;
    try {
      await load();
      failures = 0;
      store.set(`fault:${name}`, null);
    } catch (error) {
      if (!(error instanceof ApiError)) reportError(error);
      failures += 1;
      wanted = true;
      const again = Date.now() + Math.min(SLOWEST_MS, 1000 * 2 ** failures);
      store.set(`fault:${name}`, { message: error.message, status: error.status, again });
    }
    running = false;
    last = performance.now();
    if (wanted) plan();
  };

  document.addEventListener("visibilitychange", () => wanted && plan());
  return {
    ask() {
      wanted = true;
      plan();
    },
    /** At once: the view changed, or the connection came back. */
    now() {
      wanted = true;
      failures = 0;
      last = -Infinity;
      clearTimeout(timer);
      timer = null;
      plan();
    },
  };
}
