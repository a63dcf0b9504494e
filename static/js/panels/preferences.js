/** Theme and density: one button each, remembered by this browser. */

import { attribute, text, withRefs } from "../core/dom.js";
import { choose, cycle, setting } from "../core/settings.js";

export function toggleTheme() {
  cycle("theme");
  render();
}

export function toggleDensity() {
  choose("density", setting("density") === "compact" ? "normal" : "compact");
  render();
}

function render() {
  const theme = withRefs(document.getElementById("theme"));
  text(theme.name, `Theme: ${setting("theme")}`);
  attribute(theme.root, "title", `Theme: ${setting("theme")} (t)`);
  attribute(document.getElementById("density"), "aria-pressed", String(setting("density") === "compact"));
}

export function preferences() {
  document.getElementById("theme").addEventListener("click", toggleTheme);
  document.getElementById("density").addEventListener("click", toggleDensity);
  render();
}
