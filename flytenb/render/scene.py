"""What a picture shows: boxes with their lines of text and their size, frames around them, arrows between them.

Where they stand is left to the layout, how they look to `svg`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flytenb.model import Edge, EdgeKind, Graph, Kind, Node, NodeState, Port
from flytenb.render import captions
from flytenb.render.lettering import clean, clean_lines, fit, measure, wrap

NAME_SIZE, SMALL_SIZE = 13.0, 11.0
LINE = 15.0
LEFT, RIGHT = 14.0, 12.0
MARK = 20.0
"""Room for the phase icon at the right end of the first line."""
NARROWEST, WIDEST = 160.0, 236.0
MOST_LINES = 4
"""Lines of constants or ports in one box; the rest is counted."""
LABEL_WIDTH = 190.0


@dataclass(slots=True)
class Line:
    """One line of text in a box; `rest` is set in grey behind it."""

    text: str
    css: str
    size: float = SMALL_SIZE
    rest: str = ""


@dataclass(slots=True)
class Box:
    """One drawn node: a path's, or one of the pills that its ports are drawn as."""

    number: int
    path: str
    node: Node
    shape: str
    lines: list[Line]
    width: float
    height: float
    tip: str
    frame: int | None = None
    ports: tuple[str, ...] = ()


@dataclass(slots=True)
class Frame:
    """A container that is drawn open, around its boxes and inner frames."""

    number: int
    path: str
    node: Node
    title: Line
    tip: str
    width: float
    frame: int | None
    is_lane: bool = False


@dataclass(slots=True)
class Arrow:
    """One drawn edge. The way of a branch's result from a case to where the ways meet again has no path at its ends."""

    number: int
    tail: int
    head: int
    kind: str
    source: str
    target: str
    label: list[str] = field(default_factory=list)
    tip: str = ""
    tail_frame: int | None = None
    head_frame: int | None = None

    @property
    def label_size(self) -> tuple[float, float]:
        """Width and height that the label takes."""
        width = max(measure(line, SMALL_SIZE) for line in self.label)
        return width + (18 if self.kind == EdgeKind.CASE else 6), 14.0 * len(self.label) + 4


@dataclass(slots=True)
class Scene:
    """All of a picture. Numbers of boxes, frames and arrows are their places in the lists."""

    graph: Graph
    title: str
    subtitle: str
    notes: tuple[str, ...]
    states: Mapping[str, NodeState]
    boxes: list[Box]
    frames: list[Frame]
    arrows: list[Arrow]


def build_scene(
    graph: Graph,
    *,
    title: str | None = None,
    notes: Iterable[str] = (),
    states: Mapping[str, NodeState] | None = None,
) -> Scene:
    """Return what a picture of the graph shows."""
    build = _Builder(graph)
    return Scene(
        graph=graph,
        title=clean(title if title is not None else graph.name),
        subtitle=subtitle(graph),
        notes=tuple(map(clean, notes)),
        states=states or {},
        boxes=build.boxes,
        frames=build.frames,
        arrows=build.arrows,
    )


def subtitle(graph: Graph) -> str:
    """Return what stands behind the title: the kind, how many nodes, the settings."""
    number = sum(
        int(n.settings.get("folded", 1)) + int(n.settings.get("inside", 0))
        for n in graph.nodes.values()
        if not n.is_pseudo
    )
    root = Node("", graph.kind, graph.name, settings=graph.settings)
    kind = "workflow" if graph.kind is Kind.SUBWORKFLOW else captions.kind_phrase(root)
    return clean(" · ".join([kind, captions.count(number, "node"), *captions.badges(root)]))


