/** On a phone: which part of the page is shown. */

import * as address from "../core/address.js";
import { attribute } from "../core/dom.js";
import * as store from "../core/store.js";

export function tabbar() {
  const anchors = [...document.querySelectorAll(".tabbar a")];
  for (const anchor of anchors) address.lead(anchor, { show: anchor.dataset.show });
  store.watch(["address"], () => {
    const shown = address.value("show");
    attribute(document.documentElement, "data-show", shown);
    for (const anchor of anchors) attribute(anchor, "aria-current", anchor.dataset.show === shown && "true");
  });
}
