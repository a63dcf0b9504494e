/** What this browser remembers: theme, density, single-letter keys, notifications. Storage may be forbidden; then it forgets. */

const CHOICES = { theme: ["auto", "dark", "light"], density: ["normal", "compact"], keys: ["on", "off"], notify: ["off", "on"] };
const root = document.documentElement;
const chosen = {};

export function setting(name) {
  if (chosen[name]) return chosen[name];
  try {
    const stored = localStorage.getItem(`agentmonitor.${name}`);
    return CHOICES[name].includes(stored) ? stored : CHOICES[name][0];
  } catch {
    return CHOICES[name][0];
  }
}

export function choose(name, value) {
  chosen[name] = value;
  root.dataset[name] = value;
  try {
    localStorage.setItem(`agentmonitor.${name}`, value);
  } catch {
    // A browser that stores nothing keeps the choice for as long as the page lives.
  }
}

/** The choice after the present one, round and round. */
export function cycle(name) {
  const all = CHOICES[name];
  choose(name, all[(all.indexOf(setting(name)) + 1) % all.length]);
  return setting(name);
}
