"""Executions, their nodes and the attempts at these as frozen facts, read from flyteidl's messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flyteidl.core.catalog_pb2 import CatalogCacheStatus
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from flytenb.model import CacheStatus, Phase

_PHASES = {
    "UNDEFINED": Phase.QUEUED,
    "QUEUED": Phase.QUEUED,
    "RUNNING": Phase.RUNNING,
    "DYNAMIC_RUNNING": Phase.RUNNING,
    "INITIALIZING": Phase.QUEUED,
    "WAITING_FOR_RESOURCES": Phase.QUEUED,
    "FAILING": Phase.RUNNING,
    "SUCCEEDING": Phase.RUNNING,
    "ABORTING": Phase.RUNNING,
    "SUCCEEDED": Phase.SUCCEEDED,
    "RECOVERED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
    "RETRYABLE_FAILED": Phase.FAILED,
    "ABORTED": Phase.ABORTED,
    "SKIPPED": Phase.SKIPPED,
    "TIMED_OUT": Phase.TIMED_OUT,
}
_CACHE = {
    "CACHE_DISABLED": CacheStatus.DISABLED,
    "CACHE_MISS": CacheStatus.MISS,
    "CACHE_HIT": CacheStatus.HIT,
    "CACHE_POPULATED": CacheStatus.POPULATED,
}
_TIME_LIMITS = ("TimeoutExpired", "TimedOut")
"""What the codes of errors contain that are about a time limit."""
_ELEMENTS = re.compile(r"^((?:\[\d+(?:-\d+)?\])+): ", flags=re.M)
_RANGE = re.compile(r"\[(\d+)(?:-(\d+))?\]")
Links = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExecutionId:
    """An execution: project, domain, name."""

    project: str
    domain: str
    name: str

    @property
    def message(self) -> Any:
        """Flyteidl's message."""
        return WorkflowExecutionIdentifier(project=self.project, domain=self.domain, name=self.name)

    def __str__(self) -> str:
        return f"{self.project}:{self.domain}:{self.name}"


@dataclass(frozen=True)
class Ran:
    """Phase, start, end and error of an execution, a node or an attempt; times in seconds since the epoch."""

    phase: Phase
    started: float | None = None
    ended: float | None = None
    message: str = ""


@dataclass(frozen=True)
class ExecutionFacts:
    """An execution as it is now.

    Attributes:
        ran: phase and times.
        kind: `task` or `launch_plan`: what was executed.
        name: its name.
        version: its version.
        workflow: flyteidl's identifier of its workflow.
    """

    ran: Ran
    kind: str
    name: str
    version: str
    workflow: Any


@dataclass(frozen=True)
class NodeFacts:
    """A node as it is listed.

    Attributes:
        id: unique in the execution.
        spec_id: its id in its workflow.
        ran: phase and times.
        cache: the use of the cache, None if it isn't known.
        is_parent: whether it contains nodes.
        is_dynamic: whether its nodes are made at run time.
        is_array: whether it has elements.
        child: the execution that it has started, of a launch plan.
        deck: the address of its deck, `""` without one.
        updated: time of the last change.
    """

    id: str
    spec_id: str
    ran: Ran
    cache: CacheStatus | None
    is_parent: bool
    is_dynamic: bool
    is_array: bool
    child: ExecutionId | None
    deck: str
    updated: float


@dataclass(frozen=True)
class AttemptFacts:
    """One attempt at a task or at an element of a map.

    Attributes:
        number: from 0.
        ran: phase, times and error.
        links: names and addresses of logs.
        element: the index of the element, None for a task.
        cache: the use of the cache for the element, None if it isn't known.
        elements: the attempts at the elements of a map.
    """

    number: int
    ran: Ran
    links: Links
    element: int | None = None
    cache: CacheStatus | None = None
    elements: tuple[AttemptFacts, ...] = ()


