"""Functions on entities, graphs, runs and values: draw, show, the code they reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flytenb.bridge.entities.interface import require_entity, require_local
from flytenb.bridge.workflow.graph import read_graph
from flytenb.display.code_card import Code
from flytenb.display.registry import REGISTRY, F, Key
from flytenb.display.rendering import Rendering
from flytenb.display.show import show as show_value
from flytenb.model import Graph
from flytenb.reach.staleness import recompile_stale
from flytenb.render.drawing import Drawing
from flytenb.render.drawing import draw as draw_graph
from flytenb.render.styling import StyleFunction
from flytenb.runner.run import Run
from flytenb.session.host import host


def graph(entity: Any) -> Graph:
    """Return the graph of an entity as frozen data.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        Exception: any exception that the workflow's function raises while it is compiled.
    """
    require_entity(entity)
    recompile_stale(entity)
    return read_graph(entity)


def draw(
    what: Any,
    *,
    upstream: str | None = None,
    downstream: str | None = None,
    between: tuple[str, str] | None = None,
    depth: int | None = None,
    style: StyleFunction | None = None,
) -> Drawing:
    """Draw an entity, a graph or a run; what has been redefined since the run, or since the last one, is hatched.

    Args:
        what: a task, workflow or launch plan, a `Graph`, or a `Run`, which is drawn in its current state.
        upstream: path or name of a node: draw only this node and the nodes that it depends on.
        downstream: path or name of a node: draw only this node and the nodes that depend on it.
        between: two nodes: draw only the paths from the first to the second.
        depth: the number of levels of subworkflows that are open; None opens as many as fit.
        style: a function that gets a `Node` and returns a `NodeStyle` or None; the one of `set_style` by default.

    Raises:
        NotAnEntityError: for an object that can't be drawn.
        UnknownNameError: for a node that doesn't exist, with the closest names.
        UsageError: for a style that isn't a function, or that returned something else.
        Exception: what the style raised.
    """
    states = what._states if isinstance(what, Run) else None
    session = host.session
    if isinstance(what, Run):
        drawn = session.marked(what.graph, what.entity, what)
    else:
        drawn = what if isinstance(what, Graph) else session.marked(graph(what), what)
    return draw_graph(
        drawn, upstream=upstream, downstream=downstream, between=between, depth=depth, states=states, style=style
    )


def show(value: Any, declared: Any = None, *, name: str = "") -> Rendering:
    """Return the display of a value by its declared type, else by its own: limited in size, escaped; it never raises.

    Args:
        value: the value to show.
        declared: its declared type, if that differs from `type(value)`.
        name: a title.
    """
    return show_value(value, declared, name=name)


def display_for(key: Key) -> Callable[[F], F]:
    """Return a decorator that makes a function the display of a type.

    The function gets a value and a `View`, and returns a part, another value that is shown instead, or
    `NotImplemented` to pass the value to the next display.

    Args:
        key: a type, its dotted name (`"heavylib.Thing"`, which is not imported), or a predicate on the value.

    Raises:
        DefinitionError: if the function can't be called with a value and a view, or for any other key.
    """
    return REGISTRY.register(key)


def code_of(entity: Any) -> Code:
    """Return the code that a task or workflow reaches: each part, where it is defined, and what could not be read.

    `before = flytenb.code_of(train)`, and after an edit `before.diff(flytenb.code_of(train))` names what has changed.
    The cache key of a task contains the same digest.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        RemoteEntityError: for an entity that was fetched from a cluster, whose code isn't here.
        Exception: what an object that the code reaches raises while it is read.
    """
    require_entity(entity)
    require_local(entity)
    return host.session.code.now(entity)
