/** A server with a token answers 401 to a page that hasn't it; then the page asks its human, once. */

import { rememberToken } from "../core/api.js";
import { openLayer } from "../core/layer.js";
import * as store from "../core/store.js";

export function tokenPrompt() {
  const dialog = document.getElementById("token-layer");
  const input = document.getElementById("token-input");
  document.getElementById("token-form").addEventListener("submit", () => {
    rememberToken(input.value.trim());
    location.reload();
  });
  store.watch(["denied"], () => store.get("denied") && openLayer(dialog));
}