class _Builder:
    """Makes the boxes first, then the arrows between them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.boxes: list[Box] = []
        self.frames: list[Frame] = []
        self.arrows: list[Arrow] = []
        self._box_at: dict[str, Box] = {}
        self._pill_at: dict[tuple[str, str], Box] = {}
        self._frame_at: dict[str, Frame] = {}
        self._meet_at: dict[str, Box] = {}
        self._open = {n.parent for n in graph.nodes.values() if n.parent and n.kind is not Kind.CONSTANT}
        for path, node in graph.nodes.items():
            self._add(path, node)
        self._add_arrows()

    # boxes

    def _add(self, path: str, node: Node) -> None:
        if path in self._open:
            if node.kind is Kind.BRANCH:  # no wall: its cases stand among the others
                self._add_box(path, node)
            else:
                self._add_frame(path, node)
        elif node.kind in (Kind.INPUTS, Kind.OUTPUTS):
            self._add_pills(path, node)
        elif node.kind is Kind.CONSTANT:
            if not self._is_written_inside(path):
                self._add_box(path, node)
        elif node.kind is Kind.FAILURE and not node.parent:
            self._add_lane(path, node)
            self._add_box(path, node)
        else:
            self._add_box(path, node)

    def _is_written_inside(self, path: str) -> bool:
        """Whether the constant needs no box, since the one node, frame or pill that takes it names it."""
        edges = self.graph.edges_from(path)
        if len(edges) != 1:
            return False
        is_whole = edges[0].input == _root(edges[0].input)
        target = self.graph.nodes[edges[0].target]
        return is_whole if target.kind in (Kind.INPUTS, Kind.OUTPUTS) else not target.is_pseudo

    def _fixed(self, door: Node) -> dict[str, str]:
        """The values of ports that are constants; those of a container's inputs are bound from outside."""
        given = captions.constants(self.graph, door.path)
        if door.kind is Kind.INPUTS:
            given += captions.constants(self.graph, door.parent)
        return {place: value for place, value in given if place == _root(place)}

    def _add_box(self, path: str, node: Node) -> Box:
        lines = self._lines(node)
        widest = max(_line_width(line) for line in lines)
        shape = shape_of(node)
        room = LEFT + RIGHT + (2 * LEFT if shape == "branch" else 0)
        if shape == "constant":
            width, height = widest + 14, 20.0
        else:
            name_width = _line_width(lines[0]) + MARK
            width = min(max(NARROWEST, widest + room, name_width + room), WIDEST + room)
            height = 14 + 17 + LINE * (len(lines) - 1)
        tip = clean_lines(captions.tooltip(self.graph, node))
        return self._put(Box(len(self.boxes), path, node, shape, lines, width, height, tip))

    def _put(self, box: Box) -> Box:
        box.frame = self._frame_around(box.path)
        self.boxes.append(box)
        self._box_at.setdefault(box.path, box)
        return box

    def _lines(self, node: Node) -> list[Line]:
        if node.kind is Kind.CONSTANT:
            return [Line(fit(clean(node.name), LABEL_WIDTH, SMALL_SIZE), "ft-const")]
        if node.kind is Kind.CASE:
            error = clean(str(node.settings.get("error", node.name)))
            return [
                Line("fails", "ft-name", NAME_SIZE),
                *(Line(t, "ft-sub") for t in wrap(error, WIDEST, SMALL_SIZE, 2)),
            ]
        lines = [Line(fit(clean(captions.label(node)), WIDEST - MARK, NAME_SIZE), "ft-name", NAME_SIZE)]
        first, *more = _caption_lines([captions.kind_phrase(node), *captions.badges(node)])
        lines.append(Line(first, "ft-sub"))
        lines += [Line(text, "ft-badge") for text in more]
        given = [f"{place} = {value}" for place, value in captions.constants(self.graph, node.path)]
        if node.kind is Kind.FAILURE:
            given += [
                f"{e.input} ← {e.output}"
                for e in self.graph.edges_into(node.path)
                if self.graph.nodes[e.source].kind is Kind.INPUTS
            ]
        lines += [Line(text, "ft-const") for text in _bounded(given)]
        return lines

    def _add_pills(self, path: str, node: Node) -> None:
        """Draw ports that go to, or come from, the same nodes as one pill: fewer arrows, and the same ones."""
        is_input = node.kind is Kind.INPUTS
        edges = self.graph.edges_from(path) if is_input else self.graph.edges_into(path)
        partners: dict[str, dict[str, None]] = {}
        for edge in edges:
            other = edge.target if is_input else edge.source
            if self._is_named_by_handler(edge):
                continue
            if self.graph.nodes[other].kind in (Kind.INPUTS, Kind.OUTPUTS):  # passed through: each to its own port
                other = f"{other}.{edge.input if is_input else edge.output}"
            partners.setdefault(_root(edge.output if is_input else edge.input), {})[other] = None
        fixed = self._fixed(node)
        ports = {
            p.name: replace(p, default=fixed.get(p.name, p.default)) for p in captions.door_ports(self.graph, node)
        }
        groups: dict[tuple[str, ...], list[Port]] = {}
        for name in dict.fromkeys((*ports, *partners)):
            port = ports.get(name) or Port(name, "", fixed.get(name))
            groups.setdefault(tuple(sorted(partners.get(name, ()))), []).append(port)
        for together in groups.values():
            pill = self._put(self._pill(path, node, together))
            self._pill_at.update(((path, port.name), pill) for port in together)

    def _pill(self, path: str, node: Node, ports: list[Port]) -> Box:
        lines = list(map(_port_line, ports if len(ports) <= MOST_LINES else ports[: MOST_LINES - 1]))
        if len(ports) > len(lines):
            lines.append(Line(f"and {len(ports) - len(lines)} more", "ft-const"))
        width = max(44.0, *(_line_width(line) + 24 for line in lines))
        signatures = map(captions.port, ports)
        docs = (f"{port.name}: {port.doc}" for port in ports if port.doc)
        tip = clean_lines("\n".join([*signatures, *docs]))
        height, names = 10 + LINE * len(lines), tuple(port.name for port in ports)
        return Box(len(self.boxes), path, node, str(node.kind), lines, width, height, tip, ports=names)

    def _add_frame(self, path: str, node: Node) -> None:
        name = fit(clean(node.name), WIDEST, NAME_SIZE)
        words = captions.caption(node)
        door = self.graph.nodes.get(f"{path}/@inputs")
        told = set() if door is None else {port.name for port in captions.door_ports(self.graph, door)}
        given = [f"{place} = {value}" for place, value in captions.constants(self.graph, path) if place not in told]
        rest = fit(clean(" · ".join([words, *_bounded(given)])), WIDEST * 1.4, SMALL_SIZE)
        title = Line(name, "ft-name", NAME_SIZE, rest)
        tip = clean_lines(captions.tooltip(self.graph, node))
        width = _line_width(title) + MARK + 24
        frame = Frame(len(self.frames), path, node, title, tip, width, self._frame_around(node.parent))
        self.frames.append(frame)
        self._frame_at[path] = frame

    def _frame_around(self, path: str) -> int | None:
        """The innermost frame at or above the path."""
        while path:
            if path in self._frame_at:
                return self._frame_at[path].number
            path = path.rpartition("/")[0]
        return None

    def _add_lane(self, path: str, node: Node) -> None:
        """A frame of its own for the failure handler, so that it hangs aside."""
        title = Line("if the workflow fails", "ft-lane-title", SMALL_SIZE)
        frame = Frame(len(self.frames), path, node, title, "", _line_width(title) + 16, None, is_lane=True)
        self.frames.append(frame)
        self._frame_at[path] = frame

    # arrows

    def _add_arrows(self) -> None:
        bundles: dict[tuple[int, int, str, str, str], list[Edge]] = {}
        for edge in self.graph.edges:
            if edge.source not in self._box_at and edge.source not in self._frame_at:
                continue  # a constant that is written inside its node
            if self._is_named_by_handler(edge):
                continue
            is_case = edge.kind is EdgeKind.CASE
            tail = self._box_at[edge.source] if is_case else self._exit(edge.source, edge.output)
            head = self._entry(edge.target, edge.input)
            bundles.setdefault((tail.number, head.number, edge.source, edge.target, edge.kind), []).append(edge)
        for (tail_number, head_number, source, target, kind), edges in bundles.items():
            arrow = Arrow(len(self.arrows), tail_number, head_number, kind, source, target)
            texts = dict.fromkeys(t for e in edges if (t := clean(captions.edge_label(self.graph, e))))
            if texts:
                arrow.label = _label_lines(list(texts), is_case=kind == EdgeKind.CASE)
            arrow.tip = clean_lines("\n".join(filter(None, (captions.binding(self.graph, e) for e in edges))))
            arrow.tail_frame = self._wall(source, edges[0].output, "@outputs")
            arrow.head_frame = self._wall(target, edges[0].input, "@inputs")
            self.arrows.append(arrow)
        for path in list(self._meet_at):
            self._add_meeting(path)

    def _is_named_by_handler(self, edge: Edge) -> bool:
        """Whether a failure handler names the workflow's input in its box: arrows to it would only cross the others."""
        source, target = self.graph.nodes[edge.source], self.graph.nodes[edge.target]
        return source.kind is Kind.INPUTS and target.kind is Kind.FAILURE and target.path not in self._open

    def _wall(self, path: str, place: str, door: str) -> int | None:
        """The frame at whose wall an arrow stops: it is about the whole container, or there is no door for its port."""
        if path not in self._frame_at or path in self._box_at:
            return None
        return None if place and f"{path}/{door}" in self._box_at else self._frame_at[path].number

    def _exit(self, path: str, output: str) -> Box:
        """The box where an edge out of the path begins."""
        node = self.graph.nodes[path]
        if node.kind is Kind.INPUTS:
            return self._pill_at.get((path, _root(output))) or self._box_at[path]
        if path not in self._open:
            return self._box_at[path]
        door = f"{path}/@outputs"
        if door in self._box_at:
            return self._pill_at.get((door, _root(output))) or self._box_at[door]
        if node.kind is Kind.BRANCH:
            return self._meeting(path)
        return self._inner(path, last=True)

    def _entry(self, path: str, place: str) -> Box:
        """The box where an edge into the path ends."""
        node = self.graph.nodes[path]
        if node.kind is Kind.OUTPUTS:
            return self._pill_at.get((path, _root(place))) or self._box_at[path]
        if path not in self._open or node.kind is Kind.BRANCH:
            return self._box_at[path]
        door = f"{path}/@inputs"
        if door in self._box_at:
            return self._pill_at.get((door, _root(place))) or self._box_at[door]
        return self._inner(path, last=False)

    def _inner(self, path: str, *, last: bool) -> Box:
        """A box inside the container, for an arrow that is cut at its wall."""
        inside = [b for b in self.boxes if b.path.startswith(f"{path}/")]
        return inside[-1 if last else 0]

    def _meeting(self, path: str) -> Box:
        """The dot where the cases of a branch meet again."""
        if path not in self._meet_at:
            box = Box(len(self.boxes), path, self.graph.nodes[path], "meet", [], 9, 9, "")
            self._put(box)
            self._meet_at[path] = box
        return self._meet_at[path]

    def _add_meeting(self, path: str) -> None:
        for edge in self.graph.edges_from(path):
            node = self.graph.nodes[edge.target]
            if edge.kind is EdgeKind.CASE and node.kind is not Kind.CASE:
                is_new = edge.target in self._open and edge.target not in self._meet_at
                tail = self._exit(edge.target, "")
                if is_new and edge.target in self._meet_at:
                    self._add_meeting(edge.target)
                head = self._meet_at[path].number
                wall = self._wall(edge.target, "", "@outputs")
                self.arrows.append(Arrow(len(self.arrows), tail.number, head, "meet", "", "", tail_frame=wall))


