// The sheets: a drawing taken apart, so that what changes is all that a browser does anew.
//
// A browser lays out, paints and records an `svg` as a whole, and each clip or shift in it is one more thing to keep in order.
// So the boxes lie on sheets above the arrows, a few on each, all in the drawing's own coordinates and order; and a box's icon
// is a path of its own instead of a window on the row of all icons.

const PER_SHEET = 16;

/** Return the drawing's layers from below upwards; the first is the drawing itself, with what hardly changes. */
function sheetsOf(svg) {
  const body = svg.querySelector(".ft-body");
  const sheets = [svg];
  if (!body) return sheets;
  for (const mark of body.querySelectorAll("svg.ft-mark")) mark.replaceWith(iconAt(mark));
  svg.querySelector("defs")?.remove();
  body.prepend(webOf(body));
  const above = [...body.children].filter((child) => !child.matches(".ftl-web, .ft-edge, .ft-way"));
  for (let i = 0; i < above.length; i += PER_SHEET) {
    const sheet = svg.cloneNode(false);
    sheet.removeAttribute("id");
    sheet.setAttribute("class", "ft-drawing ftl-sheet");
    const part = body.cloneNode(false);
    part.append(...above.slice(i, i + PER_SHEET));
    sheet.append(part);
    sheets.push(sheet);
  }
  return sheets;
}

/** All arrows as one line, for when they are too small to be told apart: a thousand lines are a thousand things to keep. */
function webOf(body) {
  const web = document.createElementNS(body.namespaceURI, "path");
  web.setAttribute("class", "ft-line ftl-web");
  web.setAttribute("d", [...body.querySelectorAll(".ft-line")].map((line) => line.getAttribute("d")).join(""));
  return web;
}

/** What stands for the window on all icons; `turn` shows one of them. */
function iconAt(mark) {
  const icon = document.createElementNS(mark.namespaceURI, "path");
  icon.setAttribute("class", "ft-mark ft-icon");
  icon.at = [Number(mark.getAttribute("x")), Number(mark.getAttribute("y"))];
  return icon;
}

/** Show an icon by its name; icons know no absolute commands but M, L and H. */
function turn(icon, name) {
  const moved = (_, command, numbers) =>
    command + numbers.trim().split(" ").map((number, i) => (Number(number) + icon.at[i]).toFixed(2)).join(" ");
  icon.setAttribute("d", (ICONS[name] ?? "").replace(/([MLH])([\d. ]+)/g, moved));
}
