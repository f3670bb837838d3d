"""Scenes: the boxes, frames, arrows and texts of a picture, before layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flytenb.model import Graph, Kind, Node, NodeState
from flytenb.render import captions
from flytenb.render.arrows import build_arrows
from flytenb.render.boxes import Boxes
from flytenb.render.shapes import Arrow, Box, Frame
from flytenb.render.text_metrics import clean
from flytenb.wording.kinds import entity_text
from flytenb.wording.quantities import count_text


@dataclass(slots=True)
class Scene:
    """Contents of a picture. Boxes, frames and arrows are numbered by their index."""

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
    """Return the scene of a graph."""
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
    """Return the text after the title: the kind, the number of nodes, the settings."""
    number = sum(
        int(n.settings.get("folded", 1)) + int(n.settings.get("inside", 0))
        for n in graph.nodes.values()
        if not n.is_pseudo
    )
    root = Node("", graph.kind, graph.name, settings=graph.settings)
    kind = captions.kind_phrase(root) if graph.kind is not Kind.SUBWORKFLOW else entity_text(graph.kind)
    size = [count_text(number, "node")]
    if "part" in graph.settings:
        size = [f"{number} of {count_text(int(graph.settings['whole']), 'node')}", str(graph.settings["part"])]
    return clean(" · ".join([kind, *size, *captions.badges(root)]))
