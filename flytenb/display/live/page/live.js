// A run that is shown live: the picture, the header, the inspector. Everything that is shown comes from the model's
// `picture`, `frame` and `changes`; what a person does goes to the kernel as messages. Nothing is fetched. Markup that
// comes in is taken apart and rebuilt from lists of what is allowed; text is only ever put in as text.

const SVG = "http://www.w3.org/2000/svg";
const PATIENCE = 1500; // ms without an answer, after which we say that the kernel is busy
const LOG_KEPT = 200_000;
const MOST_HEIGHT = 560;

// --- markup ----------------------------------------------------------------------------------------------------------

const words = (text) => new Set(text.split(" "));
const SVG_TAGS = words("svg g path rect circle text tspan title defs use");
const SVG_ATTRIBUTES = words(
  "class id x y cx cy r rx d width height viewBox transform href textLength lengthAdjust dx text-anchor overflow " +
    "role aria-label aria-hidden data-path data-phase data-cache data-source data-target data-ports",
);
const HTML_TAGS = words(
  "div span p pre code table thead tbody tr th td details summary dl dt dd ul ol li img figure figcaption iframe " +
    "audio video br hr h1 h2 h3 h4 h5 h6 strong em b i blockquote a svg rect path",
);
const HTML_ATTRIBUTES = words(
  "class style width height src alt title scope controls open srcdoc href x y d role aria-label viewBox",
);
const STYLE = /^\s*(--ft-[\w-]+|width|height|max-width)\s*:\s*[\w.% -]+;?\s*$/;

/** Whether an attribute may stay, by its value. */
function isSafe(name, value, tag) {
  if (name === "src") return /^data:(image|audio|video)\//i.test(value);
  if (name === "href") return tag === "use" ? value.startsWith("#") : /^https?:/i.test(value);
  if (name === "style") return STYLE.test(value);
  return name !== "srcdoc" || tag === "iframe";
}

