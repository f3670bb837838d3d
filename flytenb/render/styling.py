"""Styles of nodes that a user's function gives: a colour, a badge and a label, kept as settings of the nodes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from flytenb.errors import UsageError
from flytenb.model import Graph, Node
from flytenb.wording.quantities import duration_text
from flytenb.wording.values import brief, pass_interrupt

TIME_LIMIT = 2.0
"""Seconds that the style of all drawings may take for one of them."""
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


@dataclass(frozen=True)
class NodeStyle:
    """What a drawing shows of a node beside its facts; a style function returns it, or None for no change.

    Attributes:
        colour: of the left edge and, lightly, of the inside, as `#rrggbb` or `#rgb`; both themes use it.
        badge: a short text after the settings of the node, such as its team.
        label: the text of the first line in place of the name of the task, which stays in the tooltip.

    Raises:
        UsageError: for a colour in another form, or for a badge or label that isn't a string.
    """

    colour: str = ""
    badge: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not isinstance(value := getattr(self, each.name), str):
                raise UsageError(f"{each.name} must be a string, got {brief(value)}")
        if self.colour and not _COLOUR.fullmatch(self.colour):
            raise UsageError(f"colour must be #rrggbb or #rgb, got {self.colour!r}", hint="for example '#d55e00'")
        if len(self.colour) == 4:
            object.__setattr__(self, "colour", "#" + "".join(2 * digit for digit in self.colour[1:]))


StyleFunction = Callable[[Node], NodeStyle | None]


class Theme:
    """The style of all drawings that aren't given one."""

    function: StyleFunction | None = None


theme = Theme()


def set_style(style: StyleFunction | None) -> None:
    """Set the style of all later drawings: of workflows, of runs and of live views. None removes it.

    `draw(…, style=…)` takes precedence. A node at which the function raises is drawn without a style, and so are those
    that are left when it has taken two seconds for a drawing; the drawing says so.

    Args:
        style: a function that gets a `Node` and returns a `NodeStyle`, or None for no change.

    Raises:
        UsageError: if it isn't callable.
    """
    theme.function = None if style is None else checked(style)


def checked(style: StyleFunction) -> StyleFunction:
    """Return a style function.

    Raises:
        UsageError: if it isn't callable.
    """
    if not callable(style):
        raise UsageError(f"style must be a function of a node, got {brief(style)}")
    return style


def styled(graph: Graph, style: StyleFunction, failures: list[str] | None = None) -> Graph:
    """Return the graph with the settings `colour`, `badge` and `label` on the nodes that the function styles.

    Args:
        graph: the graph.
        style: the function.
        failures: gets a line for each node at which the function raised, and one if it took longer than `TIME_LIMIT`,
            after which no more nodes are styled; None lets exceptions through and sets no limit.

    Raises:
        UsageError: if the function returned something else.
        Exception: what the function raised.
    """
    nodes = dict(graph.nodes)
    deadline = time.monotonic() + TIME_LIMIT
    for path, node in graph.nodes.items():
        if node.is_pseudo:
            continue
        if failures is not None and time.monotonic() > deadline:
            failures.append(f"the style took longer than {duration_text(TIME_LIMIT)}; it isn't applied from {path} on")
            break
        try:
            found = _style_of(node, style)
        except BaseException as error:
            if failures is None:
                raise
            pass_interrupt(error)
            failures.append(f"the style failed at {path}: {brief(error, 160)}")
            continue
        if found is not None:
            given = {each.name: value for each in fields(NodeStyle) if (value := getattr(found, each.name))}
            nodes[path] = replace(node, settings={**node.settings, **given})
    return replace(graph, nodes=nodes)


def _style_of(node: Node, style: StyleFunction) -> NodeStyle | None:
    found = style(node)
    if found is not None and not isinstance(found, NodeStyle):
        raise UsageError(f"expected a NodeStyle or None from the style of node {node.path!r}, got {brief(found)}")
    return found
