"""DOT from a scene: unlabelled boxes for layout engines, labelled ones for people and `dot -Tpng`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from math import ceil

import graphviz

from flytenb.model import EdgeKind, Kind, Phase
from flytenb.render.captions import sign, state_caption
from flytenb.render.scene import Scene
from flytenb.render.shapes import FRAME_MARGIN, TITLE_HEIGHT, Arrow, Box, Frame, text_of

_INCH = 72
_HIGH = 10_000
"""Height in inches that no picture reaches."""
_TITLE_FONT = 13.0
_MANY = 300
"""Number of boxes above which the layout makes half the effort to avoid crossings, and none for straight chains."""
PAGE = 936.0
"""Width in pixels of a notebook's output, without the margins of a picture."""
_MOST_IN_RANK = 6
"""Number of boxes in a rank that fit a notebook's output."""
_MOST_RANKS = 4
"""Most ranks over which equivalent boxes are spread; each rank slows the layout down considerably."""
_TITLE_LETTER = 0.6 * _TITLE_FONT  # width of a Courier letter, the same in every engine

_OUTLINES = {
    "branch": {"shape": "hexagon", "style": ""},
    "constant": {"shape": "plain", "style": ""},
    "gate": {"shape": "octagon", "style": ""},
    "inputs": {"shape": "ellipse", "style": ""},
    "outputs": {"shape": "ellipse", "style": ""},
    "stack": {"peripheries": "2"},
}
"""Attributes of boxes by their shape; a rounded box has none."""
_PHASE_PENS = {
    Phase.RUNNING: {"color": "#0072B2", "style": "rounded,dashed", "penwidth": "1.5"},
    Phase.SUCCEEDED: {"color": "#009E73", "penwidth": "1.5"},
    Phase.FAILED: {"color": "#D55E00", "penwidth": "2.5"},
    Phase.TIMED_OUT: {"color": "#D55E00", "penwidth": "2.5"},
    Phase.ABORTED: {"color": "#D55E00"},
    Phase.SKIPPED: {"color": "#999999", "fontcolor": "#999999"},
}


def layout_dot(
    scene: Scene,
    inside: int | None = None,
    titled: Collection[int] = (),
    order: Collection[tuple[str, str]] = (),
    *,
    is_narrow: bool = False,
    ranks: Sequence[Sequence[str]] = (),
) -> str:
    """Return fixed-size boxes without text for a layout engine; nothing that a user wrote is included.

    The direction is bottom to top, since Graphviz's y axis points up and SVG's down. The lines are written directly,
    not by `graphviz`: nothing in them needs quoting, which takes most of its time.

    Args:
        scene: what is laid out.
        inside: number of the frame whose inside is laid out, without its border; None for everything.
        titled: numbers of the frames whose title is a node, which arrows do not pass.
        order: pairs of nodes, of which the first must be in a rank above the second.
        is_narrow: whether boxes are moved together until they fit a page, at the cost of straight arrows.
        ranks: the names of boxes and labels in each rank; empty for those that make the arrows short.
    """
    effort = {"mclimit": "0.5"} if len(scene.boxes) > _MANY else {}
    if order:
        effort["newrank"] = "true"
    if is_narrow:
        effort |= {"ratio": "compress", "size": f"{PAGE / _INCH:g},{_HIGH}"}
    dot = graphviz.Digraph(
        graph_attr={
            "rankdir": "BT",
            "nodesep": "0.17",
            "ranksep": "0.18",
            "compound": "true",
            **effort,
        },
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowhead": "none", "weight": "4"},
    )
    arrows = scene.arrows if inside is None else _arrows_inside(scene, inside)
    dot.body += _bare(scene, inside, titled)
    chained = _chained(scene, arrows) if len(scene.boxes) <= _MANY else ()
    dot.body += _bare_arrows(scene, arrows, chained)
    dot.body += _fixed_ranks(ranks) if ranks else _unflatten(scene, arrows)
    dot.body += _titles_above(scene, arrows, titled)
    dot.body += (f"{upper} -> {lower} [style=invis weight=0]\n" for upper, lower in sorted(order))
    return str(dot.source)