/** Copy an inert node by hand; `prefix` keeps the ids of two views of one picture apart. */
function rebuilt(node, tags, attributes, prefix = "") {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  const tag = node.localName;
  if (node.nodeType !== Node.ELEMENT_NODE || !tags.has(tag)) return null;
  const copy = document.createElementNS(node.namespaceURI, tag);
  for (const { name, value } of node.attributes) {
    if (!attributes.has(name) || !isSafe(name, value, tag)) continue;
    const isName = name === "id" || (tag === "use" && name === "href");
    copy.setAttribute(name, isName ? value.replace(/^#?/, (hash) => hash + prefix) : value);
  }
  if (tag === "iframe") copy.setAttribute("sandbox", "");
  if (tag === "a") copy.setAttribute("rel", "noopener noreferrer");
  for (const child of node.childNodes) {
    const inner = rebuilt(child, tags, attributes, prefix);
    if (inner) copy.append(inner);
  }
  return copy;
}

const parsed = (markup, type) => new DOMParser().parseFromString(markup, type); // runs no script, loads nothing

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

/** Make an element: attributes, listeners (`onclick`), children; text becomes text. */
function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Whether two lists of plain values are equal. */
function isSame(one, other) {
  if (one === undefined) return false;
  for (let i = 0; i < other.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}

const lower = (phase) => phase.toLowerCase().replace("_", " ");

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  const two = (number) => String(number).padStart(2, "0");
  return minutes < 60 ? `${minutes} min ${two(whole % 60)} s` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

// --- the picture: pan, zoom, focus -----------------------------------------------------------------------------------

class Stage {
  /** The drawing in its window. Boxes are found by path; `onOpen(path)` and `onToggle(path)` tell what was asked for. */
  constructor(prefix, onOpen, onToggle, onEscape) {
    this.prefix = prefix;
    this.onOpen = onOpen;
    this.onToggle = onToggle;
    this.canvas = h("div", { class: "ftl-canvas" });
    this.element = h("div", { class: "ftl-stage" }, this.canvas);
    this.boxes = new Map();
    this.arrows = new Map();
    this.painted = new Map();
    this.current = null;
    this.size = [0, 0];
    this.place = { x: 0, y: 0, k: 1 };
    this.isFitted = true;
    this.element.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.element.addEventListener("pointerdown", (event) => this.onGrab(event));
    this.element.addEventListener("dblclick", (event) => this.toggleAt(event));
    this.element.addEventListener("keydown", (event) => this.onKey(event, onEscape));
    this.element.addEventListener("focusin", (event) => this.onFocus(event));
    this.resizing = new ResizeObserver(() => this.isFitted && this.fit());
    this.resizing.observe(this.element);
  }

  /** Show a layout, with what both have in common in its old place. */
  show(picture) {
    const anchor = this.anchor();
    const had = this.current;
    const hadFocus = this.element.contains(document.activeElement);
    this.boxes.clear();
    this.arrows.clear();
    this.painted.clear();
    this.svg = picture.svg ? rebuiltSvg(picture.svg, this.prefix) : null;
    if (!this.svg) {
      this.canvas.replaceChildren(h("pre", { class: "ftl-text" }, picture.text));
      return;
    }
    this.size = [Number(this.svg.getAttribute("width")), Number(this.svg.getAttribute("height"))];
    this.element.style.flexBasis = `${this.size[0]}px`;
    this.svg.setAttribute("role", "group");
    for (const box of this.svg.querySelectorAll(".ft-node[data-path], .ft-cluster[data-path]")) this.prepare(box);
    for (const arrow of this.svg.querySelectorAll(".ft-edge[data-target]")) {
      const target = arrow.getAttribute("data-target");
      this.arrows.set(target, [...(this.arrows.get(target) ?? []), arrow]);
    }
    this.canvas.replaceChildren(this.svg);
    this.aim(this.boxes.get(had?.path) ?? this.boxes.values().next().value ?? null);
    if (hadFocus) this.current?.element.focus({ preventScroll: true });
    if (this.isFitted || !anchor) this.fit();
    else this.hold(anchor);
  }

  prepare(element) {
    const path = element.getAttribute("data-path");
    if (path.split("/").pop().startsWith("@") && !path.includes("@folded")) {
      if (element.classList.contains("ft-kind-case")) element.setAttribute("role", "img");
      return; // inputs, outputs and constants never run: they are read, not opened
    }
    const name = element.getAttribute("aria-label") ?? path;
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "-1");
    const box = { path, element, name, sub: element.querySelector(":scope > .ft-sub") };
    box.caption = box.sub?.textContent ?? "";
    this.boxes.set(path, box);
  }

  /** Paint one box as the kernel tells it, unless it is painted so. */
  paint(path, news) {
    const box = this.boxes.get(path);
    if (!box || isSame(this.painted.get(path), news)) return;
    this.painted.set(path, news);
    const [phase, caption, isHit, started, text] = news;
    box.started = phase === "RUNNING" ? started : null;
    box.words = caption;
    box.element.setAttribute("data-phase", phase);
    box.element.toggleAttribute("data-cache", false);
    if (isHit) box.element.setAttribute("data-cache", "HIT");
    box.element.setAttribute("aria-label", `${box.name}, ${lower(phase)}${text ? `, ${text}` : ""}`);
    if (box.sub) box.sub.textContent = caption;
    for (const arrow of this.arrows.get(path) ?? []) {
      if (phase === "SKIPPED") arrow.setAttribute("data-phase", phase);
      else arrow.removeAttribute("data-phase");
    }
  }

  /** Let running boxes say for how long they have been running. */
  tick(now) {
    for (const box of this.boxes.values()) {
      if (!box.started || !box.sub || now - box.started < 2) continue;
      box.sub.textContent = `${box.words} · ${clock(now - box.started)}`;
    }
  }

  // Where things are.

  move(place) {
    this.place = place;
    this.canvas.style.transform = `translate(${place.x}px, ${place.y}px) scale(${place.k})`;
  }

  /** Show all of it, no larger than it is drawn. */
  fit() {
    const width = this.element.clientWidth;
    if (!this.size[0] || !width) return;
    const whole = Math.min(1, width / this.size[0]);
    // a drawing is never stretched: what is left of the width is the inspector's
    const height = Math.min(MOST_HEIGHT, this.size[1] * whole);
    this.element.style.height = `${Math.ceil(height)}px`;
    const k = Math.min(whole, height / this.size[1]);
    this.move({ x: Math.max(0, (width - this.size[0] * k) / 2) * (k < whole ? 1 : 0), y: 0, k });
    this.isFitted = true;
  }

  zoom(factor, at = null) {
    const { x, y, k } = this.place;
    const bounds = this.element.getBoundingClientRect();
    const [px, py] = at ? [at.clientX - bounds.left, at.clientY - bounds.top] : [bounds.width / 2, bounds.height / 2];
    const to = Math.min(4, Math.max(0.02, k * factor));
    this.isFitted = false;
    this.move({ x: px - ((px - x) * to) / k, y: py - ((py - y) * to) / k, k: to });
  }

  /** The box in both pictures that a reader looks at: the current one, else one in view. */
  anchor() {
    const box = this.current;
    if (!box || !box.element.isConnected) return null;
    const at = box.element.getBoundingClientRect();
    return { path: box.path, left: at.left, top: at.top };
  }

  hold(anchor) {
    const box = this.boxes.get(anchor.path);
    if (!box) return this.fit();
    this.move(this.place);
    const at = box.element.getBoundingClientRect();
    const { x, y, k } = this.place;
    this.move({ x: x + anchor.left - at.left, y: y + anchor.top - at.top, k });
  }

  /** Bring a box into the window. */
  reveal(box) {
    const window = this.element.getBoundingClientRect();
    const at = box.element.getBoundingClientRect();
    const inside =
      at.left >= window.left && at.right <= window.right && at.top >= window.top && at.bottom <= window.bottom;
    if (inside) return;
    const { x, y, k } = this.place;
    const grown = k < 0.5 ? 0.8 / k : 1;
    const [cx, cy] = [(at.left + at.right) / 2 - window.left, (at.top + at.bottom) / 2 - window.top];
    this.isFitted = false;
    this.move({ x: window.width / 2 - (cx - x) * grown, y: window.height / 2 - (cy - y) * grown, k: k * grown });
  }

  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the notebook scrolls
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), event);
  }

  onGrab(event) {
    if (event.button !== 0) return;
    const from = { x: event.clientX, y: event.clientY, place: this.place };
    const pressed = event.target.closest?.(".ft-node, .ft-cluster");
    let isDrag = false;
    const onMove = (moved) => {
      const [dx, dy] = [moved.clientX - from.x, moved.clientY - from.y];
      if (!isDrag && Math.hypot(dx, dy) < 4) return;
      isDrag = true;
      this.isFitted = false;
      this.element.classList.add("ftl-grabbed");
      this.move({ ...from.place, x: from.place.x + dx, y: from.place.y + dy });
    };
    const onUp = () => {
      window.removeEventListener("pointermove", onMove);
      this.element.classList.remove("ftl-grabbed");
      const box = this.boxes.get(pressed?.getAttribute("data-path"));
      if (!isDrag && box) {
        this.aim(box);
        box.element.focus({ preventScroll: true });
        this.onOpen(box.path);
      }
    };
    window.addEventListener("pointermove", onMove);
    window.addEventListener("pointerup", onUp, { once: true });
  }

  toggleAt(event) {
    const box = this.boxes.get(event.target.closest?.(".ft-node, .ft-cluster")?.getAttribute("data-path"));
    if (box) this.onToggle(box.path);
  }

  // The keyboard: one box at a time can be tabbed to, arrows go to the nearest one in their direction.

  aim(box) {
    this.current?.element.setAttribute("tabindex", "-1");
    this.current = box;
    box?.element.setAttribute("tabindex", "0");
  }

  onFocus(event) {
    const box = this.boxes.get(event.target.closest?.("[data-path]")?.getAttribute("data-path"));
    if (!box) return;
    this.aim(box);
    if (event.target.matches(":focus-visible")) this.reveal(box);
  }

  onKey(event, onEscape) {
    const directions = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };
    const actions = {
      Enter: () => this.current && this.onOpen(this.current.path, true),
      " ": () => this.current && this.onOpen(this.current.path, true),
      o: () => this.current && this.onToggle(this.current.path),
      Escape: onEscape,
      "+": () => this.zoom(1.25),
      "-": () => this.zoom(0.8),
      0: () => this.fit(),
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = directions[event.key];
    if (direction) this.step(direction);
    else if (actions[event.key]) actions[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has keys of its own
  }

  step([dx, dy]) {
    if (!this.current) return;
    const middle = (box) => {
      const at = box.element.getBoundingClientRect();
      return box.element.classList.contains("ft-cluster")
        ? [at.left + 40, at.top + 8]
        : [(at.left + at.right) / 2, (at.top + at.bottom) / 2];
    };
    const [x, y] = middle(this.current);
    let best = null;
    let least = Infinity;
    for (const box of this.boxes.values()) {
      if (box === this.current) continue;
      const [bx, by] = middle(box);
      const along = (bx - x) * dx + (by - y) * dy;
      const across = Math.abs((bx - x) * dy) + Math.abs((by - y) * dx);
      const far = along + 2 * across;
      if (along > 1 && across <= 3 * along && far < least) [best, least] = [box, far];
    }
    if (!best) return;
    this.aim(best);
    best.element.focus({ preventScroll: true });
    this.reveal(best);
  }

  mark(path) {
    for (const box of this.boxes.values()) {
      const isChosen = box.path === path;
      if (box.element.hasAttribute("aria-pressed") !== isChosen) box.element.toggleAttribute("aria-pressed", isChosen);
      if (isChosen) box.element.setAttribute("aria-pressed", "true");
    }
  }

  end() {
    this.resizing.disconnect();
  }
}

