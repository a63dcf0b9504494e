/**
 * Rendering happens with an animation frame, however much arrived since the last: at once after a rest, and a
 * dozen times a second under load, which is all that an eye can follow. In a hidden tab once a second.
 */

const BETWEEN_MS = 80;
const HIDDEN_MS = 1000;
const waiting = new Set();
let scheduled = false;
let last = -Infinity;

/** Runs `render` with the next frame, once. */
export function paint(render) {
  waiting.add(render);
  if (!scheduled) schedule();
}

function schedule() {
  scheduled = true;
  const rest = last + BETWEEN_MS - performance.now();
  if (document.hidden) setTimeout(run, HIDDEN_MS);
  else if (rest > 0) setTimeout(() => requestAnimationFrame(run), rest);
  else requestAnimationFrame(run);
}

function run() {
  if (!scheduled) return;
  scheduled = false;
  last = performance.now();
  const renders = [...waiting];
  waiting.clear();
  for (const render of renders) {
    try {
      render();
    } catch (error) {
      reportError(error); // one panel fails alone
    }
  }
}

document.addEventListener("visibilitychange", () => {
  // A frame asked for while visible never comes in a hidden tab.
  if (document.hidden && scheduled) setTimeout(run, HIDDEN_MS);
});
