"""Arrows with their labels as SVG elements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import hypot

from flytenb.model import EdgeKind, Phase
from flytenb.render.layout import Curve, Positions
from flytenb.render.paint import LOOKS, edge_look
from flytenb.render.scene import Scene
from flytenb.render.shapes import SMALL_SIZE, Arrow
from flytenb.render.text_metrics import fixed_length, path_attribute, xml

_TIP_LENGTH, _TIP_HALF = 7.0, 3.2


def arrows_svg(scene: Scene, at: Positions) -> Iterator[str]:
    """Yield the elements of the arrows, each with its label."""
    ways = {ends: iter(found) for ends, found in at.arrows.items()}
    for arrow in scene.arrows:
        yield _arrow(arrow, scene, at, [next(ways[ends]) for ends in arrow.legs])


def _arrow(arrow: Arrow, scene: Scene, at: Positions, ways: list[Curve]) -> str:
    if arrow.kind == "meet":
        return f'<g class="ft-way" aria-hidden="true">{_line(ways[0])}</g>'
    shown = "".join(_line(way) for way in ways[:-1]) + _pointed(ways[-1])
    if arrow.label:
        shown += _label(arrow, at)
    state = scene.states.get(arrow.target)
    is_skipped = state is not None and state.phase is Phase.SKIPPED
    phase = ' data-phase="SKIPPED"' if is_skipped else ""
    look = edge_look(arrow.kind, is_skipped=True) if is_skipped else edge_look(arrow.kind)
    return (
        f'<g class="ft-edge ft-edge-{arrow.kind}" data-source="{path_attribute(arrow.source)}" '
        f'data-target="{path_attribute(arrow.target)}"{phase}{look}>{_hint(arrow.tip)}{shown}</g>'
    )


@lru_cache(maxsize=1024)
def _hint(tip: str) -> str:
    """Return the tooltip of an arrow, each line once."""
    return f"<title>{xml(chr(10).join(dict.fromkeys(tip.split(chr(10)))))}</title>" if tip else ""


def _line(way: Curve) -> str:
    return _line_form(len(way)) % way


@lru_cache(maxsize=256)
def _line_form(numbers: int) -> str:
    return f'<path class="ft-line" d="M%.1f %.1fC{"%.1f %.1f " * (numbers // 2 - 1)}"/>'


@lru_cache(maxsize=256)
def _pointed_form(numbers: int) -> str:
    return f'{_line_form(numbers)}<path d="M%.1f %.1fL%.1f %.1fL%.1f %.1fZ"{LOOKS["ft-tip"]}/>'


def _pointed(way: Curve) -> str:
    """Return a curve that ends at the base of its arrowhead, and the arrowhead."""
    *start, from_x, from_y, x, y = way
    length = hypot(x - from_x, y - from_y)
    dx, dy = ((x - from_x) / length, (y - from_y) / length) if length else (0.0, 1.0)
    base_x, base_y = x - dx * _TIP_LENGTH, y - dy * _TIP_LENGTH
    side_x, side_y = -dy * _TIP_HALF, dx * _TIP_HALF
    corners = x, y, base_x + side_x, base_y + side_y, base_x - side_x, base_y - side_y
    return _pointed_form(len(way)) % (*start, from_x, from_y, base_x, base_y, *corners)


def _label(arrow: Arrow, at: Positions) -> str:
    x, y = at.boxes[f"l{arrow.number}"]
    width, height = arrow.label_size
    is_case = arrow.kind == EdgeKind.CASE
    radius, look, ink = (9, LOOKS["case"], LOOKS["case-text"]) if is_case else (3, LOOKS["label"], LOOKS["label-text"])
    box = (
        f'<rect class="ft-label" x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{radius}"{look}/>'
    )
    first = y - 7 * (len(arrow.label) - 1) + 4
    lines = "".join(
        f'<text x="{x:.1f}" y="{first + 14 * i:.1f}" text-anchor="middle"{ink}{fixed_length(line, SMALL_SIZE)}>'
        f"{xml(line)}</text>"
        for i, line in enumerate(arrow.label)
    )
    return box + lines
