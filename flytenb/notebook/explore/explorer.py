"""Explorer: a value, its reader's selections, and the output that shows both."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython
from IPython.display import display as _display

from flytenb.display.html import style
from flytenb.display.limits import Limits
from flytenb.display.rendering import Rendering
from flytenb.display.selection import Path, Selection, Selections
from flytenb.display.show import show
from flytenb.errors import UsageError, closest
from flytenb.notebook.front_end import has_reader, with_explorer_note
from flytenb.notebook.pages import pages

if TYPE_CHECKING:
    from flytenb.notebook.explore.explorer_widget import ExplorerWidget

display: Any = _display

_LIMITS = Limits(rows=100, columns=21, nodes=1_000, depth=30, html=400_000)
_KEPT_OPEN = 16
_MOST_CHOSEN = 500
"""Most places with a selection."""


class Explorer:
    """Interactive display of a value, which is held until the explorer is closed or replaced by newer ones.

    Its output is a static display, which a saved notebook keeps; a page with widgets makes it interactive.

    Args:
        value: the value. A page of it is read by slicing, and only what the reader requests is fetched.
        declared: its declared type, if any.
        name: its name.
    """

    def __init__(self, value: Any, declared: Any = None, *, name: str = "") -> None:
        self._value = value
        self._declared = declared
        self._name = name
        self._selections: dict[Path, Selection] = {}
        self._widget: ExplorerWidget | None = None
        self._handle: Any = None
        self._final: Rendering | None = None
        self._others = pages.explorers

    def choose(self, *path: str, **selection: Any) -> Explorer:
        """Select what to show, as the controls do, and return the explorer.

        Args:
            *path: place within the value; none for the value itself.
            **selection: `start`, `size`, `left`, `sort`, `is_descending`, `find`, `index`, `is_open`.

        Raises:
            UsageError: if a keyword is unknown.
        """
        known = [f.name for f in fields(Selection)]
        for name in selection:
            if name not in known:
                raise UsageError(f"unexpected argument {name!r}", hint=closest(name, known))
        if len(self._selections) >= _MOST_CHOSEN and path not in self._selections:
            self._selections.pop(next(iter(self._selections)))
        self._selections[path] = replace(self._selections.get(path, Selection()), **selection)
        if self._widget is not None:
            self._widget.fragment = self.live.fragment
        return self

    @property
    def static(self) -> Rendering:
        """The selection without controls; before any selection, the same as `flytenb.show`."""
        if self._final is not None:
            return self._final
        return self._show(is_live=False) if self._selections else show(self._value, self._declared, name=self._name)

    @property
    def live(self) -> Rendering:
        """The selection with controls."""
        return self._show(is_live=True)

    @property
    def has_choice(self) -> bool:
        """Whether there are any controls."""
        return "data-ft-set=" in self.live.fragment

    def close(self, *, keep: bool = True) -> None:
        """Release the value and leave the current selection as a static display."""
        if self._final is not None:
            return
        self._final = self.static
        if self._handle is not None and keep:
            self._handle.update(self._final._repr_mimebundle_(), raw=True)
        if self in self._others:
            self._others.remove(self)
        if self._widget is not None:
            # A reloaded page no longer knows which output to update.
            self._widget.fragment = self._final.fragment
            self._widget.close()
        self._value = self._widget = None

    def open(self, others: deque[Any] | None = None) -> str:
        """Create the widget and return the static display as HTML that it makes interactive.

        Args:
            others: the open explorers, those of outputs by default; the oldest is closed if there are too many.
        """
        from flytenb.notebook.explore.explorer_widget import ExplorerWidget

        static = self.static.fragment
        if self._final is not None:
            return static
        if self._widget is None:
            self._widget = ExplorerWidget(self.handle_message, fragment=self.live.fragment)
            self._others = pages.explorers if others is None else others
            self._others.append(self)
            while len(self._others) > _KEPT_OPEN:
                self._others[0].close(keep=False)
        # A class, since pages that sanitise HTML keep classes but not data attributes.
        return f'<div class="ft-explore ft-explore-{self._widget.key}">{static}</div>'

    def handle_message(self, message: Mapping[str, Any]) -> None:
        """Apply a control's message; an invalid one is ignored."""
        if message.get("do") == "keep":
            self.close()
            return
        try:
            path = tuple(map(str, json.loads(message["place"])))
            chosen = read_choice(self._selections.get(path, Selection()), message)
        except (LookupError, TypeError, ValueError):
            return
        self.choose(*path, **chosen)

    def _show(self, *, is_live: bool) -> Rendering:
        selections = Selections(self._selections, is_live)
        return show(self._value, self._declared, name=self._name, limits=_LIMITS, selections=selections)

    # --- output ------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return self.static.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self.static._repr_mimebundle_()
        if self._final is not None or not has_reader(get_ipython()) or not self.has_choice:
            return with_explorer_note(bundle, get_ipython())
        # A richer MIME type (an interactive figure) would be shown instead of the HTML.
        html = f'<div class="ft-show"><style>{style()}</style>{self.open()}</div>'
        return {"text/plain": bundle["text/plain"], "text/html": html}

    def _ipython_display_(self) -> None:
        self._handle = display(self._repr_mimebundle_(), raw=True, display_id=True)


def read_choice(selection: Selection, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a control's message as keywords of `choose`.

    Raises:
        LookupError, TypeError, ValueError: if the message is invalid.
    """
    name, to = message["set"], message["to"]
    match name:
        case "start" | "left":
            return {name: max(int(to), 0)}
        case "size":
            return {"size": min(max(int(to), 1), 100), "start": 0}
        case "find":
            return {"find": str(to)[:200], "start": 0}
        case "is_open":
            return {"is_open": to in (True, "true")}
        case "index":
            axis, chosen = int(message["axis"]), [*selection.index, *([0] * 64)][:64]
            chosen[max(axis, 0)] = max(int(to), 0)
            return {"index": tuple(chosen), "start": 0, "left": 0}
        case "sort":
            return {"start": 0, **_next_order(selection, int(to))}
    raise ValueError(f"no control sets {name!r}")


def _next_order(selection: Selection, key: int) -> dict[str, Any]:
    """Return the next order of a column: ascending, descending, unsorted."""
    if selection.sort != key:
        return {"sort": key, "is_descending": False}
    return {"sort": -1, "is_descending": False} if selection.is_descending else {"is_descending": True}


def show_with_controls(value: Any, declared: Any = None, *, name: str = "", limits: Limits = _LIMITS) -> Rendering:
    """Render a value for a page that is live already, with controls if there are any."""
    explorer = Explorer(value, declared, name=name)
    if not explorer.has_choice:
        return show(value, declared, name=name, limits=limits)
    return Rendering(explorer.static.text, explorer.open(pages.inspected))
