"""The page's side of a live view without a notebook: the real module with messages of a real run's follower."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from flytenb.notebook.live.page_controller import PageController
from flytenb.notebook.live.run_widget import page_module, page_style
from tests.browser.lab import Live
from tests.waiting import PATIENCE

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>live</title></head>
<body data-jp-theme-light="true"><main><h1 style="font:600 16px sans-serif">A notebook</h1><div id="root"></div></main>
</body></html>"""

MODEL = """
async ([module, style, state, theme]) => {
  document.body.dataset.jpThemeLight = String(theme !== "dark");
  if (theme === "dark") document.body.style.background = "#111";
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const listeners = {};
  window.sent = [];
  window.model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; for (const l of listeners["change:" + name] ?? []) l(); },
    on: (name, listener) => (listeners[name] ??= []).push(listener),
    off: (name, listener) => { listeners[name] = listeners[name].filter((l) => l !== listener); },
    send: (message) => window.sent.push(message),
    hear: (message) => { for (const l of listeners["msg:custom"] ?? []) l(message); },
  };
  const source = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  window.live = (await import(source)).default;
  window.end = window.live.render({ model: window.model, el: document.getElementById("root") });
}
"""


class Alone(Live):
    """One live view in a page of its own.

    Args:
        page: where it is shown.
        follower: what tells it.
        theme: `light` or `dark`.
        hears: whether the kernel hears the page, as it doesn't while a cell runs in a front end without subshells.
    """

    def __init__(self, page: Page, follower: PageController, *, theme: str = "light", hears: bool = True) -> None:
        super().__init__(page.locator(".ftl").first)
        self.page = page
        self.follower = follower
        self.hears = hears
        self.errors: list[str] = []
        self._outbox: deque[dict[str, Any]] = deque()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.set_content(PAGE)
        self.widget = follower.open()
        self.widget.send = lambda content, buffers=None: self._outbox.append(content)  # type: ignore[method-assign]
        self._seen = {
            name: getattr(self.widget, name) for name in ("frame", "changes", "picture")
        }  # any order may come
        state = json.loads(json.dumps({**self._seen, "about": self.widget.about}))
        page.evaluate(MODEL, [page_module(), page_style(), state, theme])

    def sync(self) -> None:
        """Let both sides hear what the other has said."""
        self.follower.tick()
        for name, seen in list(self._seen.items()):
            value = getattr(self.widget, name)
            if value is not seen:
                self._seen[name] = value
                self.page.evaluate("([name, value]) => window.model.set(name, value)", [name, value])
        while self._outbox:
            self.page.evaluate("message => window.model.hear(message)", self._outbox.popleft())
        for message in self.page.evaluate("() => window.sent.splice(0)"):
            if self.hears:
                self.follower._on_message(message)

    def until(self, is_so: Callable[[], bool], seconds: float = PATIENCE) -> Alone:
        """Go on until something is so."""
        deadline = time.monotonic() + seconds
        while True:
            self.sync()
            if is_so():
                return self
            if time.monotonic() > deadline:
                raise AssertionError(f"not so after {seconds} s:\n{self.element.inner_text()}\n{self.errors}")
            time.sleep(0.02)

    def text(self, path: str) -> str:
        """What a node's box says, `""` as long as there is none."""
        return (self.node(path).text_content() or "") if self.node(path).count() else ""

    def phase(self, path: str) -> str | None:
        """The phase that a node is painted in."""
        return self.node(path).get_attribute("data-phase") if self.node(path).count() else None


class Latch:
    """Holds tasks where they are until it is opened, so that a test can look at a run that stands still."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wait(self) -> None:
        """Wait in a task."""
        self._event.wait(PATIENCE)

    def open(self) -> None:
        """Let them go on."""
        self._event.set()

    @property
    def is_open(self) -> bool:
        return self._event.is_set()
