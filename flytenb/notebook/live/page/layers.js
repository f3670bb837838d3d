// Layers: a drawing split up, so that the browser repaints only what changes.
//
// A browser lays out and paints an `svg` as a whole, and each clip or transform in it costs extra. The boxes are therefore
// placed on layers above the arrows, a few on each, in the drawing's own coordinates and order; and the icon of a box is a
// path of its own instead of a window over the row of all icons.

const PER_LAYER = 16;

/** Return the drawing's layers from bottom to top; the first is the drawing itself without its boxes. */
function layersOf(svg) {
  const body = svg.querySelector(".ft-body");
  const layers = [svg];
  if (!body) return layers;
  for (const mark of body.querySelectorAll("svg.ft-mark")) mark.replaceWith(iconAt(mark));
  svg.querySelector("defs")?.remove();
  body.prepend(webOf(body));
  const above = [...body.children].filter((child) => !child.matches(".ftl-web, .ft-edge, .ft-way"));
  for (let i = 0; i < above.length; i += PER_LAYER) {
    const layer = svg.cloneNode(false);
    layer.removeAttribute("id");
    layer.setAttribute("class", "ft-drawing ftl-layer");
    const part = body.cloneNode(false);
    part.append(...above.slice(i, i + PER_LAYER));
    layer.append(part);
    layers.push(layer);
  }
  return layers;
}

/** All arrows as one path, for a zoom at which they can't be distinguished: a thousand paths are slow. */
function webOf(body) {
  const web = document.createElementNS(body.namespaceURI, "path");
  web.setAttribute("class", "ft-line ftl-web");
  web.setAttribute("d", [...body.querySelectorAll(".ft-line")].map((line) => line.getAttribute("d")).join(""));
  return web;
}

/** Replacement of the window over all icons; `turn` shows one of them. */
function iconAt(mark) {
  const icon = document.createElementNS(mark.namespaceURI, "path");
  icon.setAttribute("class", "ft-mark ft-icon");
  icon.at = [Number(mark.getAttribute("x")), Number(mark.getAttribute("y"))];
  return icon;
}

/** Show an icon by its name; the icons' only absolute commands are M, L and H. */
function turn(icon, name) {
  const moved = (_, command, numbers) =>
    command + numbers.trim().split(" ").map((number, i) => (Number(number) + icon.at[i]).toFixed(2)).join(" ");
  icon.setAttribute("d", (ICONS[name] ?? "").replace(/([MLH])([\d. ]+)/g, moved));
}
