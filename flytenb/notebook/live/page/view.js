// The view of one run: header, stage, inspector and gates.

let views = 0;
/** Zoom, position and chosen node of the last run in an output, for the next run there. */
const remembered = (document[Symbol.for("flytenb.remembered")] ??= new Map());
const QUIET = 20_000; // ms without a message, after which the clock stops; the kernel sends one at least every 5 s

class View {
  constructor(model, root) {
    this.model = model;
    this.id = `ftl${(views += 1)}`;
    const tell = (message) => this.tell(message);
    this.heard();
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
    this.stage.onMove = () => this.remember();
    this.onPicture();
    this.onFrame();
    this.timer = setInterval(() => this.tick(), 1000);
  }

  build(tell) {
    this.sign = h("span", { class: "ftl-sign", "aria-hidden": "true" });
    this.phase = h("span", { class: "ftl-phase" });
    this.dot = h("span", { class: "ftl-dot", hidden: true }, "· ");
    this.facts = h("span");
    this.bar = h("span", { class: "ftl-progress" }, h("span"));
    this.spoken = h("span", { class: "ftl-spoken", "aria-live": "polite" });
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
    this.all = button("open everything", "open all", () => tell({ kind: "all" }));
    this.all.hidden = true;
    this.leave = button("close the view and keep the picture", "done", () => tell({ kind: "done" }));
    this.side = h("div", { class: "ftl-side" }, this.why, this.gates.element, this.inspector.element);
    this.element = h(
      "div",
      { class: "ftl", role: "group", "aria-label": `run of ${this.about().name}` },
      h(
        "div",
        { class: "ftl-bar" },
        h("b", {}, this.sign, ` ${this.about().name} `, this.phase),
        this.bar,
        // The box of what is said has a fixed size, so that a change doesn't lay out anything else.
        h("span", { class: "ftl-dim ftl-facts-line" }, h("span", { class: "ftl-said" }, this.dot, this.facts)),
        this.stop,
        h(
          "div",
          { class: "ftl-tools" },
          this.find,
          this.names,
          this.all,
          button("smaller", "−", () => this.stage.zoom(0.8)),
          button("larger", "+", () => this.stage.zoom(1.25)),
          button("fit into the window", "fit", () => this.stage.fit()),
          this.leave,
        ),
      ),
      this.spoken,
      (this.main = h("div", { class: "ftl-main" }, (this.pair = h("div", { class: "ftl-pair" }, this.stage.element, this.side)))),
    );
  }

  about() {
    return this.model.get("about");
  }

  /** Use another model of the same run from now on. */
  follow(model) {
    this.model = model;
    this.heard();
    if (model.get("picture").number !== this.number) this.onPicture();
    else this.onFrame();
    this.inspector.ask();
  }

  heard() {
    this.heardAt = Date.now();
  }

  /** Send a message to the kernel; end the view if there is no kernel any more (dead, restarted). */
  tell(message) {
    if (this.isOver) return;
    try {
      this.model.send(message);
    } catch {
      this.end();
    }
  }

  // Messages from the kernel.

  onPicture() {
    const picture = this.model.get("picture");
    if (!picture.number) return;
    this.number = picture.number;
    this.stage.show(picture);
    const found = Object.entries(picture.names).slice(0, 2000);
    this.names.replaceChildren(...found.map(([path, name]) => h("option", { value: path, label: `${name} · ${path}` })));
    this.all.hidden = !Object.values(picture.can).includes("open");
    this.frameKey = null; // the frame may have arrived before its layout
    this.repaint();
    this.mark();
    if (!this.isRestored) requestAnimationFrame(() => this.restore()); // when the view is in the page
  }

  restore() {
    if (this.isRestored) return;
    this.isRestored = true;
    const kept = remembered.get(this.about().memory);
    if (!kept) return;
    this.stage.resize(kept.scale);
    this.settle(kept);
    if (kept.path in this.model.get("picture").names) this.choose(kept.path);
  }

  remember() {
    if (!this.isRestored || this.isOver || !this.element.isConnected) return;
    const { scale, element } = this.stage;
    this.kept = { scale, left: element.scrollLeft, top: element.scrollTop, path: this.inspector.path };
    const { memory } = this.about();
    if (memory) remembered.set(memory, this.kept);
  }

  /** Scroll the stage to where it was: an element that is moved in the page loses its position. */
  settle(kept = this.kept) {
    if (kept) this.stage.element.scrollTo(kept.left, kept.top);
  }

  onFrame() {
    this.frameKey = null;
    this.repaint();
  }

  /** Apply the newest frame and changes. */
  news(path) {
    const { frame, changes } = this.reported();
    return changes.boxes[path] ?? frame.boxes[path];
  }

  reported() {
    const frame = this.model.get("frame");
    const changes = this.model.get("changes");
    const empty = { boxes: {} };
    return { frame: frame.boxes ? frame : empty, changes: changes.key === frame.key ? changes : empty };
  }

