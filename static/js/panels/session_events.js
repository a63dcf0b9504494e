/** The events of one session, newest first. */

import { ask } from "../core/api.js";
import { keyed, show } from "../core/dom.js";
import { paint } from "../core/frame.js";
import { Feed } from "../data/feed.js";
import { eventRow, fillEventRow } from "./event_row.js";

const PAGE = 200;
const MOST = 2000;

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
    else feed.load(events, total);
    render();
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
    take(event) {
      if (feed.take(event, false)) paint(render);
    },
    complete(event) {
      if (feed.complete(event)) paint(render);
    },
  };
}