// --- the inspector: what is known of one node ------------------------------------------------------------------------

class Inspector {
  /** `tell(message)` goes to the kernel, `onGo(path)` shows another node, `onClose()` is called when it is closed. */
  constructor(id, tell, onGo, onToggle, onClose) {
    this.tell = tell;
    this.onGo = onGo;
    this.onToggle = onToggle;
    this.title = h("div", { class: "ftl-name", tabindex: "-1", id: `${id}-name` });
    this.toggle = h("button", { class: "ftl-button", type: "button", onclick: () => this.onToggle(this.box) });
    const close = h("button", { class: "ftl-button", type: "button", "aria-label": "close", onclick: onClose }, "✕");
    this.state = h("div", { class: "ftl-state" });
    this.body = h("div", { class: "ftl-body" });
    this.element = h(
      "section",
      { class: "ftl-inspector", "aria-labelledby": `${id}-name`, hidden: true },
      h("div", { class: "ftl-bar" }, this.title, this.toggle, close),
      this.state,
      this.body,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      onClose();
    });
    this.path = null;
  }

  open(path, box, name, can, news) {
    if (this.path !== null && this.path !== path) this.tell({ kind: "leave", path: this.path });
    this.path = path;
    this.box = box;
    this.element.hidden = false;
    this.title.textContent = name;
    this.toggle.hidden = !can;
    this.toggle.textContent = can ?? "";
    this.body.replaceChildren(h("div", { class: "ftl-wait" }, "…"));
    this.say(news);
    this.ask();
  }

  /** Ask the kernel until it answers: a message that comes before the page has a subshell waits for the cell. */
  ask() {
    clearTimeout(this.late);
    if (this.path === null) return;
    this.tell({ kind: "look", path: this.path });
    this.late = setTimeout(() => {
      const wait = this.body.querySelector(".ftl-wait");
      if (wait) wait.textContent = "The kernel is busy: values and log come as soon as it answers.";
      this.ask();
    }, PATIENCE);
  }

  /** Show where the node stands; the rest comes from the kernel. */
  say(news) {
    if (!news) return;
    const [phase, caption, , , text] = news;
    const isNew = this.phase !== undefined && this.phase !== phase;
    this.phase = phase;
    this.state.replaceChildren(
      h("span", { class: "ftl-phase", "data-phase": phase }, caption),
      h("span", { class: "ftl-why" }, text),
    );
    return isNew;
  }

  /** Show what the kernel told of the node. */
  fill(details) {
    if (details.path !== this.path) return;
    clearTimeout(this.late);
    this.title.textContent = details.name;
    this.title.title = details.path;
    const parts = [h("div", { class: "ftl-facts" }, details.facts.join(" · "))];
    if (details.error) parts.push(this.part("error", h("pre", { class: "ftl-error", tabindex: "0" }, details.error)));
    for (const { title, fragments } of details.values) {
      parts.push(this.part(title, ...fragments.map(rebuiltHtml)));
    }
    if (details.members.length) parts.push(this.part(`${details.members.length} nodes`, this.members(details.members)));
    this.log = h("pre", { class: "ftl-log", tabindex: "0", "aria-label": "log" }, details.log);
    this.logSize = details.logSize;
    this.logPart = this.part("log", this.log);
    this.logPart.hidden = !details.log;
    parts.push(this.logPart);
    if (details.source) {
      const source = h("pre", { class: "ftl-source", tabindex: "0" }, details.source);
      parts.push(h("details", {}, h("summary", {}, "source"), source));
    }
    this.body.replaceChildren(...parts);
    this.log.scrollTop = this.log.scrollHeight;
  }

  part(title, ...children) {
    return h("div", { class: "ftl-part" }, h("div", { class: "ftl-head" }, title), ...children);
  }

  members(members) {
    const row = ([path, name, caption]) =>
      h(
        "li",
        {},
        h("button", { class: "ftl-link", type: "button", onclick: () => this.onGo(path) }, name),
        h("span", { class: "ftl-dim" }, ` ${path} · ${caption}`),
      );
    return h("ul", { class: "ftl-members" }, ...members.map(row));
  }

  /** More of the log; asked for anew if something before it is missing. */
  append({ path, from, text }) {
    if (path !== this.path || !this.log) return;
    if (from !== this.logSize) return this.ask();
    const isAtEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 30;
    this.logSize += text.length;
    this.logPart.hidden = false;
    this.log.append(text);
    if (this.log.textContent.length > LOG_KEPT) this.log.textContent = this.log.textContent.slice(-LOG_KEPT / 2);
    if (isAtEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  close() {
    if (this.path !== null) this.tell({ kind: "leave", path: this.path });
    clearTimeout(this.late);
    this.path = null;
    this.phase = undefined;
    this.element.hidden = true;
  }
}

// --- gates: what the run waits for -----------------------------------------------------------------------------------

class Gates {
  /** One small form per gate that waits. */
  constructor(tell) {
    this.tell = tell;
    this.element = h("div", { class: "ftl-gates" });
    this.forms = new Map();
  }

  show(gates) {
    const paths = new Set(gates.map((gate) => gate.path));
    for (const [path, form] of this.forms) {
      if (paths.has(path)) continue;
      form.element.remove();
      this.forms.delete(path);
    }
    for (const gate of gates) {
      if (this.forms.has(gate.path)) continue;
      const form = this.form(gate);
      this.forms.set(gate.path, form);
      this.element.append(form.element);
    }
  }

  form(gate) {
    const note = h("span", { class: "ftl-why", role: "status" });
    const answer = (value, isAgain = false) => {
      if (!isAgain) note.textContent = "";
      this.tell({ kind: "answer", path: gate.path, value });
      clearTimeout(form.late);
      form.late = setTimeout(() => {
        note.textContent =
          "No answer from the kernel: it is busy with the cell. Start the run with --background, or give answers=….";
        if (element.isConnected) answer(value, true);
      }, PATIENCE);
    };
    const button = (label, value) =>
      h("button", { class: "ftl-button", type: "button", onclick: () => answer(value()) }, label);
    let controls = [button("approve", () => true), button("reject", () => false)];
    if (gate.kind === "input") {
      const field = h("input", { class: "ftl-field", type: "text", "aria-label": gate.question, placeholder: gate.type });
      field.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.key === "Enter") answer(field.value);
      });
      controls = [field, button("give", () => field.value)];
    }
    const element = h(
      "div",
      { class: "ftl-gate", role: "group", "aria-label": gate.question },
      h("span", {}, gate.question),
      ...controls,
      note,
    );
    const form = { element, note, late: 0 };
    return form;
  }

  answered({ path, error }) {
    const form = this.forms.get(path);
    if (!form) return;
    clearTimeout(form.late);
    form.note.textContent = error;
  }
}

