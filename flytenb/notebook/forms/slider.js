// A range beside a text field: both have the name of the input, and the text is the value.

function render({ model, el }) {
  const range = document.createElement("input");
  const text = document.createElement("input");
  Object.assign(range, { type: "range", min: model.get("low"), max: model.get("high"), step: model.get("step") });
  Object.assign(text, { type: "text", inputMode: "decimal", className: "ft-form-number" });
  const show = () => {
    text.value = model.get("value");
    range.value = text.value;
  };
  const name = () => {
    for (const each of [range, text]) each.setAttribute("aria-label", model.get("description"));
  };
  const send = (value) => {
    model.set("value", value);
    model.save_changes();
  };
  range.addEventListener("input", () => send(range.value));
  text.addEventListener("input", () => send(text.value));
  el.addEventListener("keydown", (event) => event.stopPropagation()); // the notebook has its own keyboard shortcuts
  model.on("change:value", show);
  model.on("change:description", name);
  show();
  name();
  el.classList.add("ft-form-slider");
  el.replaceChildren(range, text);
  return () => {
    model.off("change:value", show);
    model.off("change:description", name);
  };
}

export default { render };
