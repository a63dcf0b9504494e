/** The reader's place in the list, kept with the entry of the history: reload and back come to the same rows. */

const SAVE_MS = 150;
const barBottom = () => document.querySelector(".topbar").getBoundingClientRect().bottom;

history.scrollRestoration = "manual";

export const remembered = () => history.state?.place ?? null;

/** Keeps the place of `list` up to date; `count()` is how many rows there are. */
export function keepPlace(list, count) {
  const save = () => history.replaceState({ ...history.state, place: placeIn(list, count()) }, "");
  let timer = null;
  addEventListener("scroll", () => {
    timer ??= setTimeout(() => {
      timer = null;
      save();
    }, SAVE_MS);
  }, { passive: true });
  addEventListener("pagehide", save);
  document.addEventListener("click", save, { capture: true });
}

/** The first row that is seen, how far it is from the top, and the row with the focus. */
function placeIn(list, count) {
  const top = barBottom();
  const row = [...list.querySelectorAll("[data-row]")].find((node) => node.getBoundingClientRect().bottom > top);
  const focused = document.activeElement.closest?.("[data-row]");
  return { count, y: scrollY, row: row?.id, from: row?.getBoundingClientRect().top, focused: focused?.id };
}

export function restore(place) {
  const row = place.row && document.getElementById(place.row);
  scrollTo({ top: row && place.y ? scrollY + row.getBoundingClientRect().top - place.from : place.y, behavior: "instant" });
  if (place.focused) document.getElementById(place.focused)?.focus({ preventScroll: true });
}
