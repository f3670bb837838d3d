// The inspector: details of one node.

const PATIENCE = 1500; // ms without an answer, after which the kernel is reported as busy (here, in gates.js and in view.js)
const LOG_KEPT = 200_000;
const LINES = 20; // of a log, and members, that are shown at first: the page scrolls, not a part of it

/** State of a node in words; a box with a check mark leaves out that it succeeded. */
const inWords = (phase, caption) => (phase === "SUCCEEDED" && !/succeeded/.test(caption) ? `succeeded · ${caption}` : caption);

class Inspector {
  /** `tell(message)` sends to the kernel, `onGo(path)` shows another node, `onClose()` is called on close. */
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

  /** `isAlone`: the node has a box of its own, whose state is the node's state. */
  open(path, box, name, can, news, isAlone) {
    if (this.path !== null && this.path !== path) this.tell({ kind: "leave", path: this.path });
    this.path = path;
    this.said = undefined;
    this.isWhole = false;
    this.box = box;
    this.isAlone = isAlone;
    this.state.replaceChildren();
    this.element.hidden = false;
    this.title.textContent = name;
    this.toggle.hidden = !can;
    this.toggle.textContent = can ?? "";
    this.body.replaceChildren(h("div", { class: "ftl-wait" }, "…"));
    this.say(news);
    this.ask();
  }

  /** Begin at the top of what can be seen of a tall picture beside it; scroll to what is below the picture. */
  align(pair) {
    this.element.style.marginTop = "";
    let window_ = pair.parentElement;
    const scrolls = (element) =>
      element.scrollHeight > element.clientHeight && /auto|scroll/.test(getComputedStyle(element).overflowY);
    while (window_ && !scrolls(window_)) window_ = window_.parentElement;
    const top = Math.max(0, window_?.getBoundingClientRect().top ?? 0);
    const own = this.element.getBoundingClientRect();
    const isBeside = own.top < pair.firstChild.getBoundingClientRect().bottom;
    if (isBeside && own.top < top) this.element.style.marginTop = `${top - own.top + 8}px`;
    else if (!isBeside) this.title.scrollIntoView({ block: "nearest" });
  }

  /** Request details until the kernel answers: a request sent before the page has a subshell waits for the cell. */
  ask() {
    clearTimeout(this.late);
    if (this.path === null) return;
    if (this.isOver) return this.wait("Disconnected from the kernel: values and log are not available.");
    this.tell({ kind: "look", path: this.path });
    this.late = setTimeout(() => {
      this.wait("The kernel is busy: values and log are shown when it answers.");
      this.ask();
    }, PATIENCE);
  }

  wait(why) {
    const wait = this.body.querySelector(".ftl-wait");
    if (wait) wait.textContent = why;
  }

  /** End the view: no more messages will arrive; what is shown stays. */
  end() {
    this.isOver = true;
    this.ask();
  }

  /** Show the node's state; the details come from the kernel. */
  say(news) {
    if (!news || isSame(this.said, news)) return false;
    const isFirst = this.said === undefined;
    this.said = news;
    if (!this.isAlone) return !isFirst; // the box represents several nodes, and this one may have changed
    const [phase, caption, , , text] = news;
    const isNew = this.phase !== undefined && this.phase !== phase;
    this.phase = phase;
    this.state.replaceChildren(
      h("span", { class: "ftl-phase", "data-phase": phase }, inWords(phase, caption)),
      h("span", { class: "ftl-why" }, text),
    );
    return isNew;
  }

