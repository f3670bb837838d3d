// The place: where in the page the view stands. An output is a still picture in plain HTML, and the view takes its place.

const listen = (model, view) => {
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
};

/** Put a view into each element of one class, now and whenever one appears; `ends` gets what ends them. */
class Places {
  constructor(model) {
    this.model = model;
    this.views = new Map();
    this.ends = [];
    this.search();
    this.observer = new MutationObserver((records) => records.some(isForeign) && this.search());
    this.observer.observe(document.documentElement, { childList: true, subtree: true });
  }

  search() {
    for (const element of document.getElementsByClassName(`ft-live-${this.model.get("key")}`)) {
      if (!this.views.has(element)) this.fill(element);
    }
  }

  /** The view of an output that was published anew moves with all that its reader has chosen. */
  fill(element) {
    const left = [...this.views.keys()].find((each) => !each.isConnected);
    const view = this.views.get(left) ?? new View(this.model, document.createElement("div"));
    if (left) this.views.delete(left);
    else this.ends.push(listen(this.model, view));
    this.views.set(element, view);
    element.replaceChildren(view.element);
  }

  end() {
    this.observer.disconnect();
    for (const end of this.ends) end();
  }
}

/** Whether something came that isn't a view's own doing. */
const isForeign = ({ addedNodes, target }) => addedNodes.length > 0 && !target.closest?.(".ftl");

export default {
  /** Without an output of the widget's own. */
  initialize({ model }) {
    const places = new Places(model);
    return () => places.end();
  },

  /** Where a front end runs a widget's module only for an output that is the widget. */
  render({ model, el }) {
    return listen(model, new View(model, el));
  },
};
