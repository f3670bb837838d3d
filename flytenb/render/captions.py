"""Texts of nodes, edges and states that all formats of a drawing share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flytenb.model import CacheStatus, Edge, EdgeKind, Graph, Interface, Kind, Node, NodeState, Phase, Port
from flytenb.wording.kinds import constant_text, kind_text, phase_sign, phase_words
from flytenb.wording.quantities import count_text, duration_text

_SOURCE_SIGNS = {CacheStatus.HIT: "⚡", CacheStatus.REUSED: "↻"}
_SOURCES = {CacheStatus.HIT: "hit", CacheStatus.REUSED: "re-used"}


def kind_phrase(node: Node) -> str:
    """Return the kind of a node, with the entity that it uses: `map of inc`, `reference task`."""
    word, of = kind_text(node.kind), node.settings.get("of")
    if of is None or of == node.name:
        return word
    if node.kind is Kind.REFERENCE:
        return f"{word} {of}"
    if node.kind is Kind.FAILURE:
        return f"{word} · {of}"
    return f"{word} of {of}"


def badges(node: Node) -> list[str]:
    """Return the settings of a node as short texts, the most important first; a plain task has none."""
    s = node.settings
    found: list[str] = []
    if "inside" in s:
        found.append(f"{count_text(int(s['inside']), 'node')} inside")
    if "levels" in s:
        found.append("one after the other" if s["levels"] == s.get("folded") else f"on {s['levels']} levels")
    if "alias" in s:
        found.append(f"as {s['alias']}")
    if "gate" in s:
        found.append(str(s["gate"]))
    if "duration" in s:
        found.append(duration_text(float(s["duration"])))
    found += [f"{key} {s[key]}" for key in ("fixed", "schedule") if key in s]
    if "concurrency" in s:
        found.append(f"{s['concurrency']} at a time")
    if "min_success_ratio" in s and float(s["min_success_ratio"]) != 1:
        found.append(f"≥ {float(s['min_success_ratio']):.0%} must succeed")
    if "min_successes" in s:
        found.append(f"≥ {s['min_successes']} must succeed")
    if s.get("retries"):
        found.append(count_text(int(s["retries"]), "retry", "retries"))
    if "timeout" in s:
        found.append(f"timeout {duration_text(float(s['timeout']))}")
    if "cache" in s:
        found.append(_cache_badge(s["cache"], is_serial=bool(s.get("cache_serialize"))))
    if s.get("interruptible"):
        found.append("interruptible")
    if s.get("failure_policy"):
        found.append(constant_text(str(s["failure_policy"])))
    found += [f"{s[key]} {unit}" for key, unit in (("cpu", "cpu"), ("mem", "mem"), ("gpu", "gpu")) if key in s]
    program = [str(s[key]) for key in ("language", "task_type", "image") if key in s]
    found += [] if "language" in s else program
    where = "/".join(str(s[key]) for key in ("project", "domain") if s.get(key))
    if where:
        found.append(where)
    if s.get("version"):
        found.append(f"version {s['version']}")
    if "error" in s:
        found.append(f"fails: {s['error']}")
    if "names" in s:
        found.append(count_text(int(s["folded"]), "node"))
    if "badge" in s:
        found.append(str(s["badge"]))
    if "language" in s:
        found.append(" · ".join(program))
    return [*found, f"stale: {s['stale']}"] if "stale" in s else found


def _cache_badge(version: object, *, is_serial: bool) -> str:
    text = str(version)
    shown = f"cached {text}" if text and not isinstance(version, bool) and len(text) <= 8 else "cached"
    return f"{shown}, one at a time" if is_serial else shown


def label(node: Node) -> str:
    """Return the first line of a node: its name or label; of folded ones `process × 40`, or their names."""
    number, name = node.settings.get("folded"), str(node.settings.get("label", node.name))
    if number is None:
        return name
    return str(node.settings["names"]) if "names" in node.settings else f"{name} × {number}"


def caption(node: Node) -> str:
    """Return the second line of a node: `task · 2 retries · cached`."""
    return " · ".join([kind_phrase(node), *badges(node)])


def state_caption(state: NodeState, *, is_short: bool = False) -> str:
    """Return the second line of a node of a run: `running · 37/100 · 1.3 s`, and `1.3 s · hit` when it succeeded.

    Args:
        state: the state.
        is_short: leave out the phase, which the mark of the box shows, where more follows: `37/100 · 1.3 s`.
    """
    parts = _state_parts(state)
    if not has_words(state) or (is_short and len(parts) > 1):
        del parts[0]
    return " · ".join(parts)


def has_words(state: NodeState) -> bool:
    """Tell whether the second line begins with the phase; a node that succeeded has its time and its mark."""
    return state.phase is not Phase.SUCCEEDED or state.duration is None


def state_text(state: NodeState) -> str:
    """Return the state of a node where no picture shows its phase: `succeeded · 1.3 s · hit`."""
    return " · ".join(_state_parts(state))


def _state_parts(state: NodeState) -> list[str]:
    parts = [phase_words(state.phase, has_started=state.has_started)]
    if state.total:
        parts.append(f"{state.done}/{state.total}")
    if state.duration is not None and state.phase not in (Phase.QUEUED, Phase.SKIPPED):
        parts.append(duration_text(state.duration))
    if state.cache in _SOURCES:
        parts.append(_SOURCES[state.cache])
    if state.attempts > 1:
        parts.append(count_text(state.attempts, "attempt"))
    if state.place:
        parts.append("on the cluster")
    return parts


def sign(state: NodeState) -> str:
    """Return the phase as one character, for text."""
    return _SOURCE_SIGNS[state.source] if state.source is not None else phase_sign(state.phase)


def port(each: Port) -> str:
    """Return a port as in a signature: `n: int = 3`."""
    shown = f"{each.name}: {each.type}" if each.type else each.name
    return shown if each.default is None else f"{shown} = {each.default}"


def signature(name: str, interface: Interface) -> str:
    """Return `name(x: int = 3) -> list[int]`; several outputs are named."""
    inputs = ", ".join(map(port, interface.inputs))
    return f"{name}({inputs}) -> {outputs(interface)}"


def outputs(interface: Interface) -> str:
    """Return the type of the only output, `None`, or all outputs with names in brackets."""
    ports = interface.outputs
    if len(ports) == 1 and ports[0].name in ("o0", ""):
        return ports[0].type
    return f"({', '.join(map(port, ports))})" if ports else "None"


def door_ports(graph: Graph, node: Node) -> tuple[Port, ...]:
    """Return the ports of an inputs or outputs node.

    They are its own inputs or outputs; if it has neither, those of the entity around it.
    """
    own = node.interface.outputs or node.interface.inputs
    if own:
        return own
    around = graph.nodes[node.parent].interface if node.parent else graph.interface
    return around.inputs if node.kind is Kind.INPUTS else around.outputs


def constants(graph: Graph, path: str) -> list[tuple[str, str]]:
    """Return the constant inputs of a node: the position and the text of each."""
    return [
        (e.input, graph.nodes[e.source].name)
        for e in graph.edges_into(path)
        if graph.nodes[e.source].kind is Kind.CONSTANT
    ]


def type_at(ports: Iterable[Port], place: str) -> str:
    """Return the declared type of the port at a position such as `o0`, `""` for a part of a port."""
    for each in ports:
        if each.name == place:
            return each.type
    return ""


def binding(graph: Graph, edge: Edge) -> str:
    """Return the full text of an edge: `train: DataFrame → frame`, `after`, or the condition."""
    if not edge.output and not edge.input:
        return edge.label or ("after" if edge.kind is EdgeKind.ORDER else "")
    source = graph.nodes[edge.source]
    type_ = type_at(ports_out(graph, source), edge.output)
    given = f"{edge.output}: {type_}" if type_ else edge.output
    return f"{given} → {edge.input}"


def edge_label(graph: Graph, edge: Edge) -> str:
    """Return the label of an edge, `""` if it is clear from the two nodes.

    That is a condition, one of several outputs, a part of an output, a position in a list or map, or a change of type.
    """
    if edge.label or not (edge.output or edge.input):
        return edge.label
    source, target = graph.nodes[edge.source], graph.nodes[edge.target]
    given, taken = ports_out(graph, source), ports_in(graph, target)
    out_type, in_type = type_at(given, edge.output), type_at(taken, edge.input)
    parts = []
    if _must_name_output(graph, source, edge.output):
        has_type = out_type and target.kind is not Kind.OUTPUTS and len({p.type for p in given}) > 1
        parts.append(f"{edge.output}: {out_type}" if has_type else edge.output)
    if "[" in edge.input:
        parts.append(edge.input)
    if out_type and in_type and not _is_same(out_type, in_type):
        parts = [f"{edge.output}: {out_type} → {in_type}" if parts else f"{out_type} → {in_type}"]
    return " → ".join(parts)


def _must_name_output(graph: Graph, source: Node, output: str) -> bool:
    """Whether it is one of several outputs without a box of their own, or a part of an output."""
    given = ports_out(graph, source)
    if len(given) == 1:
        return output not in ("", given[0].name)
    if output and all(port.name != output for port in given):
        return True
    return len(given) > 1 and source.kind is not Kind.INPUTS and not has_outputs_node(graph, source)


def has_outputs_node(graph: Graph, node: Node) -> bool:
    """Whether the outputs of a container have a node inside."""
    return f"{node.path}/@outputs" in graph.nodes


def ports_out(graph: Graph, node: Node) -> tuple[Port, ...]:
    """Return the ports from which edges leave a node."""
    return door_ports(graph, node) if node.kind is Kind.INPUTS else node.interface.outputs


def ports_in(graph: Graph, node: Node) -> tuple[Port, ...]:
    """Return the ports at which edges enter a node."""
    return door_ports(graph, node) if node.kind is Kind.OUTPUTS else node.interface.inputs


def _is_same(given: str, taken: str) -> bool:
    """Whether the types are equal, or the second is a union with the first."""
    return given == taken or given in taken.split(" | ")


def tooltip(graph: Graph, node: Node, facts: Sequence[str] | None = None) -> str:
    """Return all facts about a node, one per line.

    Args:
        graph: the graph.
        node: the node.
        facts: the result of `about`, if it is known.
    """
    own, signed, *rest = about(node) if facts is None else facts
    lines = [f"{node.path} · {own}"]
    if signed:
        lines.append(signed)
    given, taken = [], []
    for edge in graph.edges_into(node.path):
        source = graph.nodes[edge.source]
        if source.kind is Kind.CONSTANT:
            given.append(f"{edge.input} = {source.name}")
        elif edge.input:
            taken.append(f"{edge.input} ← {source.name}.{edge.output}")
    return "\n".join([*lines, *given, *taken, *rest])


def about(node: Node) -> tuple[str, ...]:
    """Return the facts about a node without its edges: caption, signature (or `""`), value, decorators, docstring."""
    has_ports = not node.is_pseudo and (node.interface.inputs or node.interface.outputs)
    found = [caption(node), signature(node.name, node.interface) if has_ports else ""]
    found += [str(node.settings[key]) for key in ("value", "decorators") if key in node.settings]
    if node.interface.doc:
        found.append(node.interface.doc)
    return tuple(found)


def result(node: Node) -> str:
    """Return the type of the outputs for a box: `→ list[int]`, `→ 2 × Model`.

    Outputs of different types are on the edges instead.
    """
    ports = node.interface.outputs
    types = {port.type for port in ports}
    if len(types) != 1 or "" in types:
        return ""
    return f"→ {types.pop()}" if len(ports) == 1 else f"→ {len(ports)} × {types.pop()}"
