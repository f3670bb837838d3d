// The gates that the run waits for.

class Gates {
  /** One small form for each waiting gate. */
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
      if (gate.kind !== "input") this.tell({ kind: "ask", path: gate.path });
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
      h("span", { class: "ftl-question" }, gate.question),
      ...controls,
      note,
    );
    const form = { element, note, late: 0 };
    return form;
  }

  /** Show the value that a gate asks about, in place of its short form in the question. */
  asked({ path, question, fragments }) {
    const form = this.forms.get(path);
    if (!form || !fragments.length) return;
    form.element.querySelector(".ftl-question").textContent = question;
    form.element.querySelector(".ftl-asked")?.remove();
    form.element.append(h("div", { class: "ftl-asked" }, ...fragments.map(rebuiltHtml)));
  }

  answered({ path, error }) {
    const form = this.forms.get(path);
    if (!form) return;
    clearTimeout(form.late);
    form.note.textContent = error;
  }
}
