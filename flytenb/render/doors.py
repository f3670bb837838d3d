"""Ports of workflows without a box of their own: what flows through them is drawn or written where it is used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from flytenb.model import Edge, Graph, Kind
from flytenb.render.levels import levels_of
from flytenb.render.shapes import port_of

_MOST_ARROWS = 3
"""Most arrows that pass a port without a pill, where they are bundled."""
_FAR = 2
"""Levels below its first use from which on an input of the workflow is named in the box that uses it."""


class Doors:
    """What is left out of the picture of a graph.

    Attributes:
        passed: the ports of open containers through which arrows pass, by the path of the inputs or outputs node and
            the port's name, with the edges inside.
        told: edges that are named in the box of their target, with the value if it is a constant, else `""`.
    """

    def __init__(self, graph: Graph, open_ones: Collection[str], handlers: Collection[str]) -> None:
        self._graph, self._open = graph, open_ones
        self.passed: dict[tuple[str, str], tuple[Edge, ...]] = {}
        self.told: dict[Edge, str] = {}
        for path in open_ones:
            if graph.nodes[path].kind not in (Kind.BRANCH, Kind.FAILURE):
                self._pass_inputs(path)
                self._pass_outputs(path)
        for edge in graph.edges_from("@inputs"):
            if edge.target in handlers:
                self.told[edge] = ""
        self._tell_far_inputs()

    def is_left_out(self, path: str, port: str) -> bool:
        """Whether a port of an inputs or outputs node needs no pill."""
        return (path, port) in self.passed

    def _pass_inputs(self, path: str) -> None:
        door = f"{path}/@inputs"
        outer = _by_port((e, e.input) for e in self._graph.edges_into(path))
        for port, inner in _by_port((e, e.output) for e in self._graph.edges_from(door)).items():
            given = outer.get(port, [])
            sources = [self._graph.nodes[e.source] for e in given]
            if not given or any(self._graph.nodes[e.target].kind is Kind.OUTPUTS for e in inner):
                continue
            if len(given) == 1 and sources[0].kind is Kind.CONSTANT:
                if given[0].input == port and all(self._is_box(e.target) and e.output == port for e in inner):
                    self.told.update((e, sources[0].name) for e in inner)
                    self.passed[door, port] = ()
            elif len(given) * len(inner) <= _MOST_ARROWS and all(s.kind is not Kind.CONSTANT for s in sources):
                self.passed[door, port] = tuple(inner)

    def _pass_outputs(self, path: str) -> None:
        door = f"{path}/@outputs"
        outer = _by_port((e, e.output) for e in self._graph.edges_from(path))
        for port, inner in _by_port((e, e.input) for e in self._graph.edges_into(door)).items():
            taken = outer.get(port, [])
            is_made_inside = all(self._graph.nodes[e.source].kind not in (Kind.INPUTS, Kind.CONSTANT) for e in inner)
            if is_made_inside and 0 < len(taken) * len(inner) <= _MOST_ARROWS:
                self.passed[door, port] = tuple(inner)

    def _is_box(self, path: str) -> bool:
        node = self._graph.nodes[path]
        return not node.is_pseudo and (path not in self._open or node.kind is Kind.BRANCH)

    def _is_first(self, edge: Edge) -> bool:
        """Whether the node that uses an input of the workflow is on the first level."""
        return "/" not in edge.target and all(e.source.startswith("@") for e in self._graph.edges_into(edge.target))

    def _tell_far_inputs(self) -> None:
        """Name an input of the workflow in the boxes far below its first use, instead of long arrows."""
        uses = _by_port((e, e.output) for e in self._graph.edges_from("@inputs"))
        if all(len(edges) < 2 or all(map(self._is_first, edges)) for edges in uses.values()):
            return
        levels = levels_of(self._graph).get("", {})
        for edges in uses.values():
            level = {e: levels.get(e.target.partition("/")[0], 0) + e.target.count("/") for e in edges}
            first = min(level.values())
            self.told.update((e, "") for e in edges if level[e] >= first + _FAR and self._is_box(e.target))


def _by_port(edges: Iterable[tuple[Edge, str]]) -> Mapping[str, list[Edge]]:
    """Return edges by the port of the place that is given with each."""
    found: dict[str, list[Edge]] = {}
    for edge, place in edges:
        if place:
            found.setdefault(port_of(place), []).append(edge)
    return found