def read_ran(closure: Any, phase: str, message: str, code: str = "") -> Ran:
    """Return phase, times and error of a closure."""
    found = _PHASES.get(phase, Phase.RUNNING)
    if found is Phase.FAILED and any(word in code for word in _TIME_LIMITS):
        found = Phase.TIMED_OUT  # a cluster calls a node that exceeded its time limit FAILED
    started = closure.started_at.ToNanoseconds() / 1e9 if closure.HasField("started_at") else None
    if not found.is_terminal:
        return Ran(found, started, None, message)
    updated = closure.updated_at.ToNanoseconds() / 1e9
    took = closure.duration.ToNanoseconds() / 1e9 if closure.HasField("duration") else None
    ended = updated if started is None or took is None else started + took
    return Ran(found, started, ended, message)


def read_node(listed: Any) -> NodeFacts:
    """Return the facts of flyteidl's node execution."""
    closure, metadata = listed.closure, listed.metadata
    child = closure.workflow_node_metadata.executionId if closure.HasField("workflow_node_metadata") else None
    cache = None
    if closure.HasField("task_node_metadata"):
        cache = _cache_status(closure.task_node_metadata.cache_status)
    phase = NodeExecution.Phase.Name(closure.phase)
    return NodeFacts(
        id=listed.id.node_id,
        spec_id=metadata.spec_node_id or listed.id.node_id,
        ran=read_ran(closure, phase, closure.error.message, closure.error.code),
        cache=cache,
        is_parent=metadata.is_parent_node,
        is_dynamic=metadata.is_dynamic,
        is_array=metadata.is_array,
        child=None if child is None else ExecutionId(child.project, child.domain, child.name),
        deck=closure.deck_uri,
        updated=closure.updated_at.ToNanoseconds() / 1e9,
    )


def execution_node(ran: Ran) -> NodeFacts:
    """Return a whole execution as a node, whose values are read by the id `""`."""
    return NodeFacts("", "", ran, None, False, False, False, None, "", 0.0)


def read_attempt(listed: Any) -> AttemptFacts:
    """Return the facts of flyteidl's task execution."""
    closure = listed.closure
    phase = TaskExecution.Phase.Name(closure.phase)
    ran = read_ran(closure, phase, closure.error.message, closure.error.code)
    return AttemptFacts(
        number=listed.id.retry_attempt,
        ran=ran,
        links=_links(closure.logs),
        elements=tuple(
            AttemptFacts(
                number=each.retry_attempt,
                ran=Ran(_element_phase(each, is_over=ran.phase.is_terminal)),
                links=_links(each.logs),
                element=each.index,
                cache=_cache_status(each.cache_status),
            )
            for each in closure.metadata.external_resources
        ),
    )


def _element_phase(element: Any, *, is_over: bool) -> Phase:
    """Return the phase of an attempt at an element of a map; one that failed is tried again as long as the map runs."""
    name = TaskExecution.Phase.Name(element.phase)
    is_retried = name == "RETRYABLE_FAILED" and not is_over
    return Phase.RUNNING if is_retried else _PHASES.get(name, Phase.RUNNING)


def element_message(text: str, element: int) -> str:
    """Return the message of an element in the error of a map, `""` without one.

    A cluster joins the messages of the elements that failed when it looked last: `[1]: …`, of several elements with
    one message `[1][3-5]: …` (propeller's `errorcollector`, 1.16.8).
    """
    return next((part for part, indices in _element_parts(text) if element in indices), "")


def _element_parts(text: str) -> Iterator[tuple[str, set[int]]]:
    """Yield the parts of the error of a map, each with its elements."""
    _, *parts = _ELEMENTS.split(text)
    for ranges, part in zip(parts[::2], parts[1::2], strict=True):
        indices: set[int] = set()
        for first, last in _RANGE.findall(ranges):
            indices.update(range(int(first), int(last or first) + 1))
        yield part.strip("\n"), indices


def _cache_status(number: int) -> CacheStatus:
    return _CACHE.get(CatalogCacheStatus.Name(number), CacheStatus.SKIPPED)


def _links(logs: Any) -> Links:
    return tuple((log.name or "log", log.uri) for log in logs)
