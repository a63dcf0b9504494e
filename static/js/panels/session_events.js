/** The events of one session, newest first. */

import { ask } from "../core/api.js";
import { keyed, show } from "../core/dom.js";
import { paint } from "../core/frame.js";
import { Feed } from "../data/feed.js";
import { eventRow, fillEventRow } from "./event_row.js";

const PAGE = 200;
const MOST = 2000;
const MOST_AT_ONCE = 1000; // the API's own limit

export function sessionEvents(refs) {
  const feed = new Feed(MOST);
  let id = null;

  const render = () => {
    keyed(refs.events, feed.shown, (event) => event.id, eventRow, fillEventRow);
    show(refs.older, feed.offset < feed.total && feed.shown.length < MOST);
  };

  const page = async (offset) => {
    const asked = id;
    const { events, total } = await ask("events", { session_id: asked, limit: PAGE, offset });
    if (asked !== id) return;
    if (offset) feed.older(events);
    else begin(events, total);
    render();
  };

  /** What the stream brought while the page was asked for stays. */
  const begin = (events, total) => {
    const came = feed.shown;
    feed.load(events, total);
    for (const event of came.toReversed()) feed.take(event, false);
  };

  /** Where more came than one page holds, the older rows go: no gap in the middle. */
  const mend = (events, total) => {
    if (events.at(-1)?.id > feed.newest) feed.load(events, total);
    for (const event of events.toReversed()) feed.take(event, false) || feed.complete(event);
    feed.total = total;
  };

  refs.older_button.addEventListener("click", () => page(feed.offset));
  return {
    get count() {
      return feed.shown.length;
    },
    load(wanted) {
      id = wanted;
      feed.load([], 0);
      return page(0);
    },
    /** The stream brings what is new; only what it can't know is asked for. */
    refresh: async () => {},
    /** After a break of the stream: what came, and what was completed, meanwhile. */
    async catchUp() {
      const asked = id;
      const limit = Math.min(MOST_AT_ONCE, Math.max(PAGE, feed.shown.length));
      const { events, total } = await ask("events", { session_id: asked, limit });
      if (asked !== id) return;
      mend(events, total);
      render();
    },
    take(event) {
      if (feed.take(event, false)) paint(render);
    },
    complete(event) {
      if (feed.complete(event)) paint(render);
    },
  };
}
