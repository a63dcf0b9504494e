/** Bars over time. Each bar is a link to its calls; one is in the tab order, arrows go to the others. */

import { attribute, cssNumber, element, keyed, text } from "../core/dom.js";

const TICK_PX = 72;

/** points: [{key, value, label, tick, unpriced, lead(anchor)}]; `onShow(point)` tells which one is looked at. */
export function bars(plot, points, { form, onShow }) {
  if (!plot.barsOf) build(plot, onShow);
  const { list, lines } = plot.barsOf;
  plot.barsOf.points = points;
  const top = niceTop(Math.max(0, ...points.map(({ value }) => value)));
  keyed(lines, steps(top), ({ at }) => at, gridLine, (line, { value }) => text(line.words, form(value)));
  const every = Math.max(1, Math.ceil((points.length * TICK_PX) / (plot.clientWidth || 400)));
  keyed(list, points, ({ key }) => key, newBar, (bar, point) => {
    const index = points.indexOf(point);
    cssNumber(bar.root, "--share", top ? point.value / top : 0);
    attribute(bar.root, "data-some", point.value > 0 && "true");
    attribute(bar.root, "data-unpriced", point.unpriced > 0 && "true");
    attribute(bar.root, "aria-label", point.label);
    text(bar.tick, (points.length - 1 - index) % every === 0 ? point.tick : "");
    point.lead(bar.root);
  });
  keepOneTabStop(list);
}

function build(plot, onShow) {
  const lines = element("div", { "aria-hidden": "true" });
  const list = element("div", { className: "bars" });
  plot.append(lines, list, element("div", { className: "axis" }));
  plot.barsOf = { list, lines, points: [] };
  const pointOf = (node) => plot.barsOf.points[[...list.children].indexOf(node?.closest?.(".bar"))] ?? null;
  list.addEventListener("pointerover", ({ target }) => onShow(pointOf(target)));
  list.addEventListener("pointerleave", () => onShow(pointOf(document.activeElement)));
  list.addEventListener("focusin", ({ target }) => onShow(pointOf(target)));
  list.addEventListener("focusout", () => onShow(null));
  list.addEventListener("keydown", (press) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[press.key];
    const next = by && (by < 0 ? press.target.previousElementSibling : press.target.nextElementSibling);
    if (!next) return;
    press.preventDefault();
    press.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function newBar() {
  const root = element("a", { className: "bar", tabindex: "-1" });
  const tick = element("span", { className: "tick", "aria-hidden": "true" });
  root.append(tick);
  return { root, tick };
}

function gridLine({ at }) {
  const root = element("div", { className: "grid-line" });
  const words = element("span");
  root.append(words);
  cssNumber(root, "--at", at);
  return { root, words };
}

function keepOneTabStop(list) {
  if (list.querySelector('[tabindex="0"]') || !list.lastElementChild) return;
  list.lastElementChild.tabIndex = 0;
}

/** The least of 1, 2, 2.5, 5, 10 × a power of ten that holds the value. */
function niceTop(value) {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((top) => top >= value);
}

const steps = (top) => (top ? [0.5, 1].map((at) => ({ at, value: top * at })) : []);
