"""All that a picture shows, from a graph; where it stands is left to the layout, how it looks to `svg`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flytenb.model import Graph, Kind, Node, NodeState
from flytenb.render import captions
from flytenb.render.arrows import build_arrows
from flytenb.render.boxes import Boxes
from flytenb.render.shapes import Arrow, Box, Frame
from flytenb.render.text_metrics import clean


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
    boxes = Boxes(graph)
    arrows = build_arrows(graph, boxes)
    return Scene(
        graph=graph,
        title=clean(title if title is not None else graph.name),
        subtitle=subtitle(graph),
        notes=tuple(map(clean, notes)),
        states=states or {},
        boxes=boxes.all,
        frames=boxes.frames,
        arrows=arrows,
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
