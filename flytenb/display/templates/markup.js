// Markup: foreign markup is rebuilt from allow lists; text is only inserted as text.

const words = (text) => new Set(text.split(" "));
const SVG_TAGS = words("svg g path rect circle text tspan title");
const SVG_ATTRIBUTES = words(
  "class id x y cx cy r rx d width height viewBox transform textLength lengthAdjust dx text-anchor " +
    "fill fill-opacity stroke stroke-width stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity " +
    "font-family font-size font-weight role aria-label aria-hidden data-path data-phase data-cache data-source data-target data-ports",
);
const HTML_TAGS = words(
  "div span p pre code table thead tbody tr th td details summary dl dt dd ul ol li img figure figcaption iframe " +
    "audio video br hr h1 h2 h3 h4 h5 h6 strong em b i blockquote a svg rect path",
);
const HTML_ATTRIBUTES = words(
  "class style width height src alt title scope controls open srcdoc href x y d role aria-label tabindex viewBox",
);
const STYLE = /^\s*(--ft-[\w-]+|width|height|max-width)\s*:\s*[\w.% -]+;?\s*$/;

/** Whether an attribute is allowed, by its value. */
function isSafe(name, value, tag) {
  if (name === "src") return /^data:(image|audio|video)\//i.test(value);
  if (name === "href") return /^https?:/i.test(value);
  if (name === "fill" || name === "stroke") return !value.includes("url");
  if (name === "style") return STYLE.test(value);
  return name !== "srcdoc" || tag === "iframe";
}

/** Copy an inert node; `prefix` keeps the ids of two views of one picture apart. */
function rebuilt(node, tags, attributes, prefix = "") {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  const tag = node.localName;
  if (node.nodeType !== Node.ELEMENT_NODE || !tags.has(tag)) return null;
  const copy = document.createElementNS(node.namespaceURI, tag);
  for (const { name, value } of node.attributes) {
    if (!attributes.has(name) || !isSafe(name, value, tag)) continue;
    copy.setAttribute(name, name === "id" ? prefix + value : value);
  }
  if (tag === "iframe") copy.setAttribute("sandbox", "");
  if (tag === "a") copy.setAttribute("rel", "noopener noreferrer");
  for (const child of node.childNodes) {
    const inner = rebuilt(child, tags, attributes, prefix);
    if (inner) copy.append(inner);
  }
  return copy;
}

const parsed = (markup, type) => new DOMParser().parseFromString(markup, type); // runs no script and loads nothing

function rebuiltSvg(markup, prefix) {
  const root = parsed(markup, "image/svg+xml").documentElement;
  return root.localName === "svg" ? rebuilt(root, SVG_TAGS, SVG_ATTRIBUTES, prefix) : null;
}

function rebuiltHtml(markup) {
  const box = h("div", { class: "ft-show" });
  for (const child of parsed(markup, "text/html").body.childNodes) {
    const copy = rebuilt(child, HTML_TAGS, HTML_ATTRIBUTES);
    if (copy) box.append(copy);
  }
  return box;
}

/** Create an element with attributes, listeners (`onclick`) and children; strings become text nodes. */
function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Set an element's text; does nothing if it is equal, which would still cost a layout. */
function write(element, text) {
  const held = element.firstChild;
  if (held?.nodeType !== Node.TEXT_NODE || held.nextSibling) element.textContent = text;
  else if (held.data !== text) held.data = text;
}

/** Whether two lists of plain values are equal. */
function isSame(one, other) {
  if (one === undefined) return false;
  for (let i = 0; i < other.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}

const lower = (phase) => phase.toLowerCase().replace("_", " ");

/** Return a duration in whole seconds as the kernel writes it. */
function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const parts = [[86400, Infinity, "d"], [3600, 24, "h"], [60, 60, "min"], [1, 60, "s"]];
  const all = parts.map(([size, most, unit]) => [Math.floor(whole / size) % most, unit]);
  const first = all.findIndex(([number]) => number);
  const shown = all.slice(first, first + 2).filter(([number]) => number);
  return shown.map(([number, unit]) => `${number} ${unit}`).join(" ");
}
