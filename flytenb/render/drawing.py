"""Drawings: one graph in every format, laid out when first needed."""

from __future__ import annotations

import base64
import copy
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flytenb.errors import FlytenbError, LayoutError, LayoutTimeoutError, SaveError
from flytenb.locks import cached_property
from flytenb.model import Graph, NodeState
from flytenb.render import graph_text, layout
from flytenb.render.dot import layout_dot, to_dot
from flytenb.render.folding import FoldedGraph, fold_graph, size_of
from flytenb.render.group_states import case_states, drawn_states
from flytenb.render.incremental_layout import extend_layout
from flytenb.render.mermaid import to_mermaid
from flytenb.render.page import to_page
from flytenb.render.png import to_png
from flytenb.render.polish import arrange, is_as_clear, polish
from flytenb.render.saved_svg import to_image
from flytenb.render.scene import Scene, build_scene
from flytenb.render.styling import StyleFunction, checked, styled, theme
from flytenb.render.subgraph import select_subgraph
from flytenb.render.svg import to_svg
from flytenb.render.text_metrics import clean, xml
from flytenb.wording.quantities import duration_text


def draw(
    graph: Graph,
    *,
    upstream: str | None = None,
    downstream: str | None = None,
    between: tuple[str, str] | None = None,
    depth: int | None = None,
    states: Mapping[str, NodeState] | None = None,
    title: str | None = None,
    previous: Drawing | None = None,
    style: StyleFunction | None = None,
) -> Drawing:
    """Return the drawing of a graph or of a part of it.

    Args:
        graph: the graph.
        upstream: path or name of a node; draw it and everything it depends on.
        downstream: path or name of a node; draw it and everything that depends on it.
        between: two nodes; draw them and the nodes between them.
        depth: number of open container levels; only large groups of nodes with one name are folded then. None folds
            the graph until it is readable.
        states: node states of a run, by path; `""` is the run itself.
        title: the title; the graph's name by default, none in the picture if it is empty.
        previous: an earlier drawing of the same graph with fewer nodes; nodes in both keep their relative places.
        style: the style of each node, instead of the one that `set_style` has set.

    Raises:
        UnknownNameError: if the graph has no such node.
        UsageError: if the style isn't a function or returned something else than a style.
        Exception: what the style raised.
    """
    if style is not None:
        graph = styled(graph, checked(style))
    part = select_subgraph(graph, upstream=upstream, downstream=downstream, between=between)
    return Drawing(part, depth=depth, states=states, title=title, previous=previous, is_themed=style is None)


def image_html(svg: str, name: str, text: str) -> str:
    """Return a picture as an image in HTML, which shows the text where a site removes the image's address.

    Args:
        svg: the picture.
        name: its name for screen readers.
        text: the same graph in plain characters; two lines before it have the mark of a missing image.
    """
    address = f"data:image/svg+xml;base64,{base64.b64encode(to_image(svg).encode()).decode()}"
    image = f'<img aria-label="{xml(clean(name))}" alt="&#10;&#10;{xml(text)}" src="{address}" style="max-width:none">'
    # scrolls instead of shrinking, so that text stays legible
    return f'<pre class="ft-picture" tabindex="0" style="overflow-x:auto">{image}</pre>'