  repaint() {
    const { frame, changes } = this.reported();
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
    this.showPhase(run.phase, run.words, run.sign);
    this.bar.firstChild.style.transform = `scaleX(${run.total ? run.done / run.total : 0})`; // unlike a width, a transform needs no layout
    this.bar.hidden = !isOn;
    this.stop.hidden = !isOn;
    this.leave.hidden = isOn || !this.about().isExplorer;
    write(this.why, isOn || this.about().isExplorer ? run.why : ""); // else the card or the error has it
    this.gates.show(run.gates);
    this.arrange();
    this.tick();
    const asks = run.gates.map((gate) => gate.question).join(", ");
    const words = run.phase === before ? "" : `${this.about().name} ${run.words}`;
    if (words || asks !== this.asked) this.spoken.textContent = [words, asks].filter(Boolean).join(", ");
    this.asked = asks;
  }

  showPhase(phase, words, sign) {
    for (const part of [this.phase, this.sign]) if (part.dataset.phase !== phase) part.dataset.phase = phase;
    write(this.phase, words);
    write(this.sign, sign);
  }

  say(facts) {
    this.dot.hidden = !facts;
    write(this.facts, facts);
    if (this.facts.title !== facts) this.facts.title = facts;
  }

  /** Put details and questions beside the picture, which scrolls if there is no room for both. */
  arrange() {
    this.pair.classList.toggle("ftl-busy", this.inspector.path !== null || this.gates.forms.size > 0 || this.why.textContent !== "");
  }

  /** Show the run's outputs, an element of the saved output, beside the picture where there is room. */
  take(outputs) {
    if (outputs) this.main.append(outputs);
  }

  onMessage(message) {
    if (message.kind === "details") this.inspector.fill(message);
    else if (message.kind === "log") this.inspector.append(message);
    else if (message.kind === "asked") this.gates.asked(message);
    else if (message.kind === "answered") this.gates.answered(message);
    else if (message.kind === "stopping") clearTimeout(this.stopLate);
    else if (message.kind === "gone") this.onGone?.();
  }

  // Actions of the reader.

  tick() {
    if (!this.run?.started) return;
    const now = Date.now() / 1000 - this.skew;
    if (this.run.took !== null) return this.say(this.run.facts);
    const silent = Date.now() - this.heardAt;
    if (silent > QUIET) return this.say(`no word from the kernel for ${clock(silent / 1000)}`);
    this.say([clock(now - this.run.started), this.run.facts].join(" · "));
    if (!document.hidden) this.stage.tick(now);
  }

  open(path, isByKey = false) {
    const shown = this.choose(path);
    if (shown) this.stage.reveal(shown);
    this.inspector.align(this.pair);
    if (isByKey) this.inspector.title.focus({ preventScroll: true });
  }

  /** Show the details of a node without scrolling anything; return its box. */
  choose(path) {
    const picture = this.model.get("picture");
    const owner = path.replace(/\/\d+$/, ""); // an element of a map has no box of its own
    const known = path in picture.names ? path : owner;
    const box = picture.at[known] ?? known;
    const name = picture.names[path] ?? this.stage.boxes.get(path)?.name ?? path;
    this.inspector.open(path, box, name === path ? path : `${path} · ${name}`, picture.can[box] ?? null, this.news(box), box === path);
    this.mark();
    this.arrange();
    this.remember();
    return this.stage.boxes.get(box);
  }

  close() {
    const box = this.stage.boxes.get(this.inspector.box);
    const hadFocus = this.inspector.element.contains(document.activeElement);
    this.inspector.close();
    this.arrange();
    this.remember();
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
      paths.find((p) => /^\/\d+$/.test(wanted.slice(p.length)) && wanted.startsWith(p.toLowerCase())) ??
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
    this.open(wanted.startsWith(`${path.toLowerCase()}/`) ? path + wanted.slice(path.length) : path);
  }

  onStop(tell, words = "stopping …") {
    this.stop.textContent = words;
    this.stop.disabled = true;
    tell({ kind: "stop" });
    this.stopLate = setTimeout(() => this.onStop(tell, "the kernel is busy: use the notebook's ■"), PATIENCE);
  }

  isFinished() {
    return this.run !== undefined && this.run.took !== null;
  }

  /** End the view: no more messages will arrive; what is shown stays. */
  end() {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.timer);
    clearTimeout(this.stopLate);
    this.inspector.end();
    for (const control of this.element.querySelectorAll(".ftl-stop, .ftl-gate :is(button, input)")) control.disabled = true;
    if (!this.run || this.isFinished()) return;
    this.showPhase("QUEUED", `was ${this.run.words}`, ""); // grey: unknown
    this.say("disconnected: the last known state is shown");
  }
}
