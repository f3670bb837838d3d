"""What of a run's graph the page shows: one layout, and which of its boxes stands for which nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from flytenb.errors import LayoutError
from flytenb.model import Graph
from flytenb.render.drawing import Drawing
from flytenb.render.folding import close_containers

_STYLE = re.compile(r"<style>.*?</style>", flags=re.S)


@dataclass(frozen=True)
class PageLayout:
    """One layout of a graph.

    Attributes:
        svg: the picture without its style sheet, which the page has once; `""` where no layout engine is there.
        text: the picture in characters.
        graph: what is drawn, after folding.
        notes: what was folded, in words.
        shown_at: for each path that isn't drawn itself, the path of the box that stands for it.
        drawing: what made it.
    """

    svg: str
    text: str
    graph: Graph
    notes: tuple[str, ...]
    shown_at: Mapping[str, str]
    drawing: Drawing | None

    @classmethod
    def of(
        cls,
        graph: Graph,
        shut: frozenset[str] | None = None,
        drawing: Drawing | None = None,
        before: Drawing | None = None,
    ) -> PageLayout:
        """Lay a graph out.

        Args:
            graph: all of it.
            shut: the containers that are closed, everything else is drawn; None folds what is too big to read.
            drawing: the graph as it folds by itself, if it was drawn already.
            before: what the page shows now; where the new picture only adds to it, the rest stays in its place.
        """
        closed = None if shut is None else close_containers(graph, shut)
        if drawing is None:
            whole = closed is None
            drawing = Drawing(graph if closed is None else closed.graph, is_folding=whole, previous=before)
        try:
            svg = _STYLE.sub("", drawing.svg, count=1)
        except LayoutError:
            svg = ""
        inner = {} if closed is None else closed.shown_at
        shown_at = {path: drawing.shown_at(inner.get(path, path)) for path in graph.nodes}
        moved = {path: at for path, at in shown_at.items() if path != at}
        return cls(svg, drawing.text, drawing.graph, drawing.notes, moved, drawing)

    @classmethod
    def nothing(cls, graph: Graph) -> PageLayout:
        """Return what there is before there is a layout."""
        return cls("", "", graph, (), {}, None)

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """The nodes behind each box that stands for others."""
        found: dict[str, list[str]] = {}
        for path, at in self.shown_at.items():
            if not path.rpartition("/")[2].startswith("@"):
                found.setdefault(at, []).append(path)
        return found

    @cached_property
    def shut(self) -> frozenset[str]:
        """The containers that are drawn closed."""
        return frozenset(path for path, node in self.graph.nodes.items() if "inside" in node.settings)

    @cached_property
    def open(self) -> frozenset[str]:
        """The containers that are drawn open, and could be closed."""
        return frozenset(path for path, node in self.graph.nodes.items() if node.children)

    def toggled(self, path: str) -> frozenset[str]:
        """Return what is to be closed after the reader opened or closed a box; a folded group opens for good."""
        if path in self.shut:
            return self.shut - {path}
        return self.shut | ({path} & self.open)

    def box_of(self, path: str) -> str | None:
        """Return the box that shows a node, None if there is none."""
        at = self.shown_at.get(path, path)
        return at if at in self.graph.nodes else None