class Drawing:
    """A graph's picture in every format. Created by `flytenb.draw`.

    Cheap to create: the layout runs when `svg` or `html` is first used, and is kept. Without a layout engine `svg`
    raises and the text formats still work. If the layout exceeds its time limit, the graph is folded further, and the
    picture and the text say so.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        depth: int | None = None,
        states: Mapping[str, NodeState] | None = None,
        title: str | None = None,
        is_folding: bool = True,
        previous: Drawing | None = None,
        is_themed: bool = True,
    ) -> None:
        self._uid = f"ft{secrets.token_hex(4)}"  # prefix of the ids in the SVG
        self._time_limit = layout.TIME_LIMIT
        self._whole = graph
        self._depth = depth
        self._is_folding = is_folding
        self._states = dict(states or {})
        self._title = title
        self._at: layout.Positions | None = None
        self._grown_from = previous
        self._slow: tuple[str, ...] = ()
        self._theme = theme.function if is_themed else None
        self._failures: list[str] = []

    def _at_states(self, states: Mapping[str, NodeState], title: str | None = None) -> Drawing:
        """Return the same picture with other node states and another title, without folding or layout."""
        other = copy.copy(self)
        other._uid = f"ft{secrets.token_hex(4)}"
        other._states = dict(states)
        other._title = self._title if title is None else title
        for made in ("svg", "_scene"):
            other.__dict__.pop(made, None)
        if "_scene" in self.__dict__:
            shown = self._scene.title if title is None else clean(title)
            other.__dict__["_scene"] = replace(self._scene, states=other._shown_states, title=shown)
        return other

    @cached_property
    def _themed(self) -> Graph:
        return self._whole if self._theme is None else styled(self._whole, self._theme, self._failures)

    @cached_property
    def _folded(self) -> FoldedGraph:
        return fold_graph(self._themed, self._depth) if self._is_folding else FoldedGraph(self._themed, {})

    @property
    def graph(self) -> Graph:
        """The drawn graph, after folding."""
        return self._folded.graph

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on what was folded and how to see it; containers closed by an explicit depth aren't mentioned."""
        note, failures = self._folded.note, tuple(self._failures[:1])
        if self._depth is not None and not self._slow:
            note = self._folded.grouped
        if not note:
            return failures
        way_out = "to see more: upstream, downstream, between, or a depth (which folds only crowds of one name)"
        return (*failures, *self._slow, note, way_out)

    def _shown_at(self, path: str) -> str:
        """Return the path of the drawn node for the node at `path`: itself, or the one it was folded into."""
        return self._folded.shown_at.get(path, path)

    @property
    def _shown_states(self) -> Mapping[str, NodeState]:
        if not self._states:
            return self._states
        states = drawn_states(self._states, self._folded.shown_at)
        for path in self.graph.nodes:
            states |= case_states(self.graph, path, states.get)
        return states

    @cached_property
    def _scene(self) -> Scene:
        return build_scene(self.graph, title=self._title, notes=self.notes, states=self._shown_states)

    @cached_property
    def svg(self) -> str:
        """The picture as a self-contained SVG that follows the page's theme.

        Raises:
            LayoutError: if there is no layout engine.
        """
        while True:
            scene = self._scene
            try:
                if self._at is None:
                    self._at = self._extended(scene) or arrange(scene, self._lay_out)
                return to_svg(scene, self._at, self._uid)
            except LayoutTimeoutError:
                if not self._fold_further():
                    raise

    def _extended(self, scene: Scene) -> layout.Positions | None:
        """Return the previous layout extended by the new nodes, or None if that isn't possible without worse arrows."""
        before, self._grown_from = (
            self._grown_from,
            None,
        )  # dropped, or each drawing of a long run would keep the one before it
        if before is None or before._at is None:
            return None

        at = extend_layout(
            before._scene, before._at, scene, lambda number: self._lay_out(layout_dot(scene, inside=number))
        )
        found = None if at is None else polish(scene, at)
        return found if found is not None and is_as_clear(scene, found, before._scene, before._at) else None

    def _lay_out(self, dot: str) -> layout.Positions:
        return layout.lay_out(dot, self._time_limit)

    def _fold_further(self) -> bool:
        """Fold to half the boxes after a layout that took too long; return False if nothing is left to fold."""
        before = size_of(self.graph)
        smaller = fold_graph(self._themed, None, most=before // 2)
        if size_of(smaller.graph) >= before:
            return False
        self._slow = (f"folded further, since the layout took longer than {duration_text(self._time_limit)}",)
        self._folded = smaller
        self.__dict__.pop("_scene", None)
        return True

    @property
    def dot(self) -> str:
        """The picture as labelled DOT for Graphviz."""
        return to_dot(self._scene)

    @property
    def text(self) -> str:
        """The picture in plain characters, with the same facts."""
        return graph_text.to_text(self.graph, title=self._title, notes=self.notes, states=self._shown_states)

    @property
    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart."""
        return to_mermaid(self._scene)

    @property
    def html(self) -> str:
        """The picture as a self-contained HTML page."""
        svg = self._svg_if_possible()
        return to_page(self._scene.title, svg, self.text)

    def _svg_if_possible(self) -> str | None:
        try:
            return self.svg
        except LayoutError:
            return None

    @property
    def png(self) -> bytes:
        """The picture as PNG.

        Raises:
            LayoutError: if neither resvg nor Graphviz is available; the hint says what to install.
        """
        return to_png(self._svg_if_possible(), self.dot, self._time_limit)

    def save(self, path: str | Path) -> Path:
        """Write the picture in the format given by the file's suffix and return the path.

        Raises:
            FlytenbError: if the suffix isn't supported.
            LayoutError: if the format needs a layout engine and there is none.
            SaveError: if the file can't be written.
        """
        target = Path(path)
        render = FORMATS.get(target.suffix.lower())
        if render is None:
            raise FlytenbError(f"can't save a drawing as {target.name!r}", hint=f"use one of {', '.join(FORMATS)}")
        content = render(self)
        try:
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        except OSError as e:
            why = "" if target.parent.is_dir() else f"there is no folder {str(target.parent)!r}; make it first"
            raise SaveError(f"can't write {str(target)!r}: {e.strerror}", hint=why) from e
        return target

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the picture as SVG and as text, with the metadata by which JupyterLab doesn't shrink it.

        HTML is left out: sites that show saved notebooks would choose it, and remove its images.
        """
        svg = self._svg_if_possible()
        found = {"text/plain": self.text}
        if svg is not None:
            found["image/svg+xml"] = to_image(svg, has_names=True)
        shown = {
            kind: value
            for kind, value in found.items()
            if (not include or kind in include) and kind not in (exclude or ())
        }
        return shown, {"image/svg+xml": {"unconfined": True}} if "image/svg+xml" in shown else {}

    def _inline_html(self) -> str:
        """Return the picture as an image in HTML, for outputs with other contents."""
        svg = self._svg_if_possible()
        if svg is None:
            return f"<pre>{xml(self.text)}</pre>"
        return image_html(svg, f"{self._scene.title}, {self._scene.subtitle}", self.text)

    def __repr__(self) -> str:
        return self.text


FORMATS: Mapping[str, Callable[[Drawing], str | bytes]] = {
    ".svg": lambda drawing: drawing.svg,
    ".png": lambda drawing: drawing.png,
    ".dot": lambda drawing: drawing.dot,
    ".html": lambda drawing: drawing.html,
    ".mmd": lambda drawing: drawing.mermaid,
    ".txt": lambda drawing: f"{drawing.text}\n",
}
"""The content of a file by its suffix."""
