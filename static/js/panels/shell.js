/** What every page has: theme, density, keys and the question for a token. */

import { listen, step } from "../core/keys.js";
import { keysSheet, openKeys } from "./keys_sheet.js";
import { preferences, toggleDensity, toggleTheme } from "./preferences.js";
import { tokenPrompt } from "./token.js";

const FIRST = [{ keys: ["?"], words: "This map", act: openKeys }];
export const WALK = [
  { keys: ["j", "ArrowDown"], words: "Next row", act: (press) => step(1, press) },
  { keys: ["k", "ArrowUp"], words: "Row before", act: (press) => step(-1, press) },
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
  tokenPrompt();
  keysSheet(all);
  listen(all);
}
