/**
 * The live stream. Reads server-sent events with fetch, not EventSource, which can't send a token, can't tell
 * why it failed, never notices a connection that died silently, and doesn't say when it will try again.
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const OFFLINE_AFTER = 3;

export class Stream {
  /**
   * `onFrame(message)`, `onState({name, retryAt, reason, refused})`: refused by a server that lives. `silenceMs`
   * without a byte is a dead connection.
   */
  constructor(url, { headers, silenceMs, onFrame, onState }) {
    Object.assign(this, { url, headers, silenceMs, onFrame, onState });
    this.lastId = null;
    this.failures = 0;
    this.waiting = null;
  }

  start() {
    this.#connect();
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => !document.hidden && this.retry());
    addEventListener("pagehide", () => this.abort?.abort("left"));
    addEventListener("pageshow", (shown) => shown.persisted && this.retry());
  }

  /** Now instead of at the end of the wait. Does nothing while connected. */
  retry() {
    if (this.waiting === null) return;
    clearTimeout(this.waiting);
    this.waiting = null;
    this.#connect();
  }

  async #connect() {
    this.onState({ name: this.failures ? "retrying" : "connecting" });
    this.abort = new AbortController();
    let reason = "the server closed the connection";
    let refused = false;
    try {
      const resumed = this.lastId !== null;
      const response = await fetch(this.url, {
        headers: { ...this.headers(), ...(resumed ? { "Last-Event-ID": this.lastId } : {}) },
        cache: "no-store",
        signal: this.abort.signal,
      });
      if (!response.ok) throw new StreamRefused(response.status, await response.json().catch(() => null));
      await this.#read(response.body, resumed);
    } catch (error) {
      refused = error instanceof StreamRefused;
      reason = refused ? error.message : "the server doesn't answer";
    }
    this.#plan(reason, refused);
  }

  #plan(reason, refused) {
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    this.failures += 1;
    const name = this.failures >= OFFLINE_AFTER ? "offline" : "reconnecting";
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.#connect();
    }, wait);
    this.onState({ name, retryAt: Date.now() + wait, reason, refused });
  }

  async #read(body, resumed) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser((message, id) => {
      if (message.type === "connected") {
        this.failures = 0;
        this.onState({ name: "live" });
        message.resumed = resumed;
      }
      this.onFrame(message);
      if (id !== null) this.lastId = id;
    });
    let watchdog = null;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => this.abort.abort("silent"), this.silenceMs);
    };
    try {
      for (alive(); ; alive()) {
        const { done, value } = await reader.read();
        if (done) return;
        parser.push(value);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }
}

class StreamRefused extends Error {
  constructor(status, body) {
    super(body?.error ?? `HTTP ${status}`);
    this.status = status;
  }
}

/** Cuts the stream's text into messages. Each is one `data:` line of JSON, perhaps with an `id:`. */
class Parser {
  constructor(onMessage) {
    this.onMessage = onMessage;
    this.rest = "";
    this.id = null;
    this.content = null;
  }

  push(chunk) {
    const lines = (this.rest + chunk).split("\n");
    this.rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === "") this.#end();
    else if (line.startsWith("data:")) this.content = line.slice(5);
    else if (line.startsWith("id:")) this.id = line.slice(3).trim();
  }

  #end() {
    const { content, id } = this;
    this.content = this.id = null;
    if (content !== null) this.onMessage(JSON.parse(content), id);
  }
}
