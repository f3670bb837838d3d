"""Boxes and frames for the nodes of a graph: their text and their size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from flytenb.model import Edge, Graph, Kind, Node, Port
from flytenb.render import captions
from flytenb.render.doors import Doors
from flytenb.render.shapes import (
    LEFT,
    LINE,
    MARK,
    MOST_LINES,
    NAME_SIZE,
    NARROWEST,
    RIGHT,
    SMALL_SIZE,
    WIDEST,
    WIDEST_LABEL,
    Box,
    Frame,
    Line,
    port_of,
)
from flytenb.render.text_metrics import clean, clean_lines, fit, measure, wrap
from flytenb.wording.kinds import kind_text
from flytenb.wording.quantities import more_text

_SUB_WIDTHS = 120.0, 176.0
"""Pixels that the lines below a shorter name may take before they are wrapped, and where that makes too many lines."""
_MOST_NARROW = 3
"""Most lines below a name that are wrapped to the smaller width."""
_DOTTED = 132.0
"""Pixels above which a dotted name loses its modules."""
_PROGRESS, _ATTEMPTS, _BOTH, _QUESTION = 107.0, 119.0, 150.0, 95.0
"""Pixels of text of a state in a run with progress, attempts or both, and of `waits for an answer`, compressed."""
_DOORS = frozenset((Kind.INPUTS, Kind.OUTPUTS))
_SHAPES = {Kind.MAP: "stack", Kind.BRANCH: "branch", Kind.GATE: "gate", Kind.CONSTANT: "constant"}
_STEP = 12.0
"""Widths of boxes are multiples of it, so that boxes with names of similar length are equal."""


@dataclass(frozen=True, slots=True)
class _NodeText:
    """Outline and text of a node's box that don't depend on the node's position in the graph, and their width."""

    shape: str
    lines: tuple[Line, ...]
    about: tuple[str, ...]
    width: float

    @classmethod
    def of(cls, node: Node) -> _NodeText:
        head = Line(_fitted_name(captions.label(node), WIDEST - MARK), "ft-name", NAME_SIZE)
        kind, type_ = captions.kind_phrase(node), clean(captions.result(node))
        is_plain = node.kind is Kind.TASK and kind == kind_text(Kind.TASK)
        kinds = [type_] if type_ and is_plain else [kind, *([type_] if type_ else ())]  # plain tasks need no word
        badges = captions.badges(node)
        stale = wrap(clean(badges.pop()), WIDEST, SMALL_SIZE, 2) if "stale" in node.settings else []
        kept = [badges.pop() for key in ("language", "badge") if key in node.settings]  # a run's state replaces a line
        own = _narrow_lines(kinds, badges, head.width + MARK)
        first, *more = [*own, *_caption_lines(kept[::-1], WIDEST), *stale]
        lines = (head, Line(first, "ft-sub"), *(Line(text, "ft-badge") for text in more))
        shape = _shape_of(node)
        widest = max(head.width + MARK, _state_width(node, shape), *(line.width for line in lines))
        return cls(shape, lines, captions.about(node), _box_width(shape, widest))


