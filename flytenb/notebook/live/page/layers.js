// Layers: a drawing split up, so that the browser repaints only what changes.
//
// A browser lays out and paints an `svg` as a whole, and each clip or transform in it costs extra. The boxes are therefore
// placed on layers above the arrows, a few on each, in the drawing's own coordinates and order.

const PER_LAYER = 16;

/** Return the drawing's layers from bottom to top; the first is the drawing itself without its boxes. */
function layersOf(svg) {
  const body = svg.querySelector(".ft-body");
  const layers = [svg];
  if (!body) return layers;
  for (const icon of body.querySelectorAll(".ft-icon")) icon.at = placeOf(icon);
  svg.querySelector("defs")?.remove();
  body.prepend(webOf(body));
  const above = [...body.children].filter((child) => !child.matches(".ftl-web, .ft-ways"));
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

/** The top left corner of an icon that isn't drawn yet: the start of its path. */
function placeOf(icon) {
  return icon.getAttribute("d").slice(1).split(" ").map(Number);
}

/** Show an icon by its name; the icons' only absolute commands are M, L and H. */
function turn(icon, name) {
  const moved = (_, command, numbers) =>
    command + numbers.trim().split(" ").map((number, i) => (Number(number) + icon.at[i]).toFixed(2)).join(" ");
  icon.setAttribute("d", (ICONS[name] ?? "").replace(/([MLH])([\d. ]+)/g, moved));
}
