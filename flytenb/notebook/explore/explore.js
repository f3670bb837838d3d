// Interactive values: the kernel's markup is rebuilt safely (see markup.js) in place of the static display, and the
// reader's choices are sent back as messages. Nothing is fetched and no script in the markup runs.

const PATIENCE = 1500; // ms without an answer, after which the kernel is reported as busy
const TAGS = new Set([...HTML_TAGS, ...words("button input select option label")]);
const ATTRIBUTES = new Set([
  ...HTML_ATTRIBUTES,
  ...words("type value min max selected placeholder aria-sort aria-expanded aria-disabled"),
  ...words("data-ft-place data-ft-set data-ft-to data-ft-axis"),
]);

/** Identify a control, independent of its value. */
const nameOf = (control) =>
  ["place", "set", "axis", "do"].map((part) => control.getAttribute(`data-ft-${part}`)).join("\n") +
  `\n${control.getAttribute("aria-label") ?? ""}\n${control.type}`.replace(/\d+/g, "");

class Place {
  /** One element of the page that shows the value. */
  constructor(element, model) {
    this.element = element;
    this.model = model;
    this.body = h("div", { class: "ft-explore-body" });
    this.said = h("span", { class: "ft-said", role: "status" });
    this.note = h("span", { class: "ft-fact" });
    const keep = h("button", { type: "button", "data-ft-do": "keep" }, "keep this view");
    keep.title = "keep the current view without controls";
    element.replaceChildren(this.body, h("div", { class: "ft-explore-foot" }, keep, this.note, this.said));
    element.addEventListener("click", (event) => this.onClick(event));
    element.addEventListener("change", (event) => this.onChange(event));
    element.addEventListener("input", (event) => this.onInput(event));
    element.addEventListener("keydown", (event) => this.onKey(event));
    this.show();
  }

  show() {
    clearTimeout(this.waiting);
    this.element.classList.remove("ft-waiting");
    this.note.textContent = "";
    const had = this.element.contains(document.activeElement) ? document.activeElement : null;
    const caret = had && had.type === "search" ? had.selectionStart : null;
    const typed = had && had.type === "search" ? had.value : null;
    const scrolls = [...this.body.querySelectorAll(".ft-scroll")].map((each) => [each.scrollLeft, each.scrollTop]);
    const page = parsed(this.model.get("fragment"), "text/html");
    const kept = [...page.body.childNodes].map((node) => rebuilt(node, TAGS, ATTRIBUTES));
    this.body.replaceChildren(...kept.filter(Boolean));
    [...this.body.querySelectorAll(".ft-scroll")].forEach((each, i) => scrolls[i] && each.scrollTo(...scrolls[i]));
    if (!had || this.element.contains(had)) return;
    const wanted = nameOf(had);
    const again = [...this.body.querySelectorAll("[data-ft-set]")].find((control) => nameOf(control) === wanted);
    again?.focus({ preventScroll: true });
    if (again && caret !== null) {
      again.value = typed; // what was typed while the kernel was searching
      again.setSelectionRange(caret, caret);
    }
    const range = again?.closest(".ft-bar")?.querySelector(".ft-range");
    if (range) this.said.textContent = range.textContent;
  }

  ask(control, to) {
    const part = (name) => control.getAttribute(`data-ft-${name}`);
    this.model.send({ place: part("place"), set: part("set"), to, axis: part("axis"), do: part("do") });
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.element.classList.add("ft-waiting");
      this.note.textContent = "waiting for the kernel";
    }, PATIENCE);
  }

  onClick(event) {
    const button = event.target.closest?.("button");
    if (!button || !this.element.contains(button) || button.getAttribute("aria-disabled") === "true") return;
    this.ask(button, button.getAttribute("data-ft-to"));
  }

  onChange(event) {
    const control = event.target;
    if (control.type === "search" || !control.matches("[data-ft-set]")) return;
    this.ask(control, control.value);
  }

  onInput(event) {
    const control = event.target;
    if (control.type !== "search") return;
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.ask(control, control.value), 250);
  }

  onKey(event) {
    if (event.target.matches("input, select, button")) event.stopPropagation(); // the notebook has its own keyboard shortcuts
  }

  /** End the view: no more messages will arrive; what is shown stays. */
  end() {
    clearTimeout(this.waiting);
    clearTimeout(this.typing);
    for (const control of this.element.querySelectorAll("button, input, select")) control.disabled = true;
    this.note.textContent = "closed: run the cell again to look on";
  }
}

export default {
  /** There is no widget view: elements of the page are found by their class, existing or added later. */
  initialize({ model }) {
    let places = [];
    const unwatch = watch(`ft-explore-${model.get("key")}`, (element) => {
      places = [...places.filter((place) => place.element.isConnected), new Place(element, model)];
    });
    const onFragment = () => places.forEach((place) => place.show());
    model.on("change:fragment", onFragment);
    return () => {
      unwatch();
      model.off("change:fragment", onFragment);
      places.forEach((place) => place.end());
    };
  },
};
