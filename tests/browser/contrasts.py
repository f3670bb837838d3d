"""Contrast of what axe-core doesn't measure: text and lines of pictures, borders and marks of controls, from a page."""

from __future__ import annotations

from typing import cast

from playwright.sync_api import Page

# Decorative: the border of a card, which surrounds what is seen without it, and the hatching of what is stale.
_MEASURE = """
(selector) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const read = new Map();
  const rgba = (color) => {
    if (!read.has(color)) {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      read.set(color, [r, g, b, a / 255]);
    }
    return read.get(color);
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((part, i) => part * a + below[i] * (1 - a));
  const light = (color) => color.map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const faded = (element, stop) => {
    let share = 1;
    for (let at = element; at && at !== stop; at = at.parentElement) share *= +getComputedStyle(at).opacity;
    return share;
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      layers.push(color);
      if (color[3] === 1) break;
    }
    const isDark = getComputedStyle(document.documentElement).colorScheme !== "light"
      && matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reverse().reduce((below, color) => over(color, below), isDark ? [18, 18, 18] : [255, 255, 255]);
  };
  const below = (element, x, y) => {
    const svg = element.closest("svg");
    let color = ground(svg);
    for (const shape of svg.querySelectorAll("path,rect,circle,polygon")) {
      if (shape === element || !(shape.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
      const look = getComputedStyle(shape), at = shape.getBoundingClientRect();
      if (shape.closest("pattern,defs") || look.fill === "none" || look.fill.startsWith("url")) continue;
      if (x < at.left || x > at.right || y < at.top || y > at.bottom) continue;
      const [r, g, b, a] = rgba(look.fill);
      color = over([r, g, b, a * look.fillOpacity * faded(shape, svg)], color);
    }
    return color;
  };
  const found = new Map();
  let measured = 0;
  const note = (kind, least, color, share, back, element, text) => {
    measured += 1;
    const value = ratio(over([...color.slice(0, 3), color[3] * share], back), back);
    if (value >= least - 0.005) return;
    const holder = element.closest("[data-phase]");
    const name = `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}`;
    found.set(`${kind} ${name} ${holder?.dataset.phase ?? ""}: ${value.toFixed(2)} ${text ?? ""}`.trim(), value);
  };
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true })
    && element.getBoundingClientRect().width > 0;
  const own = (element) =>
    [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("");
  for (const root of document.querySelectorAll(selector)) {
    for (const element of root.querySelectorAll("*")) {
      if (!isSeen(element)) continue;
      const look = getComputedStyle(element), at = element.getBoundingClientRect();
      const [x, y] = [(at.left + at.right) / 2, (at.top + at.bottom) / 2];
      const svg = element.closest("svg");
      if (svg) {
        if (element === svg || element.closest("pattern,defs") || element.matches(".ft-card")) continue;
        if (/^(text|tspan)$/.test(element.tagName)) {
          const text = own(element);
          if (text.trim())
            note("text", 4.5, rgba(look.fill), look.fillOpacity * faded(element), below(element, x, y), element, text);
        } else if (/^(path|rect|circle|line|polygon|polyline)$/.test(element.tagName)) {
          if (look.stroke !== "none" && !look.stroke.startsWith("url") && parseFloat(look.strokeWidth) > 0)
            note("line", 3, rgba(look.stroke), look.strokeOpacity * faded(element), below(element, x, y), element);
        }
        continue;
      }
      const isOff = element.matches(":disabled,[aria-disabled=true]") || element.closest(":disabled");
      if (!isOff && element.matches("input:not([type=range],[type=checkbox],[type=radio]),button,select,textarea")) {
        if (parseFloat(look.borderTopWidth) > 0 && look.borderTopStyle !== "none")
          note("border", 3, rgba(look.borderTopColor), faded(element), ground(element.parentElement), element);
        if (element.placeholder)
          note("placeholder", 4.5, rgba(getComputedStyle(element, "::placeholder").color), 1, ground(element), element);
      }
      for (const side of ["::before", "::after"]) {
        const mark = getComputedStyle(element, side);
        if (!isOff && /[^"\\s]/.test(mark.content) && !/^(none|normal|counter)/.test(mark.content))
          note("mark", 3, rgba(mark.color), mark.opacity * faded(element), ground(element), element, mark.content);
      }
      if (/^(rgba?|color)/.test(look.color) && !isOff) {
        const text = own(element).trim();
        if (text) note("text", 4.5, rgba(look.color), faded(element), ground(element), element, text.slice(0, 30));
      }
    }
  }
  return { measured, found: [...found.keys()].sort() };
}
"""


def low_contrasts(page: Page, selector: str) -> list[str]:
    """Return what has too little contrast inside the elements: text 4.5, lines, borders and marks 3.

    Raises:
        playwright.sync_api.TimeoutError: if nothing is shown there that can be measured.
    """
    page.wait_for_function(f"selector => ({_MEASURE})(selector).measured > 0", arg=selector)  # a theme may still load
    return cast("list[str]", page.evaluate(_MEASURE, selector)["found"])