def shape_of(node: Node) -> str:
    """Return which outline a node gets."""
    if "folded" in node.settings:
        return "stack"
    return {
        Kind.MAP: "stack",
        Kind.BRANCH: "branch",
        Kind.GATE: "gate",
        Kind.CONSTANT: "constant",
    }.get(node.kind, "box")


def _port_line(port: Port) -> Line:
    """A port's name, and its type and value in grey."""
    name = fit(clean(port.name), WIDEST / 2, SMALL_SIZE + 1)
    rest = clean(captions.port(port).removeprefix(port.name).removeprefix(": ").strip())
    return Line(name, "ft-port", SMALL_SIZE + 1, fit(rest, WIDEST - measure(name, SMALL_SIZE + 1), SMALL_SIZE))


def _line_width(line: Line) -> float:
    width = measure(line.text, line.size)
    return width + measure(line.rest, SMALL_SIZE) + 7 if line.rest else width


def _caption_lines(parts: list[str]) -> list[str]:
    """The parts of a caption on a few lines, none broken where it fits."""
    lines: list[str] = []
    for part in map(clean, parts):
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and (measure(longer, SMALL_SIZE) <= WIDEST or len(lines) == MOST_LINES):
            lines[-1] = longer
        else:
            lines.append(part)
    return [fit(line, WIDEST, SMALL_SIZE) for line in lines]


