"""Details of one node of a run: values, log, error, source."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.bridge.entities.source import language_of, source_of, where_defined
from flytenb.display.limits import Limits
from flytenb.display.rendering import Rendering, Show
from flytenb.display.runs.error_card import failure_lines, named_inputs
from flytenb.display.runs.error_message import first_line
from flytenb.display.runs.source_tokens import Pieces, failed_line, source_lines
from flytenb.errors import UnknownNameError, say
from flytenb.model import CacheStatus, Graph, Node
from flytenb.reach.code_parts import cell_name
from flytenb.render import captions
from flytenb.wording.kinds import constant_text
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import as_printed
from flytenb.wording.values import clean

if TYPE_CHECKING:
    from flytenb.runner.node_run import NodeRun
    from flytenb.runner.run import Run

LOG_SHOWN = 50_000
"""Most characters of a log that are shown; `run.nodes[path].log` is the whole log."""
MEMBERS_SHOWN = 200
_WEB = ("https://", "http://")
_SOURCE_SHOWN = 20_000
_LIMITS = Limits(html=120_000)


@dataclass(frozen=True)
class NodeDetails:
    """Details of one node.

    Attributes:
        path: the node's path.
        name: the name of its entity.
        phase: its phase, `""` if it hasn't been planned.
        state: phase and progress as text.
        facts: short facts that `title` and `state` don't contain, most important first.
        earlier: one line for each attempt that failed before the last one, with its error.
        inputs: its inputs.
        outputs: its outputs.
        decks: its decks, without empty ones.
        links: names and web addresses of what a service shows of it.
        log: the end of what it printed.
        log_size: number of characters that it printed.
        error: the lines of its failure.
        source: the lines of the source of its function, each as pieces with a kind.
        failed_line: the number of the line of a container cell that failed, 0 if none is known.
    """

    path: str
    name: str
    facts: tuple[str, ...]
    earlier: tuple[str, ...] = ()
    phase: str = ""
    state: str = ""
    inputs: tuple[Rendering, ...] = ()
    outputs: tuple[Rendering, ...] = ()
    decks: tuple[Rendering, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    log: str = ""
    log_size: int = 0
    error: str = ""
    source: tuple[Pieces, ...] = ()
    failed_line: int = 0

    @property
    def title(self) -> str:
        """Its path and the name of its entity: `n0/n1 · train`."""
        return f"{self.path} · {self.name}" if self.name != self.path else self.path

    @classmethod
    def of(cls, run: Run, path: str, show: Show, *, limits: Limits = _LIMITS, has_values: bool = True) -> NodeDetails:
        """Return what is known now; a value that can't be read is replaced by the error."""
        graph = run.graph
        node = graph.nodes.get(path)
        name = clean(graph.entity_name(path)) or path
        try:
            found = run.nodes[path]
        except UnknownNameError:
            return cls(path, name, tuple(_plan_facts(node)))
        log = found.log
        return cls(
            path=path,
            name=name,
            facts=(*_facts(run, found), *_plan_facts(node)),
            earlier=tuple(f"attempt {n} failed: {first_line(text)}" for n, text in enumerate(found._earlier, 1)),
            phase=str(found.phase),
            state=captions.state_text(found._state),
            inputs=_values(lambda: _inputs(run, found), limits, show) if has_values else (),
            outputs=_values(found._declared_outputs, limits, show) if has_values else (),
            decks=_values(lambda: _decks(found), limits, show) if has_values else (),
            links=web_links(found),
            log=as_printed(log[-LOG_SHOWN:]),
            log_size=len(log),
            error=_error(run, found),
            source=_source(found.entity),
            failed_line=0 if found.error is None else failed_line(say(found.error.exception)),
        )


def _source(entity: Any) -> tuple[Pieces, ...]:
    source = clean(source_of(entity)[:_SOURCE_SHOWN])
    return tuple(source_lines(source, language_of(entity))) if source else ()


