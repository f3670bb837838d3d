"""The layout that a page shows, and which of its boxes shows which nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flytenb.errors import LayoutError
from flytenb.locks import cached_property
from flytenb.model import Graph
from flytenb.render.drawing import Drawing
from flytenb.render.folding import close_containers

_STYLE = re.compile(r"<style>.*?</style>", flags=re.S)


@dataclass(frozen=True)
class PageLayout:
    """One layout of a graph.

    Attributes:
        svg: the picture without its style sheet, which the page has once; `""` without a layout engine.
        text: the picture in plain characters.
        graph: the drawn graph, after folding.
        notes: what was folded, as text.
        shown_at: for each path that isn't drawn, the path of the box that represents it.
        drawing: the drawing, None before the first layout.
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
        """Lay out a graph.

        Args:
            graph: the whole graph.
            shut: the closed containers, all others being open; None folds what is too big to read.
            drawing: the drawing with the default folding, if it was made already.
            before: the drawing in the page; nodes in both keep their relative places.
        """
        closed = None if shut is None else close_containers(graph, shut)
        if drawing is None:
            whole = closed is None
            drawing = Drawing(graph if closed is None else closed.graph, is_folding=whole, previous=before, title="")
        try:
            svg = _STYLE.sub("", drawing.svg, count=1)
        except LayoutError:
            svg = ""
        inner = {} if closed is None else closed.shown_at
        shown_at = {path: drawing._shown_at(inner.get(path, path)) for path in graph.nodes}
        moved = {path: at for path, at in shown_at.items() if path != at}
        return cls(svg, drawing.text, drawing.graph, drawing.notes, moved, drawing)

    @classmethod
    def nothing(cls, graph: Graph) -> PageLayout:
        """Return an empty layout."""
        return cls("", "", graph, (), {}, None)

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """The nodes that each folded or closed box represents."""
        found: dict[str, list[str]] = {}
        for path, at in self.shown_at.items():
            if not path.rpartition("/")[2].startswith("@"):
                found.setdefault(at, []).append(path)
        return found

    @cached_property
    def shut(self) -> frozenset[str]:
        """The closed containers."""
        return frozenset(path for path, node in self.graph.nodes.items() if "inside" in node.settings)

    @cached_property
    def open(self) -> frozenset[str]:
        """The open containers."""
        return frozenset(path for path, node in self.graph.nodes.items() if node.children)

    def toggled(self, path: str) -> frozenset[str]:
        """Return the closed containers after a click on a box; a folded group can only be opened."""
        if path in self.shut:
            return self.shut - {path}
        return self.shut | ({path} & self.open)

    def box_of(self, path: str) -> str | None:
        """Return the box that shows a node, None if there is none."""
        at = self.shown_at.get(path, path)
        return at if at in self.graph.nodes else None