def _label_lines(texts: list[str], *, is_case: bool) -> list[str]:
    """A condition broken over three lines, or one line for each thing that an edge must tell."""
    if is_case:
        return wrap(", ".join(texts), LABEL_WIDTH, SMALL_SIZE, 3)
    lines = [fit(text, LABEL_WIDTH, SMALL_SIZE) for text in texts]
    return lines if len(lines) <= 3 else [*lines[:2], f"and {len(lines) - 2} more"]


def _bounded(texts: list[str]) -> list[str]:
    """At most `MOST_LINES` lines of these texts, several on a line where they are many."""
    shown = [fit(clean(text), WIDEST, SMALL_SIZE) for text in texts]
    if len(shown) <= MOST_LINES:
        return shown
    lines: list[str] = []
    for i, text in enumerate(shown):
        longer = f"{lines[-1]}, {text}" if lines else text
        if lines and measure(longer, SMALL_SIZE) <= WIDEST:
            lines[-1] = longer
        elif len(lines) == MOST_LINES - 1:
            return [*lines, f"and {len(shown) - i} more"]
        else:
            lines.append(text)
    return lines


def _root(place: str) -> str:
    """The port that a place belongs to: `xs` of `xs[1]`."""
    return place.partition("[")[0].partition(".")[0]