class Boxes:
    """All boxes and frames of a graph, and the lookup from paths and ports to them.

    Attributes:
        all: the boxes, numbered by their index.
        frames: the frames, numbered by their index.
        box_at: the first box of each path that has one.
        pill_at: the box of each port of an inputs or outputs node, by the node's path and the port's name.
        frame_at: the frame of each path that has one.
        open: the paths of containers that are drawn open.
        doors: the ports and edges that have no pill and no arrow.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.all: list[Box] = []
        self.frames: list[Frame] = []
        self.box_at: dict[str, Box] = {}
        self.pill_at: dict[tuple[str, str], Box] = {}
        self.frame_at: dict[str, Frame] = {}
        self._texts: dict[tuple[object, ...], _NodeText] = {}
        self.open = {node.parent for node in graph.nodes.values() if node.parent and self._has_box(node)}
        failures = (path for path, node in graph.nodes.items() if node.kind is Kind.FAILURE)
        self.doors = Doors(graph, self.open, {path for path in failures if path not in self.open})
        constants = (path for path, node in graph.nodes.items() if node.kind is Kind.CONSTANT)
        self._with_constants = {edge.target for path in constants for edge in graph.edges_from(path)}
        for path, node in graph.nodes.items():
            self._add(path, node)

    def add_join(self, path: str) -> Box:
        """Add the dot where the cases of a branch join."""
        return self._put(Box(len(self.all), path, self.graph.nodes[path], "meet", [], 9, 9, ""))

    def inside(self, path: str) -> list[Box]:
        """Return the boxes inside a container."""
        return [box for box in self.all if box.path.startswith(f"{path}/")]

    def _has_box(self, node: Node) -> bool:
        """Whether the node has its own box: a constant is written into others, an inputs node may have no ports."""
        if node.kind is Kind.INPUTS:
            return bool(captions.door_ports(self.graph, node) or self.graph.edges_from(node.path))
        if node.kind is Kind.OUTPUTS:
            return bool(captions.door_ports(self.graph, node) or self.graph.edges_into(node.path))
        return node.kind is not Kind.CONSTANT

    def _add(self, path: str, node: Node) -> None:
        if path in self.open:
            if node.kind is Kind.BRANCH:  # a branch has no frame: its cases are drawn among the other nodes
                self._add_box(path, node)
            else:
                self._add_frame(path, node)
        elif node.kind in _DOORS:
            self._add_pills(path, node)
        elif node.kind is Kind.CONSTANT:
            if not self._is_written_inside(path):
                self._add_box(path, node)
        elif node.kind is Kind.FAILURE and not node.parent:
            self._add_handler_frame(path, node)
            self._add_box(path, node)
        else:
            self._add_box(path, node)

    def _is_written_inside(self, path: str) -> bool:
        """Whether the constant needs no box because it goes to exactly one node, frame or pill, which names it."""
        edges = self.graph.edges_from(path)
        if len(edges) != 1:
            return False
        is_whole = edges[0].input == port_of(edges[0].input)
        target = self.graph.nodes[edges[0].target]
        return is_whole if target.kind in (Kind.INPUTS, Kind.OUTPUTS) else not target.is_pseudo

    def _fixed(self, door: Node) -> dict[str, str]:
        """Return the constant values of ports; those of a container's inputs are bound outside of it."""
        given = captions.constants(self.graph, door.path)
        if door.kind is Kind.INPUTS:
            given += captions.constants(self.graph, door.parent)
        return {place: value for place, value in given if place == port_of(place)}

    def _add_box(self, path: str, node: Node) -> Box:
        text = self._text_of(node)
        if node.kind is Kind.CONSTANT:
            lines = [Line(fit(clean(node.name), WIDEST_LABEL, SMALL_SIZE), "ft-const")]
            width, height = lines[0].width + 14, 20.0
        else:
            own, width = (_case_lines(node), 0.0) if node.kind is Kind.CASE else (text.lines, text.width)
            given = () if node.kind is Kind.CASE else self._given_lines(node)
            lines = [*own, *given]
            if given or not width:
                width = max(width, _box_width(text.shape, max(lines[0].width + MARK, *(line.width for line in lines))))
            height = 28 + LINE * (len(lines) - 1)
        tip = clean_lines(captions.tooltip(self.graph, node, text.about))
        return self._put(Box(len(self.all), path, node, text.shape, lines, width, height, tip))

    def _put(self, box: Box) -> Box:
        box.frame = self._frame_around(box.path)
        self.all.append(box)
        self.box_at.setdefault(box.path, box)
        return box

    def _given_lines(self, node: Node) -> list[Line]:
        """Return the lines of the constants of a node and of its inputs without an arrow."""
        if node.path not in self._with_constants and not self.doors.told:
            return []
        given = [f"{place} = {value}" for place, value in captions.constants(self.graph, node.path)]
        if self.doors.told:
            told = ((edge, self.doors.told.get(edge)) for edge in self.graph.edges_into(node.path))
            given += [_told(edge, value) for edge, value in told if value is not None]
        return [Line(text, "ft-const") for text in _bounded(given)]

    def _text_of(self, node: Node) -> _NodeText:
        """Return the text shared by all nodes with the same entity and settings, computed once."""
        key = (node.kind, node.name, id(node.interface), *node.settings.items())
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = _NodeText.of(node)
        return found

    def _add_pills(self, path: str, node: Node) -> None:
        """Draw ports that are connected to the same nodes as one pill, to save arrows."""
        is_input = node.kind is Kind.INPUTS
        edges = self.graph.edges_from(path) if is_input else self.graph.edges_into(path)
        partners: dict[str, dict[str, None]] = {}
        for edge in edges:
            other = edge.target if is_input else edge.source
            if edge in self.doors.told:
                continue
            if self.graph.nodes[other].kind in (
                Kind.INPUTS,
                Kind.OUTPUTS,
            ):  # passed through from input to output: each to its own port
                other = f"{other}.{edge.input if is_input else edge.output}"
            partners.setdefault(port_of(edge.output if is_input else edge.input), {})[other] = None
        fixed = self._fixed(node)
        ports = {
            p.name: replace(p, default=fixed.get(p.name, p.default)) for p in captions.door_ports(self.graph, node)
        }
        groups: dict[tuple[str, ...], list[Port]] = {}
        for name in dict.fromkeys((*ports, *partners)):
            if self.doors.is_left_out(path, name):
                continue
            port = ports.get(name) or Port(name, "", fixed.get(name))
            groups.setdefault(tuple(sorted(partners.get(name, ()))), []).append(port)
        for together in groups.values():
            pill = self._put(self._pill(path, node, together))
            self.pill_at.update(((path, port.name), pill) for port in together)

    def _pill(self, path: str, node: Node, ports: list[Port]) -> Box:
        lines = list(map(_port_line, ports if len(ports) <= MOST_LINES else ports[: MOST_LINES - 1]))
        if len(ports) > len(lines):
            lines.append(Line(f"and {more_text(len(ports) - len(lines))}", "ft-const"))
        width = max(44.0, *(line.width + 24 for line in lines))
        signatures = map(captions.port, ports)
        docs = (f"{port.name}: {port.doc}" for port in ports if port.doc)
        tip = clean_lines("\n".join([*signatures, *docs]))
        height, names = 10 + LINE * len(lines), tuple(port.name for port in ports)
        return Box(len(self.all), path, node, str(node.kind), lines, width, height, tip, ports=names)

    def _add_frame(self, path: str, node: Node) -> None:
        name = _fitted_name(captions.label(node), WIDEST)
        words = [captions.kind_phrase(node), *captions.badges(node)]
        if node.kind is Kind.SUBWORKFLOW:  # clear from the frame
            del words[0]
        door = self.graph.nodes.get(f"{path}/@inputs")
        named = set() if door is None else {port.name for port in captions.door_ports(self.graph, door)}
        given = [f"{place} = {value}" for place, value in captions.constants(self.graph, path) if place not in named]
        rest = fit(clean(" · ".join([*words, *_bounded(given)])), WIDEST * 1.4, SMALL_SIZE)
        title = Line(name, "ft-name", NAME_SIZE, rest)
        tip = clean_lines(captions.tooltip(self.graph, node))
        width = title.width + MARK + 24
        frame = Frame(len(self.frames), path, node, title, tip, width, self._frame_around(node.parent))
        self.frames.append(frame)
        self.frame_at[path] = frame

    def _frame_around(self, path: str) -> int | None:
        """Return the innermost frame at or above the path."""
        while path and self.frames:
            if path in self.frame_at:
                return self.frame_at[path].number
            path = path.rpartition("/")[0]
        return None

    def _add_handler_frame(self, path: str, node: Node) -> None:
        """Add a frame of its own for the failure handler, beside the other nodes."""
        title = Line("if the workflow fails", "ft-lane-title", SMALL_SIZE)
        frame = Frame(len(self.frames), path, node, title, "", title.width + 16, None, is_handler=True)
        self.frames.append(frame)
        self.frame_at[path] = frame


