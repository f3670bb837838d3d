"""Arrows between boxes, built from the edges of a graph."""

from __future__ import annotations

from flytenb.model import Edge, EdgeKind, Graph, Kind
from flytenb.render import captions
from flytenb.render.boxes import Boxes
from flytenb.render.shapes import LABEL_WIDTH, SMALL_SIZE, Arrow, Box, port_of
from flytenb.render.text_metrics import clean, clean_lines, fit, wrap
from flytenb.wording.quantities import more_text


def build_arrows(graph: Graph, boxes: Boxes) -> list[Arrow]:
    """Return the arrows, numbered by their index; add a join dot to `boxes` for each branch whose result is used."""
    return _Arrows(graph, boxes).all


class _Arrows:
    def __init__(self, graph: Graph, boxes: Boxes) -> None:
        self._graph = graph
        self._boxes = boxes
        self._joins: dict[str, Box] = {}
        self._branches: list[str] = []  # branches with a join dot; adding arrows to one may create another
        self.all: list[Arrow] = []
        self._add_edges()
        for branch in self._branches:
            self._add_join_arrows(branch)

    def _add_edges(self) -> None:
        """Add one arrow for all edges of one kind between the same nodes and the same boxes."""
        bundles: dict[tuple[int, int, str, str, EdgeKind], list[Edge]] = {}
        for edge in self._graph.edges:
            if edge.source not in self._boxes.box_at and edge.source not in self._boxes.frame_at:
                continue  # a constant that is written inside its node's box
            if self._boxes.is_named_by_handler(edge):
                continue
            is_case = edge.kind is EdgeKind.CASE
            tail = self._boxes.box_at[edge.source] if is_case else self._exit(edge.source, edge.output)
            head = self._entry(edge.target, edge.input)
            bundles.setdefault((tail.number, head.number, edge.source, edge.target, edge.kind), []).append(edge)
        for (tail_number, head_number, source, target, kind), edges in bundles.items():
            arrow = Arrow(len(self.all), tail_number, head_number, str(kind), source, target)
            texts = dict.fromkeys(text for e in edges if (text := clean(captions.edge_label(self._graph, e))))
            if texts:
                arrow.label = _lines_of_label(list(texts), is_case=kind is EdgeKind.CASE)
            arrow.tip = clean_lines("\n".join(filter(None, (captions.binding(self._graph, e) for e in edges))))
            arrow.tail_frame = self._wall(source, edges[0].output, "@outputs")
            arrow.head_frame = self._wall(target, edges[0].input, "@inputs")
            self.all.append(arrow)

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
    """Return the label's lines: a condition wrapped to three lines, or one line for each edge."""
    if is_case:
        return wrap(", ".join(texts), LABEL_WIDTH, SMALL_SIZE, 3)
    lines = [fit(text, LABEL_WIDTH, SMALL_SIZE) for text in texts]
    return lines if len(lines) <= 3 else [*lines[:2], f"and {more_text(len(lines) - 2)}"]
