/**
 * The feed's rows, newest first, and never more than a bounded number of them. While the feed is held (read,
 * or paused), what comes waits aside, and what is shown stays where it is.
 */

export class Feed {
  constructor(most) {
    this.most = most;
    this.load([], 0);
  }

  /** Replaces everything. Events are newest first. */
  load(events, total) {
    this.shown = events.slice();
    this.waiting = [];
    this.waitingCount = 0;
    this.newest = events.reduce((most, { id }) => Math.max(most, id), 0);
    this.total = total;
  }

  /** One event of the stream, which sends ids in order: a known or older one is a double. True when it was new. */
  take(event, held) {
    if (event.id <= this.newest) return false;
    this.newest = event.id;
    this.total += 1;
    if (!held) {
      this.shown.unshift(event);
      this.#trim(this.shown);
      return true;
    }
    this.waitingCount += 1;
    this.waiting.unshift(event);
    this.#trim(this.waiting);
    return true;
  }

  /** An event that says more now takes the place of the one that is known. True when it is shown. */
  complete(event) {
    for (const rows of [this.shown, this.waiting]) {
      const place = rows.findIndex(({ id }) => id === event.id);
      if (place < 0) continue;
      rows[place] = event;
      return rows === this.shown;
    }
    return false;
  }

  /** What waited is shown. When more came than is kept, the older rows go: no gap in the middle. */
  release() {
    const gap = this.waitingCount > this.waiting.length;
    this.shown = gap ? this.waiting : [...this.waiting, ...this.shown];
    this.waiting = [];
    this.waitingCount = 0;
    this.#trim(this.shown);
  }

  /** Older rows, asked for by the reader; they go again when the feed moves on. */
  older(events) {
    const known = new Set(this.shown.map(({ id }) => id));
    this.shown.push(...events.filter(({ id }) => !known.has(id)));
  }

  /** How many of all matches are newer than the last row shown: where the next older page begins. */
  get offset() {
    return this.waitingCount + this.shown.length;
  }

  #trim(rows) {
    if (rows.length > this.most) rows.length = this.most;
  }
}
