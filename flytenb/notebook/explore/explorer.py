"""An explorer: one value, what its reader has chosen to see of it, and the output that answers."""

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
from flytenb.notebook.front_end import has_reader
from flytenb.notebook.pages import pages

if TYPE_CHECKING:
    from flytenb.notebook.explore.explorer_widget import ExplorerWidget

display: Any = _display

_LIMITS = Limits(rows=100, columns=21, nodes=1_000, depth=30, html=400_000)
_KEPT_OPEN = 16
_MOST_CHOSEN = 500
"""Places at which something may be chosen at once."""


class Explorer:
    """A value to be looked at by choosing. It holds the value until it is closed or many others have been opened.

    In an output it stands as a still display, which is what a saved notebook keeps. Where a page with widgets shows
    that output it comes alive there.

    Args:
        value: what is shown. A page of it is taken by slicing; nothing is fetched but what its reader asks for.
        declared: its declared type, if it has one.
        name: what to call it.
    """

    def __init__(self, value: Any, declared: Any = None, *, name: str = "") -> None:
        self._value = value
        self._declared = declared
        self._name = name
        self._selections: dict[Path, Selection] = {}
        self._widget: ExplorerWidget | None = None
        self._handle: Any = None
        self._kept: Rendering | None = None
        self._others = pages.explorers

    def choose(self, *path: str, **look: Any) -> Explorer:
        """Choose what to see, as the controls do, and return the explorer.

        Args:
            *path: the steps that lead to a place within the value; none for the value itself.
            **look: `start`, `size`, `left`, `sort`, `is_descending`, `find`, `index`, `is_open`.

        Raises:
            UsageError: for something that can't be chosen.
        """
        known = [f.name for f in fields(Selection)]
        for name in look:
            if name not in known:
                raise UsageError(f"{name!r} can't be chosen", hint=closest(name, known))
        if len(self._selections) >= _MOST_CHOSEN and path not in self._selections:
            self._selections.pop(next(iter(self._selections)))
        self._selections[path] = replace(self._selections.get(path, Selection()), **look)
        if self._widget is not None:
            self._widget.fragment = self.live.fragment
        return self

    @property
    def still(self) -> Rendering:
        """What is seen now, without controls; before anything is chosen, as `flytenb.show` shows it."""
        if self._kept is not None:
            return self._kept
        return self._show(is_live=False) if self._selections else show(self._value, self._declared, name=self._name)

    @property
    def live(self) -> Rendering:
        """What is seen now, with controls."""
        return self._show(is_live=True)

    @property
    def has_choice(self) -> bool:
        """Whether there is anything to choose."""
        return "data-ft-set=" in self.live.fragment

    def close(self, *, keep: bool = True) -> None:
        """Let the value go and leave what is seen now as a still display."""
        if self._kept is not None:
            return
        self._kept = self.still
        if self._handle is not None and keep:
            self._handle.update(self._kept._repr_mimebundle_(), raw=True)
        if self in self._others:
            self._others.remove(self)
        if self._widget is not None:
            # A page that was reloaded no longer knows which output to mend.
            self._widget.fragment = self._kept.fragment
            self._widget.close()
        self._value = self._widget = None

    def open(self, others: deque[Any] | None = None) -> str:
        """Answer a page from now on, and return the still display as HTML that comes alive there.

        Args:
            others: the explorers that are open already, the oldest of which is closed; those of outputs if not given.
        """
        from flytenb.notebook.explore.explorer_widget import ExplorerWidget

        still = self.still.fragment
        if self._kept is not None:
            return still
        if self._widget is None:
            self._widget = ExplorerWidget(self.hear, fragment=self.live.fragment)
            self._others = pages.explorers if others is None else others
            self._others.append(self)
            while len(self._others) > _KEPT_OPEN:
                self._others[0].close(keep=False)
        # A class, since pages that rebuild markup from what they know keep it.
        return f'<div class="ft-explore ft-explore-{self._widget.key}">{still}</div>'

    def hear(self, message: Mapping[str, Any]) -> None:
        """Do what a control of the page says; what is no choice is passed over."""
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

    # --- showing it --------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return self.still.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self.still._repr_mimebundle_()
        if self._kept is not None or not has_reader(get_ipython()) or not self.has_choice:
            return bundle
        # Markup of a richer kind (an interactive figure) would be shown instead of what comes alive.
        html = f'<div class="ft-show"><style>{style()}</style>{self.open()}</div>'
        return {"text/plain": bundle["text/plain"], "text/html": html}

    def _ipython_display_(self) -> None:
        self._handle = display(self._repr_mimebundle_(), raw=True, display_id=True)


def read_choice(look: Selection, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a control sets, as keywords of a look.

    Raises:
        LookupError, TypeError, ValueError: if there is no such control or it doesn't say so.
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
            axis, chosen = int(message["axis"]), [*look.index, *([0] * 64)][:64]
            chosen[max(axis, 0)] = max(int(to), 0)
            return {"index": tuple(chosen), "start": 0, "left": 0}
        case "sort":
            return {"start": 0, **_next_order(look, int(to))}
    raise ValueError(f"no control sets {name!r}")


def _next_order(look: Selection, key: int) -> dict[str, Any]:
    """Upwards, downwards, as it was."""
    if look.sort != key:
        return {"sort": key, "is_descending": False}
    return {"sort": -1, "is_descending": False} if look.is_descending else {"is_descending": True}


def show_with_controls(value: Any, declared: Any = None, *, name: str = "", limits: Limits = _LIMITS) -> Rendering:
    """Show a value in a page that is live already: with controls, if there is anything to choose."""
    explorer = Explorer(value, declared, name=name)
    if not explorer.has_choice:
        return show(value, declared, name=name, limits=limits)
    return Rendering(explorer.still.text, explorer.open(pages.inspected))