def web_links(node: NodeRun) -> tuple[tuple[str, str], ...]:
    """Return the links of a node that a page may open; the log has all of them as text."""
    return tuple((clean(name) or clean(uri), uri) for name, uri in node.links if uri.startswith(_WEB))


def members_of(graph: Graph, paths: list[str], run: Run) -> list[list[str]]:
    """Return path, name and state of the nodes that a box represents, failed and running ones first."""
    found = []
    for path in paths:
        node = graph.nodes.get(path)
        if path in run.nodes and (node is None or not node.is_pseudo):
            state = run.nodes[path]._state
            name = clean(graph.entity_name(path))
            found.append((_rank(str(state.phase)), path, name, captions.state_caption(state)))
    found.sort(key=lambda each: each[0])
    return [list(each[1:]) for each in found[:MEMBERS_SHOWN]]


def elements_of(graph: Graph, path: str, run: Run) -> list[str]:
    """Return the paths of a map's elements, which aren't nodes of the graph."""
    start = f"{path}/"
    return [p for p in run.nodes if p.startswith(start) and p not in graph.nodes and p[len(start) :].isdigit()]


def _rank(phase: str) -> int:
    order = ("FAILED", "TIMED_OUT", "RUNNING", "ABORTED", "QUEUED", "SUCCEEDED", "SKIPPED")
    return order.index(phase)


def _values(read: Any, limits: Limits, show: Show) -> tuple[Rendering, ...]:
    try:
        return tuple(show(value, declared, name=name, limits=limits) for name, value, declared in read())
    except Exception as error:
        return (show(error, name="can't be read"),)


def _inputs(run: Run, node: NodeRun) -> list[tuple[str, Any, Any]]:
    declared = {name: (value, type_) for name, value, type_ in node._declared_inputs()}
    return [(name, *each) for name, each in named_inputs(run, node.path, declared).items()]


def _decks(node: NodeRun) -> list[tuple[str, Any, Any]]:
    return [("", deck, None) for deck in node.decks if not _is_empty(deck)]  # its display has its name


def _is_empty(deck: Any) -> bool:
    try:
        return not deck.html.strip()
    except Exception:  # which its display shows
        return False


def _waited(run: Run, node: NodeRun) -> float | None:
    """Seconds between a node's first wait for state and its start, so far if it still waits."""
    began = next((e.time for e in run.events if e.kind == "wait" and e.path == node.path), None)
    if began is None:
        return None
    return max((node.started if node.started is not None else time.time()) - began, 0.0)


def _facts(run: Run, node: NodeRun) -> list[str]:
    facts = [f"on {clean(node.place)}"] if node.place else []
    if node.started is not None and (node.duration is not None or not node.phase.is_terminal):
        facts.append(f"started {time.strftime('%H:%M:%S', time.localtime(node.started))}")
    if node.waited_for:
        waited = _waited(run, node)
        time_waited = "" if waited is None else f" {duration_text(waited)}"
        facts.append(f"waited{time_waited} for: {'; '.join(map(clean, node.waited_for))}")
    facts += [f"{clean(name)}: {clean(uri)}" for name, uri in node.links if not uri.startswith(_WEB)]
    if node.resumed:
        facts.append(clean(node.resumed))
    if node.cache_status not in (CacheStatus.DISABLED, CacheStatus.REUSED):
        why = f": {clean(node.cache_reason)}" if node.cache_reason else ""
        facts.append(f"cache {constant_text(node.cache_status)}{why}")
    return facts


def _plan_facts(node: Node | None) -> list[str]:
    if node is None:
        return []
    decorators = [str(node.settings["decorators"])] if "decorators" in node.settings else []
    return [clean(text) for text in (captions.caption(node), *decorators)]


def _error(run: Run, node: NodeRun) -> str:
    if node.error is None:
        return ""
    place = where_defined(node.entity, cell_name) if node.entity is not None else ""
    lines = failure_lines(run, node.error, cell_name, has_earlier=False)
    return clean("\n".join([*lines, *([f"  defined in {place}"] if place else [])]))
