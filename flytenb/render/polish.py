"""Changes to a layout that an engine found: titles of frames beside arrows, and straight arrows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flytenb.render.dot import layout_dot
from flytenb.render.layout import Positions
from flytenb.render.scene import Scene
from flytenb.render.straight_arrows import straightened
from flytenb.render.titles import Titles

_MOST_ARROWS = 150
"""Number of arrows up to which they are straightened; in larger pictures no single one can be followed."""


def arrange(scene: Scene, lay_out: Callable[[str], Positions]) -> Positions:
    """Return the polished layout of a scene.

    Where the title of a frame has no place beside the arrows of a first layout, it is a node in the next.
    """
    titled: set[int] = set()
    while True:
        at = lay_out(layout_dot(scene, titled=titled))
        titles = Titles(scene, at)
        if not titles.crossed:
            return _polished(scene, at, titles)
        titled |= titles.crossed


def polish(scene: Scene, at: Positions) -> Positions | None:
    """Return the positions with places for the titles and straight arrows, or None if an arrow passes a title."""
    titles = Titles(scene, at)
    return None if titles.crossed else _polished(scene, at, titles)


def _polished(scene: Scene, at: Positions, titles: Titles) -> Positions:
    at = replace(at, frames=titles.frames, titles=titles.places)
    return straightened(scene, at) if len(scene.arrows) <= _MOST_ARROWS else at
