// Runs before the first paint, so that a chosen theme never flashes. A classic script on purpose.
(() => {
  const root = document.documentElement;
  const read = (name, allowed) => {
    try {
      const value = localStorage.getItem(`agentmonitor.${name}`);
      return allowed.includes(value) ? value : allowed[0];
    } catch {
      return allowed[0];
    }
  };
  root.dataset.theme = read("theme", ["auto", "dark", "light"]);
  root.dataset.density = read("density", ["normal", "compact"]);
  root.dataset.show = new URLSearchParams(location.search).get("show") ?? "agents";
})();
