/** The browser's own notifications, for who asked for them here: only while nobody looks at this page. */

import { choose, setting } from "./settings.js";

export const canNotify = "Notification" in window;
export const notifies = () => canNotify && Notification.permission === "granted" && setting("notify") === "on";

/** Turns them on or off; the browser asks the human the first time. Must come of a click. */
export async function toggleNotify() {
  if (notifies()) choose("notify", "off");
  else if ((await Notification.requestPermission()) === "granted") choose("notify", "on");
  return notifies();
}

/** `tag` stands for one thing: a later word about it takes the place of the one before. */
export function notify(tag, title, body, open) {
  if (!notifies() || (!document.hidden && document.hasFocus())) return;
  const shown = new Notification(title, { body, tag });
  shown.addEventListener("click", () => {
    window.focus();
    open();
    shown.close();
  });
}
