"""A scene as a Mermaid flowchart, for READMEs and wikis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flytenb.model import EdgeKind, Kind
from flytenb.render import captions
from flytenb.render.scene import Scene
from flytenb.render.shapes import Box, Frame, text_of

_OUTLINES = {"branch": ("{{", "}}"), "stack": ("[[", "]]"), "gate": ("[/", "/]"), "constant": (">", "]")}
_PILL = ("([", "])")
_CHARS = {ord(c): f"#{ord(c)};" for c in '"#&<>`{}[]()|\\;'}


def to_mermaid(scene: Scene) -> str:
    """Return a Mermaid flowchart; all text is quoted and escaped, so that it can't add links or HTML."""
    return "\n".join(_lines(scene)) + "\n"


def _lines(scene: Scene) -> Iterator[str]:
    yield "flowchart TD"
    yield from (f"  %% {_comment(note)}" for note in (scene.title, scene.subtitle, *scene.notes))
    yield from _level(scene, None, "  ")
    for arrow in scene.arrows:
        line = {EdgeKind.ORDER: "-.->", "meet": "---"}.get(arrow.kind, "-->")
        label = f'|"{_text(arrow.label)}"|' if arrow.label else ""
        yield f"  n{arrow.tail} {line}{label} n{arrow.head}"
    dashed = [b.number for b in scene.boxes if b.node.kind in (Kind.DYNAMIC, Kind.EAGER, Kind.STUB)]
    if dashed:
        yield "  classDef dashed stroke-dasharray: 5 3"
        yield f"  class {','.join(f'n{number}' for number in dashed)} dashed"
    yield from (
        f"  style {name}{shown.number} fill:{colour}22,stroke:{colour}"
        for name, kind in (("n", scene.boxes), ("c", scene.frames))
        for shown in kind
        if (colour := shown.node.settings.get("colour"))
    )
    yield from (f"  style n{b.number} stroke-width:3px" for b in scene.boxes if b.node.settings.get("asked"))
    stale = [b.number for b in scene.boxes if "stale" in b.node.settings]
    if stale:
        yield "  classDef stale stroke-dasharray: 2 2,fill-opacity: .3"
        yield f"  class {','.join(f'n{number}' for number in stale)} stale"


def _level(scene: Scene, at: int | None, indent: str) -> Iterator[str]:
    for box in scene.boxes:
        if box.frame == at:
            yield f"{indent}{_box(box, scene)}"
    for frame in scene.frames:
        if frame.frame == at:
            yield f'{indent}subgraph c{frame.number} ["{_frame_text(frame)}"]'
            yield from _level(scene, frame.number, indent + "  ")
            yield f"{indent}end"


def _box(box: Box, scene: Scene) -> str:
    if box.shape == "meet":
        return f'n{box.number}((" "))'
    texts = text_of(box.lines)
    state = scene.states.get(box.path)
    if state is not None and not box.node.is_pseudo:
        texts[1] = f"{captions.sign(state)} {captions.state_caption(state)}"
    is_pill = box.node.kind in (Kind.INPUTS, Kind.OUTPUTS)
    opened, closed = _PILL if is_pill else _OUTLINES.get(box.shape, ("[", "]"))
    return f'n{box.number}{opened}"{_text(texts)}"{closed}'


def _frame_text(frame: Frame) -> str:
    return _text([f"{frame.title.text} · {frame.title.rest}"]) if frame.title.rest else _text([frame.title.text])


def _text(lines: Iterable[str]) -> str:
    return "<br>".join(line.translate(_CHARS) for line in lines)


def _comment(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")  # `%%{` starts a directive
