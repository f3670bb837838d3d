"""A scene with its positions as one self-contained SVG; all user text is escaped here.

Colours and fonts are presentation attributes, which remain where a page removes style sheets. The style sheet in the
SVG only adds the dark theme.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flytenb.model import EdgeKind, Kind, Node, NodeState
from flytenb.render import captions
from flytenb.render.arrow_svg import arrows_svg
from flytenb.render.dot import PAGE
from flytenb.render.layout import Positions
from flytenb.render.marks import marks_of
from flytenb.render.outlines import SHAPE, band, outline, rect
from flytenb.render.paint import (
    LOOKS,
    edge_look,
    frame_look,
    icon_look,
    icon_path,
    name_look,
    shape_look,
    sub_look,
)
from flytenb.render.scene import Scene
from flytenb.render.shapes import (
    ATTEMPTS,
    LEFT,
    LINE,
    PROGRESS,
    RIGHT,
    SMALL_SIZE,
    WHOLE_STATE,
    Box,
    Frame,
    Line,
)
from flytenb.render.text_metrics import clean, fit, fixed_length, is_guessed, measure, path_attribute, xml
from flytenb.render.theme import theme_sheet
from flytenb.wording.kinds import kind_text, phase_words
from flytenb.wording.text import without_code

_PAD = 12.0
_HEAD = 34.0
_FOOT = 22.0
_SQUEEZE = 1.2  # letters may be compressed by this share of their width
_TITLE_SIZE, _BOLD = 14.0, 1.14
_STATE_GAP = 8  # pixels between the name of a frame and its state


def to_svg(scene: Scene, at: Positions, uid: str) -> str:
    """Return the SVG.

    Every node is a `g.ft-node` with `data-path`, every edge a `g.ft-edge` with `data-source` and `data-target`, every
    open container a `g.ft-cluster`. A page with `theme.style_sheet` can recolour a node by setting its `data-phase`
    (and `data-cache`), rewrite its `.ft-sub` and draw its icon at the start of its `.ft-icon`.

    Args:
        scene: the contents.
        at: the positions.
        uid: prefix of all ids.
    """
    head = (_HEAD if scene.title else _PAD) + 15 * len(scene.notes)
    foot = _FOOT if _has_order(scene) else 0.0
    texts = _Head.of(scene, max(at.width, PAGE))
    width = max(at.width, texts.width) + 2 * _PAD
    height = head + at.height + _PAD + foot
    left = (width - at.width) / 2
    # arrows are below the titles of frames and below boxes
    arrows, frames = list(arrows_svg(scene, at)), [_frame(frame, scene, at) for frame in scene.frames]
    boxes = [_box(box, scene, at, uid) for box in scene.boxes]
    parts = [f'<g class="ft-ways"{LOOKS["ft-ways"]}>', *arrows, "</g>", *frames, *boxes]
    card = rect(0.5, 0.5, width - 1, height - 1, 8, 'class="ft-card" ', LOOKS["card"])
    body = "\n".join(parts)
    around = f"{_hatching(scene, uid)}{card}\n{texts.svg()}\n", _legend(height) if foot else ""
    shown = f'{around[0]}<g class="ft-body" transform="translate({left:.1f} {head:.1f})">\n{body}\n</g>\n{around[1]}'
    sheet = theme_sheet("".join((*around, parts[0], *frames, *_of_each_colour(scene, arrows, boxes))))
    state = scene.states.get("")
    name = xml(
        f"{scene.title or scene.graph.name}, {scene.subtitle}" + (f", {phase_words(state.phase)}" if state else "")
    )
    w, h = f"{width:.0f}", f"{height:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ft-drawing" id="{uid}" width="{w}" height="{h}" '
        f'viewBox="0 0 {w} {h}"{LOOKS["drawing"]} role="group" aria-label="{name}">\n'
        f"<style>{sheet}</style>\n{shown}</svg>"
    )


def _of_each_colour(scene: Scene, arrows: Sequence[str], boxes: Sequence[str]) -> Iterator[str]:
    """Yield elements with all colours that arrows and boxes have: much less to search than all of them."""
    yield from (arrows[arrow.number] for arrow in scene.arrows if arrow.label or not arrow.number)
    plain: dict[tuple[str, Kind], int] = {}
    for box in scene.boxes:
        if scene.states or box.node.settings or plain.setdefault((box.shape, box.node.kind), box.number) == box.number:
            yield boxes[box.number]


def _has_order(scene: Scene) -> bool:
    return any(arrow.kind == EdgeKind.ORDER for arrow in scene.arrows)


@dataclass(frozen=True)
class _Head:
    """The texts above a picture, cut to a width; `whole` has all of them if any was cut, else it is empty."""

    title: str
    subtitle: str
    notes: tuple[str, ...]
    whole: str

    @classmethod
    def of(cls, scene: Scene, room: float) -> _Head:
        """Return the head of a picture; a subtitle is cut to half of the room where the title needs the other half."""
        state = scene.states.get("")
        more = scene.subtitle if state is None else f"{scene.subtitle} · {captions.state_caption(state)}"
        title, subtitle = scene.title, more
        if _title_width(title, subtitle) > room:
            subtitle = fit(more, max(room / 2, room - _title_width(title, "")), SMALL_SIZE)
            title = fit(title, (room - _title_width("", subtitle)) / _BOLD, _TITLE_SIZE)
        notes = tuple(fit(note, room, SMALL_SIZE) for note in scene.notes)
        is_cut = (title, subtitle, notes) != (scene.title, more, scene.notes)
        return cls(title, subtitle, notes, "\n".join((scene.title, more, *scene.notes)) if is_cut else "")

    @property
    def width(self) -> float:
        """Width of the longest line in pixels."""
        title = _title_width(self.title, self.subtitle) if self.title else 0.0
        return max(title, *(measure(note, SMALL_SIZE) for note in self.notes), 0.0)

    def svg(self) -> str:
        """Return the elements; if texts were cut, all of them are a tooltip."""
        title = (
            f'<text class="ft-title" x="{_PAD:g}" y="23"{LOOKS["ft-title"]}>{xml(self.title)}'
            f'<tspan class="ft-subtitle" dx="9"{LOOKS["ft-rest"]}>{xml(self.subtitle)}</tspan></text>'
        )
        first = 38 if self.title else 20
        notes = (
            f'<text class="ft-note" x="{_PAD:g}" y="{first + 15 * i}">{xml(note)}</text>'
            for i, note in enumerate(self.notes)
        )
        lines = (title if self.title else "") + "".join(notes)
        return f"<g><title>{xml(self.whole)}</title>{lines}</g>" if self.whole else lines


def _title_width(title: str, subtitle: str) -> float:
    return measure(title, _TITLE_SIZE) * _BOLD + measure(subtitle, SMALL_SIZE) + 10


def _hatching(scene: Scene, uid: str) -> str:
    """Return the pattern of what is stale."""
    if not any("stale" in node.settings for node in scene.graph.nodes.values()):
        return ""
    return (
        f'<defs><pattern id="{uid}-stale" width="7" height="7" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"{LOOKS["ft-hatch"]}>'
        '<path d="M0 0v7" stroke-opacity=".45"/></pattern></defs>'
    )


def _hatched(box: Box, left: float, top: float, uid: str) -> str:
    """Return the outline again, hatched, if what it shows is stale."""
    if "stale" not in box.node.settings:
        return ""
    return f'<g class="ft-stale" fill="url(#{uid}-stale) none">{outline(box, left, top, "", "")}</g>'


def _legend(height: float) -> str:
    y = height - 14
    return (
        f'<g class="ft-legend"><path class="ft-line" d="M{_PAD:g} {y:.0f}h26"'
        f"{LOOKS['ft-ways']}{edge_look(EdgeKind.ORDER)}/>"
        f'<text x="{_PAD + 33:g}" y="{y + 4:.0f}">order only, no data</text></g>\n'
    )


# boxes


def _box(box: Box, scene: Scene, at: Positions, uid: str) -> str:
    x, y = at.boxes[f"n{box.number}"]
    if box.shape == "meet":
        return f'<circle class="ft-meet" cx="{x:g}" cy="{y:g}" r="3"{LOOKS["ft-tip"]}/>'
    left, top = x - box.width / 2, y - box.height / 2
    node, state = box.node, scene.states.get(box.path)
    if node.is_pseudo and node.kind is not Kind.CASE:
        state = None
    name = clean(" ".join(box.ports)) if box.ports else box.lines[0].text
    ports = f' data-ports="{xml(clean(" ".join(box.ports)))}"' if box.ports else ""
    focus = "" if node.kind is Kind.CONSTANT else ' tabindex="0"'
    shape = outline(box, left, top, SHAPE, shape_look(node.kind, state))
    if "colour" not in node.settings:  # which takes the place of the band
        shape += band(box, left, top)
    marks = marks_of(node.settings, box.shape, left, top, box.width, box.height)
    tip = box.tip
    if state is not None:
        tip = "\n".join(filter(None, (tip, captions.state_caption(state), clean(without_code(state.text)))))
    return (
        f'<g class="ft-node ft-kind-{node.kind}" data-path="{path_attribute(box.path)}"{ports}'
        f'{_state_attributes(state)}{focus} role="img" aria-label="{_spoken(name, node, state)}">'
        f"<title>{xml(tip)}</title>{shape}{marks}{_hatched(box, left, top, uid)}{_lines(box, state, left, top)}"
        f"{_mark(box, state, left, top)}</g>"
    )


def _spoken(name: str, node: Node, state: NodeState | None) -> str:
    """Return the label for screen readers, escaped: `generate, task, running`."""
    phase = "" if state is None else phase_words(state.phase, has_started=state.has_started)
    return _words(name, node.kind, "stale" in node.settings, phase)


@lru_cache(maxsize=1024)
def _words(name: str, kind: str, is_stale: bool, phase: str) -> str:
    return xml(", ".join([name, kind_text(kind), *["stale"] * is_stale, *[phase] * bool(phase)]))


def _state_attributes(state: NodeState | None) -> str:
    if state is None:
        return ""
    cached = f' data-cache="{state.cache}"' if state.cache is not None else ""
    return f' data-phase="{state.phase}"{cached}'


def _lines(box: Box, state: NodeState | None, left: float, top: float) -> str:
    if box.shape == "constant":
        return _text(box.lines[0], left + 7, top + 14)
    if box.node.kind in (Kind.INPUTS, Kind.OUTPUTS):
        return "".join(_text(line, left + 12, top + 16 + LINE * i) for i, line in enumerate(box.lines))
    x = left + LEFT + (LEFT if box.shape == "branch" else 0)
    parts = [_text(box.lines[0], x, top + 18, name_look(state))]
    for i, line in enumerate(box.lines[1:]):
        y = top + 33 + LINE * i
        if line.css == "ft-sub" and state is not None and box.node.kind is not Kind.CASE:
            parts.append(_squeezed(state, box.width - (x - left) - RIGHT, x, y))
        else:
            parts.append(_text(line, x, y))
    return "".join(parts)


def _text(line: Line, x: float, y: float, look: str | None = None) -> str:
    look = LOOKS[line.css] if look is None else look
    if not line.rest:
        start, end = _text_parts(line.text, line.css, line.size, look)
        return f'{start}{x:.1f}" y="{y:.1f}{end}'
    fixed = fixed_length(line.text, line.size)
    rest = f'<tspan class="ft-rest" dx="6"{LOOKS["ft-rest"]}>{xml(line.rest)}</tspan>'
    if fixed or is_guessed(line.rest):
        length = measure(line.rest, SMALL_SIZE)
        after = x + measure(line.text, line.size) + 6
        rest = (
            f'</text><text class="ft-rest" x="{after:.1f}" y="{y:.1f}" textLength="{length:.1f}" '
            f'lengthAdjust="spacingAndGlyphs">{xml(line.rest)}'
        )
    return f'<text class="{line.css}" x="{x:.1f}" y="{y:.1f}"{look}{fixed}>{xml(line.text)}{rest}</text>'


@lru_cache(maxsize=1024)
def _text_parts(text: str, css: str, size: float, look: str) -> tuple[str, str]:
    """Return what is before and after the place of a line without a grey part."""
    return f'<text class="{css}" x="', f'"{look}{fixed_length(text, size)}>{xml(text)}</text>'


def _squeezed(state: NodeState, room: float, x: float, y: float) -> str:
    """Return a second line set after the box was measured: it is shortened, its letters are compressed, it is cut."""
    whole = WHOLE_STATE + PROGRESS * (state.total > 0) + ATTEMPTS * (state.attempts > 1)
    text = fit(captions.state_caption(state, is_short=room < whole), room * _SQUEEZE, SMALL_SIZE)
    fixed = f' textLength="{room:.1f}" lengthAdjust="spacingAndGlyphs"' if measure(text, SMALL_SIZE) > room else ""
    return f'<text class="ft-sub" x="{x:.1f}" y="{y:.1f}"{sub_look(state)}{fixed}>{xml(text)}</text>'


def _mark(box: Box, state: NodeState | None, left: float, top: float) -> str:
    if box.node.is_pseudo:
        return ""
    inset = LEFT if box.shape == "branch" else 4
    return _icon(left + box.width - 20 - inset, top + 5, state)


def _icon(x: float, y: float, state: NodeState | None) -> str:
    """Return the phase icon; without a state only its place, where a page draws it later."""
    if state is None:
        return f'<path class="ft-icon" d="M{x:.1f} {y:.1f}"/>'
    return f'<path class="ft-icon" d="{icon_path(state, x, y)}"{icon_look(state)}/>'


# frames


def _frame(frame: Frame, scene: Scene, at: Positions) -> str:
    left, top, right, bottom = at.frames[f"cluster_{frame.number}"]
    state = None if frame.is_handler else scene.states.get(frame.path)
    css, look = SHAPE, frame_look(frame, state)
    shape = rect(left, top, right - left, bottom - top, 8, css, look)
    if frame.node.kind is Kind.MAP:
        shape = rect(left + 4, top + 4, right - left, bottom - top, 8, css, look) + shape
    title, start = frame.title, at.titles.get(frame.number, left + 12)
    if frame.is_handler:
        return f'<g class="ft-lane">{shape}{_text(title, start, top + 16)}</g>'
    after = at.states.get(frame.number, start + frame.name_width + _STATE_GAP)
    place = right - 22 if frame.number not in at.titles else start + frame.title_width - 16
    rest = _text(Line(title.rest, "ft-sub"), after, top + 19, sub_look(None))
    if state is not None:
        rest = _squeezed(state, place - 2 - after, after, top + 19)
    return (
        f'<g class="ft-cluster ft-kind-{frame.node.kind}" data-path="{path_attribute(frame.path)}"'
        f'{_state_attributes(state)} tabindex="0" role="img" '
        f'aria-label="{_spoken(title.text, frame.node, state)}"><title>{xml(frame.tip)}</title>{shape}'
        f"{marks_of(frame.node.settings, 'frame', left, top, right - left, bottom - top)}"
        f"{_text(Line(title.text, title.css, title.size), start, top + 19, name_look(state))}"
        f"{rest}{_icon(place, top + 6, state)}</g>"
    )
