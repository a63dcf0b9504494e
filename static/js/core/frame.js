/** Rendering happens once per animation frame, however much arrived; in a hidden tab once a second. */

const HIDDEN_MS = 1000;
const waiting = new Set();
let scheduled = false;

/** Runs `render` with the next frame, once. */
export function paint(render) {
  waiting.add(render);
  if (!scheduled) schedule();
}

function schedule() {
  scheduled = true;
  if (document.hidden) setTimeout(run, HIDDEN_MS);
  else requestAnimationFrame(run);
}

function run() {
  if (!scheduled) return;
  scheduled = false;
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
