// Mounting: where in the page the view is. An output is a static picture in plain HTML, which the view replaces.

const HERE_EVERY = 20_000; // ms between messages by which the kernel knows that a page is present

const listen = (model, view) => {
  const listeners = {
    "change:picture": () => view.onPicture(),
    "change:frame": () => view.onFrame(),
    "change:changes": () => view.repaint(),
    "msg:custom": (message) => view.onMessage(message),
  };
  for (const name in listeners) {
    const listener = listeners[name];
    model.on(name, (listeners[name] = (message) => (view.heard(), listener(message))));
  }
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
  };
};

/** The views of one run: one in each element of its class, existing or added later. */
class Places {
  constructor(model) {
    this.model = model;
    this.views = new Map();
    this.deaf = new Map();
    this.unwatch = watch(`ft-live-${model.get("key")}`, (element) => this.fill(element));
    this.timer = setInterval(() => this.say("here"), HERE_EVERY);
    this.onLeave = () => this.say("bye");
    window.addEventListener("pagehide", this.onLeave);
  }

  /** Move the view with all its state into an output that was published again. */
  fill(element) {
    const still = [...element.childNodes];
    const left = [...this.views.keys()].find((each) => !each.isConnected);
    let view = this.views.get(left);
    if (view) this.views.delete(left);
    else {
      view = new View(this.model, document.createElement("div"));
      this.deaf.set(view, listen(this.model, view));
    }
    this.views.set(element, view);
    const outputs = element.querySelector(".ft-outputs");
    const place = outputs?.parentElement;
    view.onGone = () => {
      place?.append(outputs);
      element.replaceChildren(...still);
    };
    element.replaceChildren(view.element);
    view.take(outputs);
    view.settle();
    this.say("here");
  }

  say(kind) {
    const view = [...this.views].find(([element]) => element.isConnected)?.[1];
    view?.tell({ kind });
  }

  /** Use the model that the kernel announced again, since the page may have been reloaded. */
  follow(model) {
    if (model.get("about").turn <= this.model.get("about").turn) return;
    this.model = model;
    for (const [view, end] of this.deaf) {
      end();
      this.deaf.set(view, listen(model, view));
      view.follow(model);
    }
    this.say("here");
  }

  end() {
    this.unwatch();
    clearInterval(this.timer);
    window.removeEventListener("pagehide", this.onLeave);
    for (const [view, end] of this.deaf) {
      end();
      view.end();
      if (view.isFinished()) view.onGone();
    }
  }
}

/** Runs by key, shared by the modules of all widgets in the page. */
const known = (document[Symbol.for("flytenb.places")] ??= new Map());

export default {
  /** Called once per widget, which has no output of its own. */
  initialize({ model }) {
    const key = model.get("key");
    if (known.has(key)) known.get(key).follow(model);
    else known.set(key, new Places(model));
    return () => {
      if (known.get(key)?.model !== model) return;
      known.get(key).end();
      known.delete(key);
    };
  },

  /** Called where a front end runs a widget's module only for widget outputs. */
  render({ model, el }) {
    const view = new View(model, el);
    const end = listen(model, view);
    return () => {
      end();
      view.end();
    };
  },
};