  /** Show the details of the node. */
  fill(details) {
    if (details.path !== this.path) return;
    clearTimeout(this.late);
    this.title.textContent = details.name;
    if (!this.isAlone && details.state) {
      this.state.replaceChildren(h("span", { class: "ftl-phase", "data-phase": details.phase }, details.state));
    }
    const parts = [h("div", { class: "ftl-facts" }, details.facts.join(" · "))];
    parts.push(...details.earlier.map((line) => h("div", { class: "ftl-facts" }, line)));
    if (details.error) this.state.querySelector(".ftl-why")?.remove(); // the error begins with it
    if (details.error) parts.push(this.part("error", h("pre", { class: "ftl-error", tabindex: "0" }, details.error)));
    for (const { title, fragments } of details.values) {
      parts.push(this.part(title, ...fragments.map(rebuiltHtml)));
    }
    if (details.members.length) parts.push(this.part(`${details.members.length} inside`, ...this.members(details.members)));
    this.links = h("div", { class: "ftl-links" });
    this.link(details.links);
    parts.push(this.links);
    this.log = h("pre", { class: "ftl-log", tabindex: "0", "aria-label": "log" });
    this.more = h("button", { class: "ftl-link", type: "button", onclick: () => this.showLog(!this.isWhole) });
    this.logText = details.log;
    this.logSize = details.logSize;
    this.logPart = this.part("log", this.more, this.log);
    this.showLog(this.isWhole);
    parts.push(this.logPart);
    if (details.source.length) {
      const source = h("pre", { class: "ftl-source", tabindex: "0" }, ...this.lines(details));
      parts.push(h("details", { open: details.failedLine > 0 }, h("summary", {}, "source"), source));
    }
    this.body.replaceChildren(...parts);
  }

  /** Show the end of the log, or all of it. */
  showLog(isWhole) {
    this.isWhole = isWhole;
    const lines = this.logText.split("\n");
    const left = lines.length - LINES - (lines[lines.length - 1] ? 0 : 1);
    this.logPart.hidden = !this.logText;
    this.more.hidden = left <= 0;
    this.more.textContent = isWhole ? `show the last ${LINES} lines` : `show ${left} earlier lines`;
    this.log.textContent = isWhole || left <= 0 ? this.logText : lines.slice(left).join("\n");
  }

  part(title, ...children) {
    return h("div", { class: "ftl-part" }, h("div", { class: "ftl-head" }, title), ...children);
  }

  lines({ source, failedLine }) {
    const piece = ([kind, text]) => (kind ? h("span", { class: `ftl-${kind}` }, text) : text);
    return source.map((pieces, i) => {
      const text = [...pieces.map(piece), "\n"];
      return i + 1 === failedLine ? h("mark", { class: "ftl-failed", title: "this line failed" }, ...text) : h("span", {}, ...text);
    });
  }

  link(links) {
    const anchor = ([name, href]) => h("a", { class: "ftl-link", href, target: "_blank", rel: "noopener noreferrer" }, name);
    this.links.replaceChildren(...links.flatMap((link) => [anchor(link), " "]));
  }

  members(members) {
    const row = ([path, name, caption]) =>
      h(
        "li",
        {},
        h("button", { class: "ftl-link", type: "button", onclick: () => this.onGo(path) }, name),
        h("span", { class: "ftl-dim" }, ` ${path} · ${caption}`),
      );
    const list = (some) => h("ul", { class: "ftl-members" }, ...some.map(row));
    const rest = members.slice(LINES);
    const more = rest.length ? [h("details", {}, h("summary", {}, `${rest.length} more`), list(rest))] : [];
    return [list(members.slice(0, LINES)), ...more];
  }

  /** Append to the log; request the details again if a piece before it is missing. */
  append({ path, from, text, links }) {
    if (path !== this.path || !this.log) return;
    if (from !== this.logSize) return this.ask();
    this.link(links);
    this.logSize += text.length;
    this.logText += text;
    if (this.logText.length > LOG_KEPT) this.logText = this.logText.slice(-LOG_KEPT / 2);
    this.showLog(this.isWhole);
  }

  close() {
    if (this.path !== null) this.tell({ kind: "leave", path: this.path });
    clearTimeout(this.late);
    this.path = null;
    this.phase = this.said = undefined;
    this.element.hidden = true;
  }
}
