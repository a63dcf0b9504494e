/** The pill that says whether this page is live, and when it tries again. */

import { eachSecond } from "../core/clock.js";
import { attribute, text, withRefs } from "../core/dom.js";
import * as store from "../core/store.js";

const WORDS = {
  connecting: { mark: "idle", word: "connecting" },
  live: { mark: "running", word: "live" },
  retrying: { mark: "idle", word: "reconnecting" },
  reconnecting: { mark: "turn", word: "reconnecting" },
  offline: { mark: "error", word: "offline" },
};

export function connection(stream) {
  const pill = withRefs(document.getElementById("connection"));
  const render = () => {
    const { name, retryAt, reason } = store.get("connection") ?? { name: "connecting" };
    const seconds = retryAt ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : null;
    attribute(pill.root, "data-name", name);
    attribute(pill.word, "data-mark", WORDS[name].mark);
    text(pill.word, seconds === null ? WORDS[name].word : `${WORDS[name].word} in ${seconds} s`);
    attribute(pill.root, "title", reason ? `${reason}; click to try now` : "Connection to the server");
  };
  pill.root.addEventListener("click", () => stream.retry());
  store.watch(["connection"], render);
  eachSecond(render);
}
