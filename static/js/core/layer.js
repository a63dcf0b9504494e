/** Layers over the page are native dialogs: they trap the focus, close with Esc and give the focus back. */

import * as store from "./store.js";

const open = [];

export function topLayer() {
  return open.at(-1) ?? null;
}

/** Opens a dialog; `onClose` runs however it is closed. */
export function openLayer(dialog, onClose) {
  if (dialog.open) return;
  const before = document.activeElement;
  open.push(dialog);
  store.touch("layers");
  dialog.showModal();
  dialog.addEventListener(
    "close",
    () => {
      open.splice(open.indexOf(dialog), 1);
      store.touch("layers");
      // The browser returns the focus by itself, unless the node was replaced meanwhile.
      if (document.activeElement === document.body) (before.isConnected ? before : twin(before))?.focus();
      onClose?.();
    },
    { once: true },
  );
}

/** The node that took the place of one that is gone: it leads to the same. */
function twin(gone) {
  const href = gone.getAttribute?.("href");
  return href ? document.querySelector(`a[href="${CSS.escape(href)}"]`) : document.querySelector("main");
}

// Browsers may close all layers at once that were opened without a click, as by an address; ours go one by one.
document.addEventListener("keydown", (press) => {
  if (press.key !== "Escape" || !open.length || press.defaultPrevented) return;
  press.preventDefault();
  topLayer().close();
});

/** A click beside the layer and every `[data-close]` in it close it. */
export function closesItself(dialog) {
  dialog.addEventListener("click", (click) => {
    if (click.target === dialog || click.target.closest("[data-close]")) dialog.close();
  });
}