// --- the view --------------------------------------------------------------------------------------------------------

let views = 0;

class View {
  constructor(model, root) {
    this.model = model;
    this.id = `ftl${(views += 1)}`;
    const tell = (message) => model.send(message);
    this.stage = new Stage(
      `${this.id}-`,
      (path, isByKey) => this.open(path, isByKey),
      (path) => tell({ kind: "toggle", path }),
      () => this.close(),
    );
    this.inspector = new Inspector(
      this.id,
      tell,
      (path) => this.open(path, true),
      (path) => tell({ kind: "toggle", path }),
      () => this.close(),
    );
    this.gates = new Gates(tell);
    this.build(tell);
    root.append(this.element);
    this.frameKey = null;
    this.onPicture();
    this.onFrame();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  build(tell) {
    this.phase = h("span", { class: "ftl-phase" });
    this.elapsed = h("span", { class: "ftl-dim" });
    this.counts = h("span", { class: "ftl-dim" });
    this.bar = h("span", { class: "ftl-progress" }, h("span"));
    this.spoken = h("span", { class: "ftl-spoken", "aria-live": "polite" });
    this.notes = h("div", { class: "ftl-notes" });
    this.why = h("div", { class: "ftl-why" });
    const button = (label, text, onclick) =>
      h("button", { class: "ftl-button", type: "button", "aria-label": label, title: label, onclick }, text);
    this.names = h("datalist", { id: `${this.id}-names` });
    this.find = h("input", {
      class: "ftl-field ftl-find",
      type: "search",
      placeholder: "find a node",
      "aria-label": "find a node",
      list: `${this.id}-names`,
      onchange: () => this.seek(this.find.value),
      onkeydown: (event) => event.stopPropagation(),
    });
    this.stop = h("button", { class: "ftl-button ftl-stop", type: "button", onclick: () => this.onStop(tell) }, "■ stop");
    this.leave = button("close the view and leave the picture", "done", () => tell({ kind: "done" }));
    this.element = h(
      "div",
      { class: "ftl", role: "group", "aria-label": `run of ${this.about().name}` },
      h(
        "div",
        { class: "ftl-bar" },
        h("b", {}, this.about().name),
        this.phase,
        this.bar,
        this.elapsed,
        this.counts,
        this.stop,
        h(
          "div",
          { class: "ftl-tools" },
          this.find,
          this.names,
          button("smaller", "−", () => this.stage.zoom(0.8)),
          button("larger", "+", () => this.stage.zoom(1.25)),
          button("fit", "fit", () => this.stage.fit()),
          this.leave,
        ),
      ),
      this.spoken,
      this.why,
      this.gates.element,
      this.notes,
      h("div", { class: "ftl-main" }, this.stage.element, this.inspector.element),
    );
  }

  about() {
    return this.model.get("about");
  }

  // From the kernel.

  onPicture() {
    const picture = this.model.get("picture");
    if (!picture.number) return;
    this.stage.show(picture);
    const found = Object.entries(picture.names).slice(0, 2000);
    this.names.replaceChildren(...found.map(([path, name]) => h("option", { value: path, label: `${name} · ${path}` })));
    const notes = picture.notes.map((note) => h("span", {}, note));
    const isFolded = Object.values(picture.can).includes("open");
    const all = h("button", { class: "ftl-link", type: "button", onclick: () => this.model.send({ kind: "all" }) });
    all.textContent = "open everything";
    this.notes.replaceChildren(...(isFolded ? [...notes.slice(0, 1), all] : []));
    this.frameKey = null; // the frame may have come before its picture
    this.repaint();
    this.mark();
  }

  onFrame() {
    this.frameKey = null;
    this.repaint();
  }

  /** Everything that is known, newest first. */
  news(path) {
    const { frame, changes } = this.told();
    return changes.boxes[path] ?? frame.boxes[path];
  }

  told() {
    const frame = this.model.get("frame");
    const changes = this.model.get("changes");
    const empty = { boxes: {} };
    return { frame: frame.boxes ? frame : empty, changes: changes.key === frame.key ? changes : empty };
  }

  repaint() {
    const { frame, changes } = this.told();
    if (this.frameKey !== frame.key || !frame.key) {
      this.frameKey = frame.key;
      for (const path in frame.boxes) this.stage.paint(path, changes.boxes[path] ?? frame.boxes[path]);
    }
    for (const path in changes.boxes) this.stage.paint(path, changes.boxes[path]);
    const run = changes.run ?? frame.run;
    if (run) this.showRun(run);
    if (this.inspector.path === null) return;
    if (this.inspector.say(this.news(this.inspector.box))) this.inspector.ask();
  }

  showRun(run) {
    if (this.run?.now !== run.now) this.skew = Date.now() / 1000 - run.now;
    const before = this.run?.phase;
    this.run = run;
    const isOn = run.phase === "RUNNING" || run.phase === "QUEUED";
    this.phase.dataset.phase = run.phase;
    this.phase.textContent = lower(run.phase);
    this.counts.textContent = run.counts;
    this.bar.firstChild.style.width = run.total ? `${(100 * run.done) / run.total}%` : "0";
    this.bar.hidden = !isOn;
    this.stop.hidden = !isOn;
    this.leave.hidden = isOn || !this.about().isExplorer;
    this.why.textContent = run.why;
    this.gates.show(run.gates);
    this.tick();
    const asks = run.gates.map((gate) => gate.question).join(", ");
    const words = run.phase === before ? "" : `${this.about().name} ${lower(run.phase)}`;
    if (words || asks !== this.asked) this.spoken.textContent = [words, asks].filter(Boolean).join(", ");
    this.asked = asks;
  }

  onMessage(message) {
    if (message.kind === "details") this.inspector.fill(message);
    else if (message.kind === "log") this.inspector.append(message);
    else if (message.kind === "answered") this.gates.answered(message);
    else if (message.kind === "stopping") clearTimeout(this.stopLate);
  }

  // From the reader.

  tick() {
    if (!this.run?.started) return;
    const now = Date.now() / 1000 - this.skew;
    const isOver = this.run.took !== null;
    this.elapsed.textContent = isOver ? this.run.tookText : clock(now - this.run.started);
    if (!isOver && !document.hidden) this.stage.tick(now);
  }

  open(path, isByKey = false) {
    const picture = this.model.get("picture");
    const box = picture.at[path] ?? path;
    const name = picture.names[path] ?? this.stage.boxes.get(path)?.name ?? path;
    this.inspector.open(path, box, name, picture.can[box] ?? null, this.news(box));
    this.mark();
    if (isByKey) this.inspector.title.focus();
  }

  close() {
    const box = this.stage.boxes.get(this.inspector.box);
    const hadFocus = this.inspector.element.contains(document.activeElement);
    this.inspector.close();
    this.mark();
    if (hadFocus) (box ?? this.stage.current)?.element.focus();
  }

  mark() {
    this.stage.mark(this.inspector.path === null ? null : this.inspector.box);
  }

  seek(text) {
    const { names, at } = this.model.get("picture");
    const wanted = text.trim().toLowerCase();
    if (!wanted) return;
    const paths = Object.keys(names);
    const path =
      paths.find((p) => p.toLowerCase() === wanted) ??
      paths.find((p) => names[p].toLowerCase() === wanted) ??
      paths.find((p) => names[p].toLowerCase().includes(wanted) || p.toLowerCase().includes(wanted));
    this.find.setCustomValidity(path ? "" : "no such node");
    this.find.setAttribute("aria-invalid", String(!path));
    if (!path) return;
    const box = this.stage.boxes.get(at[path] ?? path);
    if (box) {
      this.stage.aim(box);
      this.stage.reveal(box);
    }
    this.open(path);
  }

  onStop(tell, words = "stopping …") {
    this.stop.textContent = words;
    this.stop.disabled = true;
    tell({ kind: "stop" });
    this.stopLate = setTimeout(() => this.onStop(tell, "the kernel is busy: use the notebook's ■"), PATIENCE);
  }

  end() {
    clearInterval(this.timer);
    clearTimeout(this.stopLate);
    this.inspector.close();
    this.stage.end();
  }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    const listeners = {
      "change:picture": () => view.onPicture(),
      "change:frame": () => view.onFrame(),
      "change:changes": () => view.repaint(),
      "msg:custom": (message) => view.onMessage(message),
    };
    for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
      view.end();
    };
  },
};
