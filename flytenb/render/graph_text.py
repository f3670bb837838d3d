"""A graph in plain characters, for terminals, screen readers and saved notebooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from flytenb.model import Edge, EdgeKind, Graph, Kind, Node, NodeState
from flytenb.render import captions
from flytenb.render.scene import subtitle
from flytenb.render.shapes import port_of
from flytenb.render.text_metrics import clean
from flytenb.wording.text import line_width

LONGEST = 160
"""Most characters of one name, type, value or condition."""


def to_text(
    graph: Graph,
    *,
    title: str | None = None,
    notes: Iterable[str] = (),
    states: Mapping[str, NodeState] | None = None,
) -> str:
    """Return the graph as a tree: one line per node, its inputs and outputs below it."""
    return "\n".join(_Text(graph, states or {}).lines(title, notes))


class _Text:
    def __init__(self, graph: Graph, states: Mapping[str, NodeState]) -> None:
        self.graph = graph
        self.states = states
        self._children: dict[str, list[Node]] = {}
        for node in graph.nodes.values():
            self._children.setdefault(node.parent, []).append(node)
        self._names = Counter(n.name for n in graph.nodes.values() if not n.is_pseudo)

    def lines(self, title: str | None, notes: Iterable[str]) -> Iterator[str]:
        head = f"{_short(self.graph.name if title is None else title)}  {subtitle(self.graph)}"
        state = self.states.get("")
        yield head if state is None else f"{head} · {captions.sign(state)} {captions.state_caption(state)}"
        yield from map(clean, notes)
        yield from self._level("", "")

    def _level(self, parent: str, indent: str) -> Iterator[str]:
        """Return the nodes directly under a parent in compiled order, inputs first and outputs last."""
        family = self._children.get(parent, [])
        yield from (f"{indent}│  in   {text}" for n in family if n.kind is Kind.INPUTS for text in self._ports(n))
        shown = [n for n in family if not n.is_pseudo or n.kind is Kind.CASE]
        out = [text for n in family if n.kind is Kind.OUTPUTS for text in self._ports(n)]
        cases = {e.target: e.label for e in self.graph.edges_from(parent) if e.kind is EdgeKind.CASE} if parent else {}
        for i, node in enumerate(shown):
            is_last = i == len(shown) - 1 and not out
            yield from self._node(node, indent, cases.get(node.path), is_last=is_last)
        for i, text in enumerate(out):
            yield f"{indent}{'└' if i == len(out) - 1 else '├'}─ out  {text}"

    def _ports(self, node: Node) -> Iterator[str]:
        fixed = dict(captions.constants(self.graph, node.path)) if node.kind is Kind.INPUTS else {}
        for port in captions.door_ports(self.graph, node):
            text = _short(captions.port(replace(port, default=fixed.get(port.name, port.default))))
            if node.kind is Kind.INPUTS:
                yield text
                continue
            edges = [e for e in self.graph.edges_into(node.path) if port_of(e.input) == port.name]
            yield f"{text} ← {', '.join(map(self._source, edges))}" if edges else text

    def _node(self, node: Node, indent: str, condition: str | None, *, is_last: bool) -> Iterator[str]:
        corner, bar = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        when = "" if condition is None else f"{_short(condition)}: "
        state = self.states.get(node.path)
        sign = "" if state is None else f"{captions.sign(state)} "
        if node.kind is Kind.CASE:
            text = _short(captions.badges(node)[0] if captions.badges(node) else node.name)
            yield f"{indent}{corner}{when}{sign}{text}{f'  ({captions.state_caption(state)})' if state else ''}"
            return
        words = [_short(captions.caption(node)), *([captions.state_caption(state)] if state else [])]
        mark = "" if "folded" in node.settings else f"{_short(node.id)}  "
        name = captions.label(node) if "label" not in node.settings else f"{captions.label(node)} [{node.name}]"
        yield f"{indent}{corner}{when}{sign}{mark}{_short(name)}  ({' · '.join(words)})"
        below = f"{indent}{bar}"
        has_inside = any(n.kind is not Kind.CONSTANT for n in self._children.get(node.path, ()))
        gutter = f"{below}{'│' if has_inside else ' '}    "
        yield from _filled(gutter, [*self._given(node), *self._result(node)])
        yield from self._level(node.path, below)

    def _given(self, node: Node) -> Iterator[str]:
        """Return what fills the inputs, and which nodes must finish first."""
        for edge in self.graph.edges_into(node.path):
            source = self.graph.nodes[edge.source]
            if source.kind is Kind.CONSTANT:
                yield f"{_short(edge.input)} = {_short(source.name)}"
            elif edge.kind is EdgeKind.DATA:
                yield f"{_short(edge.input)} ← {self._source(edge)}" if edge.input else f"← {self._source(edge)}"
            elif edge.kind is EdgeKind.ORDER:
                yield f"after {self._name(source, node.parent)}"

    def _result(self, node: Node) -> Iterator[str]:
        if node.interface.outputs:
            yield f"→ {_short(captions.outputs(node.interface))}"

    def _source(self, edge: Edge) -> str:
        """Return the source of an edge in the shortest unambiguous form: an input, a node, or one of its outputs."""
        source = self.graph.nodes[edge.source]
        if source.kind is Kind.INPUTS:
            return _short(edge.output)
        if source.kind is Kind.CONSTANT:
            return _short(source.name)
        label = captions.edge_label(self.graph, edge)
        is_plain = not edge.output or (len(source.interface.outputs) <= 1 and edge.output == port_of(edge.output))
        name = self._name(source, edge.target.rpartition("/")[0])
        shown = name if is_plain else f"{name}.{_short(edge.output)}"
        return f"{shown} ({_short(label)})" if "→" in label and "[" not in label else shown

    def _name(self, node: Node, seen_from: str) -> str:
        """Return the node's name if that is unique, its id if it is a sibling, else its path."""
        if self._names[node.name] == 1:
            return _short(node.name)
        return _short(node.id if node.parent == seen_from else node.path)


def _filled(gutter: str, parts: list[str]) -> Iterator[str]:
    """Yield the parts, comma-separated, as many per line as fit."""
    line, width = "", line_width()
    for part in parts:
        longer = f"{line}{'  ' if part.startswith('→') else ', '}{part}" if line else part
        if line and len(gutter) + len(longer) > width:
            yield gutter + line
            longer = part
        line = longer
    if line:
        yield gutter + line


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