def _arrows_inside(scene: Scene, number: int) -> list[Arrow]:
    within = {number}
    for frame in scene.frames:  # outer before inner
        if frame.frame in within:
            within.add(frame.number)
    return [a for a in scene.arrows if scene.boxes[a.tail].frame in within and scene.boxes[a.head].frame in within]


def _chained(scene: Scene, arrows: Iterable[Arrow]) -> set[int]:
    """Return the arrows between two nodes that have no other successor or predecessor: these are straight."""
    real = [a for a in arrows if not (scene.boxes[a.tail].node.is_pseudo or scene.boxes[a.head].node.is_pseudo)]
    leaving, entering = Counter(a.tail for a in real), Counter(a.head for a in real)
    return {a.number for a in real if leaving[a.tail] == entering[a.head] == 1}


def _fixed_ranks(ranks: Sequence[Sequence[str]]) -> Iterator[str]:
    for names in ranks:
        yield f"{{rank=same {' '.join(names)}}}\n"
    yield from (f"{upper[0]} -> {lower[0]} [style=invis weight=0]\n" for upper, lower in pairwise(ranks))


def _unflatten(scene: Scene, arrows: Sequence[Arrow]) -> Iterator[str]:
    """Spread boxes with the same predecessors and successors over several ranks where one rank would be too wide.

    The cases of a branch stay in one rank.
    """
    leaving, entering = Counter(a.tail for a in arrows), Counter(a.head for a in arrows)
    # boxes of a crowd that is too wide share a box with as many arrows
    crowded = {a.head for a in arrows if leaving[a.tail] > _MOST_IN_RANK}
    crowded.update(a.tail for a in arrows if entering[a.head] > _MOST_IN_RANK)
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for arrow in arrows:
        if arrow.tail in crowded:
            after.setdefault(arrow.tail, []).append(arrow.head)
        if arrow.head in crowded:
            before.setdefault(arrow.head, []).append(arrow.tail)
    alike: dict[tuple[object, ...], list[int]] = {}
    for number in sorted(crowded):
        ends = tuple(sorted(before.get(number, ()))), tuple(sorted(after.get(number, ())))
        alike.setdefault((scene.boxes[number].frame, *ends), []).append(number)
    for numbers in alike.values():
        if len(numbers) > _MOST_RANKS * _MOST_IN_RANK:
            continue
        across = ceil(len(numbers) / ceil(len(numbers) / _MOST_IN_RANK))
        below = zip(numbers, numbers[across:], strict=False)
        yield from (f"n{upper} -> n{lower} [style=invis weight=1]\n" for upper, lower in below)


def _members(scene: Scene) -> dict[int | None, list[Frame | Box | Arrow]]:
    """Return what is directly inside each frame; a label is in the innermost frame around its arrow."""
    around = {frame.number: frame.frame for frame in scene.frames}
    inner: dict[int | None, list[Frame | Box | Arrow]] = {}
    for frame in scene.frames:
        inner.setdefault(frame.frame, []).append(frame)
    for box in scene.boxes:
        inner.setdefault(box.frame, []).append(box)
    for arrow in scene.arrows:
        if arrow.label:
            tail, head = scene.boxes[arrow.tail].frame, scene.boxes[arrow.head].frame
            inner.setdefault(_shared(around, tail, head), []).append(arrow)
    return inner


def _shared(around: dict[int, int | None], one: int | None, other: int | None) -> int | None:
    """Return the innermost frame around both."""
    outer = set()
    while one is not None:
        outer.add(one)
        one = around[one]
    while other is not None and other not in outer:
        other = around[other]
    return other


