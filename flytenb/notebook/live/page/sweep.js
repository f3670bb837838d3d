// The table of a sweep is published again and again while its runs go on: what its reader has chosen and opened stays.

class SweepTable {
  constructor(key) {
    this.element = null;
    this.unwatch = watch(`ft-sweep-${key}`, (element) => this.take(element));
  }

  /** Repeat the choices of the element before in the one that replaces it. */
  take(element) {
    const before = this.element ?? element;
    this.element = element;
    const chosen = before.querySelector(".ft-sweep-head input:checked");
    if (chosen) element.querySelector(`.${chosen.className}`).checked = true;
    const were = before.querySelectorAll(".ft-sweep-run");
    element.querySelectorAll(".ft-sweep-run").forEach((line, number) => {
      line.open = were[number].open;
      const inside = were[number].querySelectorAll("details");
      line.querySelectorAll("details").forEach((each, at) => (each.open = inside[at]?.open ?? each.open));
    });
  }
}

export default {
  initialize({ model }) {
    const table = new SweepTable(model.get("key"));
    return () => table.unwatch();
  },
};
