"""Entity cards: a workflow's drawing or a task's signature, shown for the last line of a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from flytenb.bridge.entities.interface import (
    inner_workflow,
    kind_of,
    read_interface,
    read_settings,
    short_name,
)
from flytenb.bridge.entities.source import config_of, where_defined
from flytenb.bridge.workflow.graph import read_graph
from flytenb.display.part import Column, Facts, Group, Part, Table, Text, TrustedHtml, named_part
from flytenb.display.rendering import render_part
from flytenb.display.runs.error_message import message_lines
from flytenb.errors import FlytenbError
from flytenb.model import Graph, Interface, Kind, Port
from flytenb.reach.code_parts import cell_name
from flytenb.reach.staleness import as_compiled_before, recompile_stale
from flytenb.render.drawing import draw
from flytenb.wording.kinds import entity_text
from flytenb.wording.text import class_name, clip_line
from flytenb.wording.values import LONG, brief


def entity_bundle(
    entity: Any, marked: Callable[[Graph, Any], Graph] = lambda graph, _: graph
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the MIME bundle of an entity and its metadata; if it doesn't compile, its signature and the error.

    Args:
        entity: the entity.
        marked: adds what is stale to the graph of a workflow.
    """
    if inner_workflow(entity) is not None and kind_of(entity) is not Kind.STUB:
        try:
            recompile_stale(entity)
            return draw(marked(read_graph(entity), entity))._repr_mimebundle_()
        except Exception as e:
            card = Group((signature_card(entity), Facts(_why_not(e)), *_earlier(entity)))
            return render_part(card)._repr_mimebundle_(), {}
    return render_part(signature_card(entity))._repr_mimebundle_(), {}


def _why_not(error: Exception) -> tuple[tuple[str, str], ...]:
    label = "does not compile"
    if not isinstance(error, FlytenbError):
        return ((label, " ".join(line.strip() for line in message_lines(error, 4))),)
    hint = (("hint", error.hint),) if error.hint else ()
    return ((label, f"{class_name(error)}: {error.message}"), *hint)


def _earlier(entity: Any) -> Iterator[Part]:
    """Yield the drawing of a workflow as it was compiled before it couldn't be any more."""
    with as_compiled_before(entity) as is_there:
        if not is_there:
            return
        graph = read_graph(entity)
    drawing = draw(replace(graph, settings={**graph.settings, "stale": "it doesn't compile any more"}))
    yield TrustedHtml(drawing.text, drawing._inline_html())


def signature_card(entity: Any) -> Part:
    """Return kind, inputs, outputs, types, defaults, docs, options and place of definition as a part."""
    interface = read_interface(entity)
    kind = entity_text(kind_of(entity))
    parts: list[Part] = []
    if interface.doc:
        parts.append(Text(interface.doc, "flow"))
    parts.append(_ports(interface))
    settings = [(key.replace("_", " "), str(value)) for key, value in read_settings(entity).items()]
    config = config_of(entity)
    if config is not None:
        settings.append(("task config", _config_text(config)))
    place = where_defined(entity, cell_name)
    if place:
        settings.append(("defined in", place))
    if settings:
        parts.append(Facts(tuple(settings)))
    return named_part(Group(tuple(parts)), f"{short_name(entity)} · {kind}")


def _ports(interface: Interface) -> Part:
    rows = [_row("input", port) for port in interface.inputs] + [_row("output", port) for port in interface.outputs]
    if not rows:
        return Text("no inputs, no outputs", "flow")
    named = ("", "name", "type", "default", "about")
    kept = [i for i, _ in enumerate(named) if i < 3 or any(row[i] for row in rows)]
    return Table([Column(named[i]) for i in kept], [[row[i] for i in kept] for row in rows])


def _row(side: str, port: Port) -> tuple[str, ...]:
    return (side, port.name, port.type, port.default or "", port.doc)


def _config_text(config: Any) -> str:
    """Return a task's configuration on one line; one without a `__repr__` by its attributes."""
    held = getattr(config, "__dict__", None)
    if getattr(type(config), "__repr__", None) is not object.__repr__ or not held:
        return brief(config, LONG)
    shown = ", ".join(f"{name}={brief(value)}" for name, value in held.items() if not name.startswith("_"))
    return clip_line(f"{class_name(config)}({shown})", LONG)