def _bare(scene: Scene, inside: int | None, titled: Collection[int]) -> Iterator[str]:
    """Yield the nodes and clusters of a frame or, for None, of the whole picture."""
    inner = _members(scene)
    sizes = Counter((box.width, box.height) for box in scene.boxes)
    texts = {size: _size(*size) for size in sizes}
    usual = Counter(texts[box.width, box.height] for box in scene.boxes).most_common(1)[0][0] if scene.boxes else ""

    def members(at: int | None) -> Iterator[str]:
        yield from _same_rank(scene, at, inner.get(at, ()))
        for member in inner.get(at, ()):
            if isinstance(member, Box):
                size = texts[member.width, member.height]
                yield f"n{member.number}\n" if size == usual else f"n{member.number} [{size}]\n"
            elif isinstance(member, Arrow):
                yield f"l{member.number} [{_size(*member.label_size)}]\n"
            else:
                yield f"subgraph cluster_{member.number} {{\nmargin={FRAME_MARGIN:g}\n"
                yield from _room_for_title(member, is_node=member.number in titled)
                yield from members(member.number)
                yield "}\n"

    yield f"node [{usual}]\n"
    yield from members(inside)


def _room_for_title(frame: Frame, *, is_node: bool) -> Iterator[str]:
    """Reserve room for a frame's title, as a label or as a node, through which engines draw no arrows."""
    if is_node:
        yield f"t{frame.number} [{_size(frame.title_width, TITLE_HEIGHT)}]\n"
    else:  # a label of zeros; its font has the same width in every engine
        zeros = "0" * ceil(frame.width / _TITLE_LETTER)
        yield f"label={zeros} labelloc=t labeljust=l fontname=Courier fontsize={_TITLE_FONT}\n"


def _titles_above(scene: Scene, arrows: Iterable[Arrow], titled: Collection[int]) -> Iterator[str]:
    """Keep the titles that are nodes above all that is in their frames."""
    above: dict[int, list[int]] = {}  # those around the contents of each frame, from the inside
    for frame in scene.frames:  # outer before inner
        outer = [] if frame.frame is None else above[frame.frame]
        above[frame.number] = [frame.number, *outer] if frame.number in titled else outer
        if outer and frame.number in titled:
            yield f"t{outer[0]} -> t{frame.number} [style=invis weight=0]\n"
    if not any(above.values()):
        return
    fed = {
        (arrow.head, number)
        for arrow in arrows
        if (at := scene.boxes[arrow.tail].frame) is not None
        for number in above[at]
    }
    for box in scene.boxes:
        around = [] if box.frame is None else above[box.frame]
        if around and (box.number, around[0]) not in fed:
            yield f"t{around[0]} -> n{box.number} [style=invis weight=0]\n"


def _bare_arrows(scene: Scene, arrows: Iterable[Arrow], chained: Collection[int]) -> Iterator[str]:
    loose = {box.number for box in scene.boxes if box.node.is_pseudo}
    for arrow in arrows:
        is_loose = arrow.tail in loose or arrow.head in loose
        weight = " weight=1" if is_loose else " weight=50" if arrow.number in chained else ""
        start, end = f"n{arrow.tail}", f"n{arrow.head}"
        leave = "" if arrow.tail_frame is None else f" ltail=cluster_{arrow.tail_frame}"
        arrive = "" if arrow.head_frame is None else f" lhead=cluster_{arrow.head_frame}"
        if arrow.label:
            yield _bare_edge(start, f"l{arrow.number}", leave + weight)
            start, leave = f"l{arrow.number}", ""
        yield _bare_edge(start, end, leave + arrive + weight)


def _bare_edge(start: str, end: str, attributes: str) -> str:
    return f"{start} -> {end} [{attributes[1:]}]\n" if attributes else f"{start} -> {end}\n"


def _same_rank(scene: Scene, at: int | None, members: Iterable[Frame | Box | Arrow]) -> Iterator[str]:
    """Keep the cases of a branch in one rank, left to right in the order in which they are tested."""
    cases = [m for m in members if isinstance(m, Arrow) and m.kind == EdgeKind.CASE]
    for _, group in groupby(cases, key=lambda arrow: arrow.source):
        arrows = list(group)
        ranks = [[f"l{arrow.number}" for arrow in arrows]]
        if all(scene.boxes[arrow.head].frame == at for arrow in arrows):
            ranks.append(list(dict.fromkeys(f"n{arrow.head}" for arrow in arrows)))
        yield from (f"{{rank=same {' -> '.join(r)} [style=invis weight=1]}}\n" for r in ranks if len(r) > 1)