def _case_lines(node: Node) -> list[Line]:
    """Return the lines of a case that fails."""
    error = wrap(clean(str(node.settings.get("error", node.name))), WIDEST, SMALL_SIZE, 2)
    return [Line("fails", "ft-name", NAME_SIZE), *(Line(text, "ft-sub") for text in error)]


def _state_width(node: Node, shape: str) -> float:
    """Return the room for the states of a run; most have a short form, which fits the narrowest box."""
    if node.settings.get("retries"):
        return _BOTH if shape == "stack" else _ATTEMPTS
    return {"stack": _PROGRESS, "gate": _QUESTION}.get(shape, 0.0)


def _box_width(shape: str, widest: float) -> float:
    """Return the width of a box around lines of a width."""
    room = LEFT + RIGHT + (2 * LEFT if shape == "branch" else 0)
    return ceil(max(NARROWEST, widest + room) / _STEP) * _STEP


def _told(edge: Edge, value: str) -> str:
    """Return an input without an arrow: `x ← threshold`, or `← threshold` if both have one name."""
    own = "" if edge.input == edge.output else edge.input
    if value:
        return f"{own} ← {edge.output} = {value}" if own else f"{edge.output} = {value}"
    return f"{own} ← {edge.output}".strip()


def _shape_of(node: Node) -> str:
    """Return the name of a node's outline."""
    if "folded" in node.settings:
        return "box" if "levels" in node.settings else "stack"  # only what is side by side is a stack
    return _SHAPES.get(node.kind, "box")


