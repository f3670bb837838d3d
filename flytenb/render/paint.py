"""Presentation attributes of the elements of a picture, by kind and phase, in the light theme's colours."""

from __future__ import annotations

import re
from functools import lru_cache

from flytenb.model import EdgeKind, Kind, NodeState, Phase
from flytenb.render.shapes import Frame
from flytenb.render.theme import COLOURS, FONT, ICONS, band_colour, phase_colour

_NAMES = re.compile(r"\$([a-z]+)")
_START = re.compile(r"([MLH])([\d. ]+)")


def _attributes(**values: object) -> str:
    """Return attributes, each after a space; `$grey` is the colour of that name and None no attribute."""
    written = (f' {name.replace("_", "-")}="{value}"' for name, value in values.items() if value is not None)
    return _NAMES.sub(lambda found: COLOURS[found[1]][0], "".join(written))


LOOKS: dict[str, str] = {
    "drawing": _attributes(font_family=FONT, font_size=11, fill="$grey"),
    "card": _attributes(fill="$card", stroke="$hair"),
    "label": _attributes(fill="$card", stroke="none"),
    "label-text": _attributes(fill="$grey", stroke="none"),
    "case": _attributes(fill="$card", stroke_width=1),
    "case-text": _attributes(fill="$ink", stroke="none"),
    "ft-title": _attributes(fill="$ink", font_size=14, font_weight=600),
    "ft-name": _attributes(fill="$ink", font_size=13, font_weight=500),
    "ft-port": _attributes(fill="$ink", font_size=12, font_weight=500),
    "ft-lane-title": _attributes(fill="$bad"),
    "ft-rest": _attributes(fill="$grey", font_size=11, font_weight=400),
    "ft-sub": "",
    "ft-badge": "",
    "ft-const": "",
    "ft-ways": _attributes(fill="none", stroke="$line", stroke_width=1.2),
    "ft-tip": _attributes(fill="$line", stroke="none"),
    "ft-hatch": _attributes(stroke="$line"),
}
"""Attributes of the elements of one class; text without attributes is grey and small."""

_SHAPES: dict[Kind, dict[str, object]] = {
    Kind.INPUTS: {"fill": "$pill"},
    Kind.OUTPUTS: {"fill": "$pill"},
    Kind.CONSTANT: {"fill": "none", "stroke": None},
    Kind.DYNAMIC: {"stroke": "$accent", "stroke_dasharray": "5 3"},
    Kind.EAGER: {"stroke": "$accent", "stroke_dasharray": "5 3"},
    Kind.STUB: {"stroke_width": 1.4, "stroke_dasharray": "1.2 3", "stroke_linecap": "round"},
    Kind.REFERENCE: {"stroke_dasharray": "9 3"},
    Kind.CASE: {"stroke": "$bad"},
}
_PHASES: dict[Phase, dict[str, object]] = {
    Phase.QUEUED: {"stroke_width": None},
    Phase.RUNNING: {"stroke_dasharray": "6 4"},
    Phase.FAILED: {"stroke_width": 2.2},
    Phase.TIMED_OUT: {"stroke_width": 2.2},
    Phase.ABORTED: {"stroke_dasharray": "2 2"},
    Phase.SKIPPED: {"stroke_width": 1.2, "stroke_dasharray": "3 4"},
}


def shape_look(kind: Kind, state: NodeState | None) -> str:
    """Return the attributes of a box's outline."""
    return _shape_look(kind, None if state is None else state.phase, _icon_name(state))


@lru_cache(maxsize=256)
def _shape_look(kind: Kind, phase: Phase | None, name: str) -> str:
    return _attributes(**({"fill": "$box", "stroke": "$rule"} | _SHAPES.get(kind, {}) | _phase_look(phase, name)))


def _phase_look(phase: Phase | None, name: str) -> dict[str, object]:
    if phase is None:
        return {}
    plain = {"stroke_width": 1.5, "stroke_dasharray": None, "stroke_opacity": None, "stroke_linecap": None}
    return {**plain, **_PHASES.get(phase, {}), "stroke": f"${phase_colour(name)}"}


def frame_look(frame: Frame, state: NodeState | None) -> str:
    """Return the attributes of the border of an open container, or of a failure handler's frame."""
    colour, dashes = ("$accent", None)
    if frame.node.kind is Kind.FAILURE:
        colour, dashes = ("$bad", "2 3")
    own = {"fill": colour, "fill_opacity": 0.05, "stroke": colour, "stroke_opacity": 0.9, "stroke_dasharray": dashes}
    return _attributes(**(own | _phase_look(None if state is None else state.phase, _icon_name(state))))


@lru_cache(maxsize=32)
def band_look(kind: Kind) -> str:
    """Return the attributes of the coloured left edge of a box."""
    return _attributes(fill=f"${band_colour(kind)}")


@lru_cache(maxsize=32)
def edge_look(kind: str, *, is_skipped: bool = False) -> str:
    """Return the attributes of an arrow's group, in addition to those of all arrows."""
    dashes = "4 3" if kind == EdgeKind.ORDER else None
    return _attributes(stroke_dasharray="1.5 3" if is_skipped else dashes)


@lru_cache(maxsize=1)
def _skipped_name() -> str:
    return LOOKS["ft-name"].replace(COLOURS["ink"][0], COLOURS["grey"][0])


def name_look(state: NodeState | None) -> str:
    """Return the attributes of a node's name; that of a skipped node is grey."""
    return _skipped_name() if state is not None and state.phase is Phase.SKIPPED else LOOKS["ft-name"]


def sub_look(state: NodeState | None) -> str:
    """Return the attributes of a second line, which has the colour of the phase."""
    return "" if state is None else _attributes(fill=f"${phase_colour(_icon_name(state))}")


def icon_look(state: NodeState) -> str:
    """Return the attributes of a phase icon."""
    return _attributes(
        fill="none",
        stroke=f"${phase_colour(_icon_name(state))}",
        stroke_width=1.8,
        stroke_linecap="round",
        stroke_linejoin="round",
    )


def icon_path(state: NodeState, x: float, y: float) -> str:
    """Return the path of a phase icon whose top left corner is at a point; only M, L and H are absolute in `ICONS`."""

    def moved(found: re.Match[str]) -> str:
        numbers = zip(found[2].split(), (x, y), strict=False)
        return found[1] + " ".join(f"{float(number) + offset:.1f}" for number, offset in numbers)

    return _START.sub(moved, dict(ICONS)[_icon_name(state)])


def _icon_name(state: NodeState | None) -> str:
    return "" if state is None else str(state.source or state.phase)