def _size(width: float, height: float) -> str:
    return f"width={width / _INCH:.4g} height={height / _INCH:.4g}"


def to_dot(scene: Scene) -> str:
    """Return the scene as DOT for people: boxes with text, clusters and labelled edges, without links or HTML."""
    dot = graphviz.Digraph(
        graph_attr={"compound": "true", "label": _label([scene.title, scene.subtitle, *scene.notes]), "labelloc": "t"},
        node_attr={"shape": "box", "style": "rounded", "fontname": "Helvetica", "fontsize": "12"},
        edge_attr={"fontname": "Helvetica", "fontsize": "10", "arrowsize": "0.7"},
    )
    dot.graph_attr["fontname"] = "Helvetica"
    _add_labelled(dot, scene, _members(scene), None)
    for arrow in scene.arrows:
        _add_labelled_arrow(dot, arrow)
    return str(dot.source)


def _add_labelled(
    dot: graphviz.Digraph, scene: Scene, inner: dict[int | None, list[Frame | Box | Arrow]], at: int | None
) -> None:
    for member in inner.get(at, ()):
        if isinstance(member, Box):
            dot.node(f"ft-n-{member.number}", **_attributes(member, scene))
        elif isinstance(member, Frame):
            with dot.subgraph(name=f"cluster_ft-c-{member.number}") as cluster:
                cluster.attr(label=_label(text_of([member.title])), labeljust="l", style="rounded")
                if colour := member.node.settings.get("colour"):
                    cluster.attr(style="rounded,filled", fillcolor=f"{colour}22")
                _add_labelled(cluster, scene, inner, member.number)


def _attributes(box: Box, scene: Scene) -> dict[str, str]:
    if box.shape == "meet":
        return {"label": "", "shape": "point"}
    lines = text_of(box.lines)
    state = scene.states.get(box.path)
    if state is not None and not box.node.is_pseudo:
        lines[1] = f"{sign(state)} {state_caption(state)}"
    found = {"label": _label(lines), **_OUTLINES.get(box.shape, {})}
    if box.node.kind in (Kind.DYNAMIC, Kind.EAGER):
        found["style"] = "rounded,dashed"
    elif box.node.kind is Kind.STUB:
        found["style"] = "rounded,dotted"
    if colour := box.node.settings.get("colour"):
        found |= {"style": f"{found.get('style') or 'rounded'},filled", "fillcolor": f"{colour}22"}
    if box.node.settings.get("asked"):
        found |= {"penwidth": "2"}
    if state is not None:
        found |= _PHASE_PENS.get(state.phase, {})
    if "stale" in box.node.settings:  # the engines have no hatching
        found |= {"style": "rounded,dashed,filled", "fillcolor": "#eeeeee"}
    return found


def _add_labelled_arrow(dot: graphviz.Digraph, arrow: Arrow) -> None:
    found: dict[str, str] = {}
    if arrow.label:
        found["label"] = _label(arrow.label)
    if arrow.kind == EdgeKind.ORDER:
        found["style"] = "dashed"
    elif arrow.kind == "meet":
        found["arrowhead"] = "none"
    if arrow.tail_frame is not None:
        found["ltail"] = f"cluster_ft-c-{arrow.tail_frame}"
    if arrow.head_frame is not None:
        found["lhead"] = f"cluster_ft-c-{arrow.head_frame}"
    dot.edge(f"ft-n-{arrow.tail}", f"ft-n-{arrow.head}", **found)


def _label(lines: Iterable[str]) -> str:
    """Return lines as a DOT string that shows them literally: no escapes, entities or HTML-like labels."""
    shown = (graphviz.escape(line.replace("&", "&amp;")) for line in lines if line)
    label: str = graphviz.nohtml("\\n".join(shown))  # a subclass of str, so that `graphviz` always quotes it
    return label