def _fitted_name(name: str, width: float) -> str:
    """Return the name, cut to a width; a dotted name loses its modules first."""
    name = shown = clean(name)
    while measure(shown, NAME_SIZE) > min(width, _DOTTED) and "." in name:
        name = name.partition(".")[2]
        shown = f"…{name}"
    return fit(shown, width, NAME_SIZE)


def _port_line(port: Port) -> Line:
    """Return a port's name, followed by its type and value in grey."""
    name = fit(clean(port.name), WIDEST / 2, SMALL_SIZE + 1)
    rest = clean(captions.port(port).removeprefix(port.name).removeprefix(": ").strip())
    return Line(name, "ft-port", SMALL_SIZE + 1, fit(rest, WIDEST - measure(name, SMALL_SIZE + 1), SMALL_SIZE))


def _narrow_lines(kinds: list[str], badges: list[str], name: float) -> list[str]:
    """Return the kind with its type, and the settings, on lines of the smallest width that needs few lines."""
    lines: list[str] = []
    for most in _SUB_WIDTHS:
        width = max(name, most)
        kind = " ".join(kinds)
        lines = _caption_lines([*([kind] if measure(kind, SMALL_SIZE) <= width else kinds), *badges], width)
        if len(lines) <= _MOST_NARROW:
            break
    return lines


def _caption_lines(parts: list[str], width: float) -> list[str]:
    """Return the parts of a caption on as few lines as they fit; only a single part is wider."""
    lines: list[str] = []
    for part in map(clean, parts):
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and (measure(longer, SMALL_SIZE) <= width or len(lines) == MOST_LINES):
            lines[-1] = longer
        else:
            lines.append(part)
    return [fit(line, WIDEST, SMALL_SIZE) for line in lines]


def _bounded(texts: list[str]) -> list[str]:
    """Return the texts on at most `MOST_LINES` lines, joined by commas where there are many."""
    shown = [fit(clean(text), WIDEST, SMALL_SIZE) for text in texts]
    if len(shown) <= MOST_LINES:
        return shown
    lines: list[str] = []
    for i, text in enumerate(shown):
        longer = f"{lines[-1]}, {text}" if lines else text
        if lines and measure(longer, SMALL_SIZE) <= WIDEST:
            lines[-1] = longer
        elif len(lines) == MOST_LINES - 1:
            return [*lines, f"and {more_text(len(shown) - i)}"]
        else:
            lines.append(text)
    return lines
