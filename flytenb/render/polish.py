"""Changes to a layout that an engine found: titles of frames beside arrows, and straight arrows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from operator import itemgetter

from flytenb.errors import LayoutTimeoutError
from flytenb.render.alignment import aligned
from flytenb.render.clearance import passes_boxes
from flytenb.render.detours import around_frames
from flytenb.render.dot import PAGE, layout_dot
from flytenb.render.foreign_frames import Order, crossed_frames, order_apart
from flytenb.render.layout import Positions
from flytenb.render.scene import Scene
from flytenb.render.shapes import Arrow
from flytenb.render.straight_arrows import bends, crossings, straightened
from flytenb.render.titles import Titles
from flytenb.render.wrapping import wrapped_ranks

_MOST_ARROWS = 150
"""Number of arrows up to which they are straightened; in larger pictures no single one can be followed."""
_CROWD = 50
"""Number of boxes above which a picture is expected to be wider than a page; containers are closed in these."""
_SHARES = 0.95, 0.86, 0.79, 0.73
"""Shares of a page that the boxes of a rank may take in layouts with wrapped ranks; engines need room for arrows."""
_SQUEEZED = 0.95
"""Share of a page that is taken by a layout whose boxes an engine has moved together until they fit."""
_MOST_LAYOUTS = 5
"""Most layouts that are tried until no arrow passes a frame around neither of its ends."""


def arrange(scene: Scene, lay_out: Callable[[str], Positions]) -> Positions:
    """Return the polished layout of a scene.

    Where the title of a frame has no place beside the arrows of a first layout, it is a node in the next. Where an
    arrow passes a frame around neither of its ends, boxes change ranks in the next, which is left out if arrows pass
    boxes there. The result is the one with the fewest such arrows, the first of several, and these are led around the
    frames. A layout that is wider than a page is replaced by a narrow one. If that is too wide, or an engine has moved
    its boxes together until they fit, it is replaced by one in which boxes of crowded ranks are in others, and arrows
    turn little.
    """
    titled: set[int] = set()
    order: set[Order] = set()
    is_narrow = len(scene.boxes) > _CROWD and not scene.frames
    found: list[tuple[list[tuple[Arrow, int]], Positions]] = []
    for left in reversed(range(_MOST_LAYOUTS)):
        titles = _titled_layout(scene, lay_out, titled, order, is_narrow=is_narrow)
        if titles.at.width > PAGE and not is_narrow:
            narrow = _titled_layout(scene, lay_out, set(titled), order, is_narrow=True)
            is_narrow = narrow.at.width < titles.at.width
            titles = narrow if is_narrow else titles
        if titles.at.width > (_SQUEEZED * PAGE if is_narrow else PAGE):
            titles = _wrapped(scene, lay_out, titles)
        at = _polished(scene, titles)
        crossed = crossed_frames(scene, at)
        if not found or not passes_boxes(scene, at):
            found.append((crossed, at))
        added = order_apart(scene, crossed, order) if crossed and left else ()
        if not added:
            break
        order.update(added)
        titled.update(int(lower[1:]) for _, lower in added if lower.startswith("t"))
    crossed, at = min(found, key=lambda each: len(each[0]))
    return around_frames(scene, at, crossed) if crossed else at


def _wrapped(scene: Scene, lay_out: Callable[[str], Positions], titles: Titles) -> Titles:
    """Return the layout with the fewest bends and crossings: one with wrapped ranks, or the given one if that fits."""
    found = []
    for ranks, rows in wrapped_ranks(scene, titles.at, PAGE, _SHARES):
        try:
            wrapped = lay_out(layout_dot(scene, ranks=ranks))
        except LayoutTimeoutError:
            break
        for parts in (rows, ()) if rows else ((),):
            at = aligned(scene, wrapped, PAGE, parts)
            if at is not None and not passes_boxes(scene, at):
                found.append((_disorder(at), at))
                break
    best, at = min(found, key=itemgetter(0), default=(0.0, titles.at))
    if at is titles.at or (titles.at.width <= PAGE and _disorder(titles.at) <= best):
        return titles
    return Titles(scene, at)


def _disorder(at: Positions) -> float:
    return bends(at.arrows) + crossings(at.arrows)


def _titled_layout(
    scene: Scene,
    lay_out: Callable[[str], Positions],
    titled: set[int],
    order: Collection[Order],
    *,
    is_narrow: bool,
) -> Titles:
    """Return the titles of a layout in which they have places; those that are nodes for that are added to `titled`."""
    while True:
        titles = Titles(scene, lay_out(layout_dot(scene, titled=titled, order=order, is_narrow=is_narrow)))
        if not titles.crossed:
            return titles
        titled |= titles.crossed


def polish(scene: Scene, at: Positions) -> Positions | None:
    """Return the positions with places for the titles and straight arrows, or None if an arrow passes a title."""
    titles = Titles(scene, at)
    return None if titles.crossed else _polished(scene, titles)


def is_as_clear(scene: Scene, at: Positions, before: Scene, at_before: Positions) -> bool:
    """Whether a layout has no more arrows through boxes and frames than that of an earlier scene."""
    if passes_boxes(scene, at) and not passes_boxes(before, at_before):
        return False
    return len(crossed_frames(scene, at)) <= len(crossed_frames(before, at_before))


def _polished(scene: Scene, titles: Titles) -> Positions:
    return straightened(scene, titles.at) if len(scene.arrows) <= _MOST_ARROWS else titles.at
