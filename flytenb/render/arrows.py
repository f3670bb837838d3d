"""Arrows between boxes, built from the edges of a graph."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from flytenb.model import Edge, EdgeKind, Graph, Kind
from flytenb.render import captions
from flytenb.render.boxes import Boxes
from flytenb.render.shapes import LABEL_WIDTH, SMALL_SIZE, WIDEST_LABEL, Arrow, Box, port_of
from flytenb.render.text_metrics import clean, clean_lines, fit, wrap
from flytenb.wording.quantities import more_text


def build_arrows(graph: Graph, boxes: Boxes) -> list[Arrow]:
    """Return the arrows, numbered by their index; add a join dot to `boxes` for each branch whose result is used."""
    return _Arrows(graph, boxes).all


_End = tuple[int, int | None]
"""The number of a box, and of the frame at whose border an arrow stops instead."""


class _Arrows:
    def __init__(self, graph: Graph, boxes: Boxes) -> None:
        self._graph = graph
        self._boxes = boxes
        self._texts: dict[tuple[object, ...], tuple[str, str]] = {}
        self._joins: dict[str, Box] = {}
        self._branches: list[str] = []  # branches with a join dot; adding arrows to one may create another
        self.all: list[Arrow] = []
        self._add_edges()
        for branch in self._branches:
            self._add_join_arrows(branch)

    def _add_edges(self) -> None:
        """Add one arrow for all edges of one kind between the same nodes and the same boxes."""
        bundles: dict[tuple[_End, _End, str, str, EdgeKind], list[Edge]] = {}
        doors, ends = self._boxes.doors, self._ends_at_boxes()
        for edge in self._graph.edges:
            if edge.source not in self._boxes.box_at and edge.source not in self._boxes.frame_at:
                continue  # a constant that is written inside its node's box
            if doors.told and edge in doors.told:
                continue
            if not doors.passed:  # most graphs
                start = ends.get(edge.source) or self._start(edge)
                stop = ends.get(edge.target) or self._stop(edge)
                bundles.setdefault((start, stop, edge.source, edge.target, edge.kind), []).append(edge)
            elif not self._is_inside_passed(edge):
                for before, after in product(self._exits(edge), list(self._entries(edge))):
                    key = (self._start(before[0]), self._stop(after[0]), edge.source, edge.target, edge.kind)
                    bundles.setdefault(key, []).extend(dict.fromkeys((*before, edge, *reversed(after))))
        for ((tail_box, tail_wall), (head_box, head_wall), source, target, kind), edges in bundles.items():
            texts = [self._texts_of(edge) for edge in edges]
            arrow = Arrow(len(self.all), tail_box, head_box, str(kind), source, target)
            labels = dict.fromkeys(label for label, _ in texts if label)
            if labels:
                arrow.label = _lines_of_label(list(labels), is_case=kind is EdgeKind.CASE)
            tips = [tip for _, tip in texts if tip]
            arrow.tip = tips[0] if len(tips) == 1 else clean_lines("\n".join(tips))
            arrow.tail_frame, arrow.head_frame = tail_wall, head_wall
            self.all.append(arrow)

    def _ends_at_boxes(self) -> dict[str, _End]:
        """Return the ends of arrows at nodes that are one box each, whatever their ports."""
        boxes, doors = self._boxes, (Kind.INPUTS, Kind.OUTPUTS)
        return {
            path: (box.number, None)
            for path, box in boxes.box_at.items()
            if box.node.kind not in doors and path not in boxes.open and path not in boxes.frame_at
        }

    def _texts_of(self, edge: Edge) -> tuple[str, str]:
        """Return the label and the tooltip of an edge, which are the same for all edges between the same ports."""
        graph = self._graph
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        given, taken = captions.ports_out(graph, source), captions.ports_in(graph, target)
        is_open = len(given) > 1 and captions.has_outputs_node(graph, source)
        ends = id(given), source.kind, is_open, id(taken), target.kind
        key = (*ends, edge.output, edge.input, edge.label, edge.kind)
        found = self._texts.get(key)
        if found is None:
            label, tip = captions.edge_label(graph, edge), captions.binding(graph, edge)
            found = self._texts[key] = clean(label), clean_lines(tip)
        return found

    def _is_inside_passed(self, edge: Edge) -> bool:
        """Whether the edge is drawn by the arrow that passes the port at its end."""
        doors = self._boxes.doors
        return doors.is_left_out(edge.source, port_of(edge.output)) or doors.is_left_out(
            edge.target, port_of(edge.input)
        )

    def _exits(self, edge: Edge) -> Iterator[tuple[Edge, ...]]:
        """Yield the edges where arrows for this edge start, each followed by those on the way out of containers."""
        inner = self._boxes.doors.passed.get((f"{edge.source}/@outputs", port_of(edge.output)), ())
        for at in inner:
            for way in self._exits(at):
                yield (*way, at) if way[0] is not at else way
        if not inner:
            yield (edge,)

    def _entries(self, edge: Edge) -> Iterator[tuple[Edge, ...]]:
        """Yield the edges where arrows for this edge end, each followed by those on the way into containers."""
        inner = self._boxes.doors.passed.get((f"{edge.target}/@inputs", port_of(edge.input)), ())
        for at in inner:
            for way in self._entries(at):
                yield (*way, at) if way[0] is not at else way
        if not inner:
            yield (edge,)

    def _start(self, edge: Edge) -> _End:
        is_case = edge.kind is EdgeKind.CASE
        box = self._boxes.box_at[edge.source] if is_case else self._exit(edge.source, edge.output)
        return box.number, self._wall(edge.source, edge.output, "@outputs")

    def _stop(self, edge: Edge) -> _End:
        return self._entry(edge.target, edge.input).number, self._wall(edge.target, edge.input, "@inputs")

    def _add_join_arrows(self, branch: str) -> None:
        """Add arrows from the cases of a branch to its join dot."""
        for edge in self._graph.edges_from(branch):
            if edge.kind is EdgeKind.CASE and self._graph.nodes[edge.target].kind is not Kind.CASE:
                tail, wall = self._exit(edge.target, ""), self._wall(edge.target, "", "@outputs")
                head = self._joins[branch]
                self.all.append(Arrow(len(self.all), tail.number, head.number, "meet", "", "", tail_frame=wall))

    def _wall(self, path: str, place: str, door: str) -> int | None:
        """Return the frame at whose border an arrow stops, or None if it continues to a box inside the frame."""
        if path not in self._boxes.frame_at or path in self._boxes.box_at:
            return None
        return None if place and f"{path}/{door}" in self._boxes.box_at else self._boxes.frame_at[path].number

    def _exit(self, path: str, output: str) -> Box:
        """Return the box where an edge out of the path starts."""
        node = self._graph.nodes[path]
        if node.kind is Kind.INPUTS:
            return self._boxes.pill_at.get((path, port_of(output))) or self._boxes.box_at[path]
        if path not in self._boxes.open:
            return self._boxes.box_at[path]
        door = f"{path}/@outputs"
        if door in self._boxes.box_at:
            return self._boxes.pill_at.get((door, port_of(output))) or self._boxes.box_at[door]
        if node.kind is Kind.BRANCH:
            return self._join(path)
        return self._boxes.inside(path)[-1]

    def _entry(self, path: str, place: str) -> Box:
        """Return the box where an edge into the path ends."""
        node = self._graph.nodes[path]
        if node.kind is Kind.OUTPUTS:
            return self._boxes.pill_at.get((path, port_of(place))) or self._boxes.box_at[path]
        if path not in self._boxes.open or node.kind is Kind.BRANCH:
            return self._boxes.box_at[path]
        door = f"{path}/@inputs"
        if door in self._boxes.box_at:
            return self._boxes.pill_at.get((door, port_of(place))) or self._boxes.box_at[door]
        return self._boxes.inside(path)[0]

    def _join(self, path: str) -> Box:
        """Return the join dot of a branch, added on first use."""
        if path not in self._joins:
            self._joins[path] = self._boxes.add_join(path)
            self._branches.append(path)
        return self._joins[path]


def _lines_of_label(texts: list[str], *, is_case: bool) -> list[str]:
    """Return the label's lines: one text wrapped to three lines, or one line for each edge."""
    if is_case or len(texts) == 1:
        return _wrapped(", ".join(texts), 3)
    lines = [fit(text, WIDEST_LABEL, SMALL_SIZE) for text in texts]
    return lines if len(lines) <= 3 else [*lines[:2], f"and {more_text(len(lines) - 2)}"]


def _wrapped(text: str, lines: int) -> list[str]:
    """Return a text on lines of the smallest width in which it isn't cut."""
    found: list[str] = []
    for width in (LABEL_WIDTH, WIDEST_LABEL):
        found = wrap(text, width, SMALL_SIZE, lines)
        if " ".join(found) == text:
            break
    return found
