/** What every page has: its frame, theme, density, keys and the question for a token. */

import { listen, step } from "../core/keys.js";
import { keysSheet, openKeys } from "./keys_sheet.js";
import { pageFrame } from "./page_frame.js";
import { preferences, toggleDensity, toggleTheme } from "./preferences.js";
import { tokenPrompt } from "./token.js";

const FIRST = [{ keys: ["?"], words: "This map", act: openKeys }];
export const WALK = [
  { keys: ["j", "ArrowDown"], words: "Next row of the list in front", act: (press) => step(1, press), inLayer: true },
  { keys: ["k", "ArrowUp"], words: "Row before", act: (press) => step(-1, press), inLayer: true },
  { keys: ["Enter"], words: "Open the row" },
];
const LAST = [
  { keys: ["t"], words: "Theme: auto, dark, light", act: toggleTheme, inLayer: true },
  { keys: ["c"], words: "Compact rows", act: toggleDensity, inLayer: true },
];

export const CLOSE = { keys: ["Escape"], words: "Close the top layer; the focus goes back" };

/** `keys` are the page's own, between those of every page. */
export function shell(keys) {
  const all = [...FIRST, ...keys, ...LAST];
  preferences();
  pageFrame();
  tokenPrompt();
  keysSheet(all);
  listen(all);
}
