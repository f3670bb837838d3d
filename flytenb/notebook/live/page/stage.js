// The stage: the drawing at its natural size, as in the saved picture, with zoom, focus and keyboard navigation.

const MOST_HEIGHT = 6000; // px, above which the stage scrolls vertically; drawings that fold themselves are lower
const SCROLLBAR = 20; // px, at least the height of a horizontal scroll bar
const READABLE = 0.4; // zoom below which letters are smaller than 5 px and aren't painted

// As in the saved picture: letters may be compressed by this share of their width, and a state in less room than
// WHOLE_STATE, and of what progress and attempts need as well, is without the words of its phase, which the mark shows.
const SQUEEZE = 1.2;
const [WHOLE_STATE, PROGRESS, ATTEMPTS] = [90, 22, 60]; // px
const ruler = document.createElement("canvas").getContext("2d");

/** Write the second line of a box with what there is room for: it is shortened, then compressed, then cut. */
function caption(box, more = "") {
  if (!box.sub) return;
  const [text, whole] = [box.words, box.words + more].map((words) => {
    const [, ...rest] = words.split(" · ");
    const has = (pattern) => rest.some((part) => pattern.test(part));
    const needed = WHOLE_STATE + (has(/^\d+\/\d+$/) ? PROGRESS : 0) + (has(/^\d+ attempts$/) ? ATTEMPTS : 0);
    return box.hasWords && box.room < needed && rest.length ? rest.join(" · ") : words;
  });
  ruler.font = box.font ??= `11px ${getComputedStyle(box.sub).fontFamily}`;
  const width = (shown) => ruler.measureText(shown).width;
  let shown = width(whole) > SQUEEZE * box.room ? text : whole;
  while (shown.length > 2 && width(shown) > SQUEEZE * box.room) shown = `${shown.slice(0, -2)}…`;
  const length = width(shown) > box.room ? box.room.toFixed(1) : null;
  if (box.sub.getAttribute("textLength") !== length) {
    if (length === null) box.sub.removeAttribute("textLength");
    else {
      box.sub.setAttribute("textLength", length);
      box.sub.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
  }
  write(box.sub, shown);
}

class Stage {
  /** The drawing in its window. Boxes are found by path; `onOpen(path)` and `onToggle(path)` report clicks. */
  constructor(prefix, onOpen, onToggle, onEscape) {
    this.prefix = prefix;
    this.onOpen = onOpen;
    this.onToggle = onToggle;
    this.canvas = h("div", { class: "ftl-canvas" });
    this.sheet = h("div", { class: "ftl-sheet" }, this.canvas);
    this.element = h("div", { class: "ftl-stage" }, this.sheet);
    this.boxes = new Map();
    this.cases = new Map();
    this.arrows = new Map();
    this.painted = new Map();
    this.current = null;
    this.size = [0, 0];
    this.scale = 1;
    this.element.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.element.addEventListener("pointerdown", (event) => this.onGrab(event));
    this.element.addEventListener("dblclick", (event) => this.toggleAt(event));
    this.element.addEventListener("keydown", (event) => this.onKey(event, onEscape));
    this.element.addEventListener("focusin", (event) => this.onFocus(event));
    this.element.addEventListener("scroll", () => this.onMove());
    this.onMove = () => {};
  }

  /** Show a layout; boxes in both layouts keep their place on the screen. */
  show(picture) {
    const anchor = this.anchor();
    const had = this.current;
    const hadFocus = this.element.contains(document.activeElement);
    this.boxes.clear();
    this.cases.clear();
    this.arrows.clear();
    this.painted.clear();
    const svg = picture.svg ? rebuiltSvg(picture.svg, this.prefix) : null;
    this.canvas.classList.toggle("ftl-flow", !svg);
    this.sheet.removeAttribute("style");
    if (!svg) {
      this.canvas.replaceChildren(h("pre", { class: "ftl-text" }, picture.text));
      return;
    }
    this.size = [Number(svg.getAttribute("width")), Number(svg.getAttribute("height"))];
    this.element.style.maxHeight = `${Math.min(MOST_HEIGHT, this.size[1]) + SCROLLBAR}px`;
    this.canvas.style.setProperty("--ftl-width", `${this.size[0]}px`);
    this.canvas.style.setProperty("--ftl-height", `${this.size[1]}px`);
    this.canvas.setAttribute("role", "group");
    this.canvas.setAttribute("aria-label", svg.getAttribute("aria-label") ?? "");
    svg.removeAttribute("aria-label");
    svg.setAttribute("role", "presentation");
    this.canvas.replaceChildren(...layersOf(svg));
    for (const box of this.canvas.querySelectorAll(".ft-node[data-path], .ft-cluster[data-path]")) this.prepare(box);
    for (const arrow of this.canvas.querySelectorAll(".ft-edge[data-target]")) {
      const target = arrow.getAttribute("data-target");
      this.arrows.set(target, [...(this.arrows.get(target) ?? []), arrow]);
    }
    this.aim(this.boxes.get(had?.path) ?? this.boxes.values().next().value ?? null);
    if (hadFocus) this.current?.element.focus({ preventScroll: true });
    this.resize(this.scale);
    if (anchor) this.hold(anchor);
  }

  prepare(element) {
    const path = element.getAttribute("data-path");
    if (path.split("/").pop().startsWith("@") && !path.includes("@folded")) {
      if (element.classList.contains("ft-kind-case")) {
        element.setAttribute("role", "img");
        this.cases.set(path, element);
      }
      return; // inputs, outputs and constants never run and have no details
    }
    const name = element.getAttribute("aria-label") ?? path;
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "-1");
    const box = { path, element, name, sub: element.querySelector(":scope > .ft-sub") };
    box.icon = element.querySelector(":scope > .ft-icon");
    const isFrame = element.classList.contains("ft-cluster");
    const right = (box.icon?.at?.[0] ?? Infinity) + (isFrame ? -2 : 14); // of the icon, the last thing in its line
    box.room = right - Number(box.sub?.getAttribute("x") ?? 0);
    this.boxes.set(path, box);
  }

  /** Paint the state of one box, if it has changed. */
  paint(path, news) {
    const failing = this.cases.get(path);
    if (failing) {
      failing.setAttribute("data-phase", news[0]);
      this.fade(path, news[0]);
      return;
    }
    const box = this.boxes.get(path);
    if (!box || isSame(this.painted.get(path), news)) return;
    this.painted.set(path, news);
    const [phase, words, source, started, text, hasWords] = news;
    box.started = phase === "RUNNING" ? started : null;
    box.words = words;
    box.hasWords = hasWords;
    box.element.setAttribute("data-phase", phase);
    if (source) box.element.setAttribute("data-cache", source);
    else box.element.removeAttribute("data-cache");
    if (box.icon) turn(box.icon, source || phase);
    const spoken = phase === "ABORTED" ? words : lower(phase); // it was stopped, or did not run
    box.element.setAttribute("aria-label", `${box.name}, ${spoken}${text ? `, ${text}` : ""}`);
    caption(box);
    this.fade(path, phase);
  }

  /** Fade the arrows to a box that was skipped. */
  fade(path, phase) {
    for (const arrow of this.arrows.get(path) ?? []) {
      if (phase === "SKIPPED") arrow.setAttribute("data-phase", phase);
      else arrow.removeAttribute("data-phase");
    }
  }

  /** Update the elapsed time in running boxes. */
  tick(now) {
    for (const box of this.boxes.values()) {
      if (!box.started || !box.sub || now - box.started < 2) continue;
      caption(box, ` · ${clock(now - box.started)}`);
    }
  }

  // Positions: the stage scrolls where the drawing is wider, by itself, by dragging and to what is looked for.

  resize(scale) {
    this.scale = scale;
    this.canvas.classList.toggle("ftl-far", scale < READABLE);
    this.canvas.style.transform = `scale(${scale})`;
    this.sheet.style.width = `${this.size[0] * scale}px`;
    this.sheet.style.height = `${this.size[1] * scale}px`;
    this.element.style.setProperty("--ftl-shown", this.sheet.style.width);
    this.onMove();
  }

  /** Show the whole drawing in the window, at most at its natural size. */
  fit() {
    const [width, height] = this.size;
    if (!width || !this.element.clientWidth) return;
    const room = this.element.parentElement.clientWidth;
    this.resize(Math.min(1, room / width, (0.8 * window.innerHeight) / height));
  }

  zoom(factor, at = null) {
    if (!this.size[0]) return;
    const { element } = this;
    const bounds = element.getBoundingClientRect();
    const [px, py] = at ? [at.clientX - bounds.left, at.clientY - bounds.top] : [bounds.width / 2, bounds.height / 2];
    const to = Math.min(4, Math.max(0.02, this.scale * factor));
    const grown = to / this.scale;
    const [left, top] = [(element.scrollLeft + px) * grown - px, (element.scrollTop + py) * grown - py];
    this.resize(to);
    element.scrollTo(left, top);
  }

  /** A box to keep in place when there is a new layout: the current one. */
  anchor() {
    const box = this.current;
    if (!box || !box.element.isConnected) return null;
    const at = box.element.getBoundingClientRect();
    return { path: box.path, left: at.left, top: at.top };
  }

  hold(anchor) {
    const box = this.boxes.get(anchor.path);
    if (!box) return;
    const at = box.element.getBoundingClientRect();
    this.element.scrollBy(at.left - anchor.left, at.top - anchor.top);
  }

  /** Scroll a box into view, at a size at which it can be read. */
  reveal(box) {
    if (this.scale < 0.5) this.resize(1);
    box.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // without a modifier the notebook scrolls
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), event);
  }

  onGrab(event) {
    if (event.button !== 0) return;
    const from = { x: event.clientX, y: event.clientY, left: this.element.scrollLeft, top: this.element.scrollTop };
    const pressed = event.target.closest?.(".ft-node, .ft-cluster");
    let isDrag = false;
    const onMove = (moved) => {
      const [dx, dy] = [moved.clientX - from.x, moved.clientY - from.y];
      if (!isDrag && Math.hypot(dx, dy) < 4) return;
      isDrag = true;
      if (event.pointerType === "touch") return; // the browser scrolls
      this.element.classList.add("ftl-grabbed");
      this.element.scrollTo(from.left - dx, from.top - dy);
    };
    const onUp = (ended) => {
      window.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", onUp);
      window.removeEventListener("pointercancel", onUp);
      this.element.classList.remove("ftl-grabbed");
      const box = this.boxes.get(pressed?.getAttribute("data-path"));
      if (ended.type === "pointerup" && !isDrag && box) {
        this.aim(box);
        box.element.focus({ preventScroll: true });
        this.onOpen(box.path);
      }
    };
    window.addEventListener("pointermove", onMove);
    window.addEventListener("pointerup", onUp);
    window.addEventListener("pointercancel", onUp);
  }

  toggleAt(event) {
    const box = this.boxes.get(event.target.closest?.(".ft-node, .ft-cluster")?.getAttribute("data-path"));
    if (box) this.onToggle(box.path);
  }

  // Keyboard: one box is in the tab order; arrow keys go to the nearest box in their direction.

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
      0: () => this.zoom(1 / this.scale),
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = directions[event.key];
    if (direction) this.step(direction);
    else if (actions[event.key]) actions[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has its own keyboard shortcuts
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
}
