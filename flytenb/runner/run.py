"""A run as its user holds it: phase, result, nodes, events; it can be waited for, cancelled, answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import cached_property
from typing import Any

from flytenb.bridge.calls import build_result
from flytenb.bridge.definition_facts import input_types, output_types
from flytenb.bridge.entities import inner_workflow
from flytenb.bridge.graphs import read_graph
from flytenb.bridge.readings import read_once
from flytenb.errors import FlytenbError, RunCancelledError, UnknownNameError, closest
from flytenb.model import CacheStatus, Graph, NodeState, Phase, RunEvent
from flytenb.runner import capture
from flytenb.runner.failure import Failure
from flytenb.runner.gate import answer_gate
from flytenb.runner.inputs import check_inputs, root_of
from flytenb.runner.plan import Planner, Settings
from flytenb.runner.scheduler import Listener, Scheduler
from flytenb.runner.steps import ExitStep, Record, Scope


class NodeRun:
    """One node of a run."""

    def __init__(self, run: Run, record: Record) -> None:
        self._run = run
        self._record = record

    @property
    def path(self) -> str:
        """Where it stands in the graph."""
        return self._record.path

    @property
    def entity(self) -> Any:
        """What it is a use of; None for a branch."""
        return self._record.entity

    @property
    def phase(self) -> Phase:
        """Where it stands in the run."""
        return self._record.phase

    @property
    def inputs(self) -> dict[str, Any]:
        """What it was given, as Python values; copies, made when asked for. Empty before it has started."""
        if self._record.started is None:
            return {}
        with self._run._scheduler.workspace.entered():
            return {name: get(self._run._scheduler.env) for name, get in self._record.getters}

    @property
    def outputs(self) -> dict[str, Any]:
        """What it made, as Python values; copies, made when asked for. Empty before it has succeeded."""
        if self._record.phase is not Phase.SUCCEEDED:
            return {}
        env = self._run._scheduler.env
        values = {name: env[slot] for name, slot in self._record.outputs.items()}
        with self._run._scheduler.workspace.entered():
            return {name: value.native() for name, value in values.items() if value is not None}

    def declared_inputs(self) -> list[tuple[str, Any, Any]]:
        """What it was given, each with its name and its declared type."""
        return _with_types(self.inputs, input_types(self.entity))

    def declared_outputs(self) -> list[tuple[str, Any, Any]]:
        """What it made, each with its name and its declared type."""
        return _with_types(self.outputs, output_types(self.entity))

    @property
    def log(self) -> str:
        """What it printed."""
        return "".join(self._record.log)

    @property
    def started(self) -> float | None:
        """When it started, in seconds since the epoch."""
        return self._record.started

    @property
    def duration(self) -> float | None:
        """Seconds from its start to its end, or to now."""
        if self._record.started is None:
            return None
        return (self._record.ended or time.time()) - self._record.started

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return self._record.attempts

    @property
    def cache_status(self) -> CacheStatus:
        """What the cache did for it."""
        return self._record.cache

    @property
    def error(self) -> Failure | None:
        """Why it failed."""
        return self._record.error

    @property
    def state(self) -> NodeState:
        """What a picture shows of it."""
        record = self._record
        return NodeState(
            phase=record.phase,
            duration=self.duration if record.phase.is_terminal else None,
            attempts=record.attempts,
            cache=record.cache,
            done=record.done,
            total=record.total,
            text=str(record.error) if record.error else "",
        )

    def __repr__(self) -> str:
        took = "" if self.duration is None else f", {self.duration:.3g} s"
        return f"<NodeRun {self.path} {self.phase}{took}>"


class Run:
    """One attempt to run an entity, here.

    Made by `flytenb.start` or `flytenb.run`, never by hand.
    """

    def __init__(
        self,
        entity: Any,
        inputs: Mapping[str, Any],
        settings: Settings,
        listeners: Iterable[Listener] = (),
    ) -> None:
        self.entity = entity
        self.settings = settings
        self.viewer: Callable[[Run], None] | None = None
        self._static_graph = read_graph_once(entity)
        self._grown: Graph | None = None
        self._merged = 0
        self._scheduler = Scheduler(limit=settings.workers, listeners=listeners, strict=settings.strict)
        self._root = root_of(entity, inputs)
        with self._scheduler.workspace.entered():
            self._inputs = check_inputs(self._root, strict=settings.strict)
            self._plan()

    def _plan(self) -> None:
        planner = Planner(self._scheduler, self.settings)
        env = self._scheduler.env
        for name, value in self._inputs.items():
            env[planner.slot("@inputs", name)] = value
        scope = Scope("", None, is_fail_fast=self._root.compiled.is_fail_fast)
        # The scheduler itself ends the run once its last step is done, so that step keeps a record of its own.
        last = ExitStep(Record(""), scope)
        last.is_closing = False
        outputs = planner.slots("@outputs", self._root.outputs)
        self._scheduler.run_record.outputs = outputs
        gives = [
            (outputs[name], planner.passer(binding, self._root.outputs[name]))
            for name, binding in self._root.compiled.outputs.items()
        ]
        planner.add_workflow(self._root.compiled, scope, last, gives)
        self._scope = scope

    def begin(self) -> Run:
        """Start it on the shared threads and come back at once."""
        capture.begin()
        self._scheduler.on_finish.append(capture.end)
        self._scheduler.start(self._scope)
        return self

    # --- what is known -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of what runs."""
        return self._static_graph.name

    @property
    def phase(self) -> Phase:
        """Where the whole run stands."""
        return self._scheduler.run_record.phase

    @property
    def started(self) -> float | None:
        """When it started, in seconds since the epoch."""
        return self._scheduler.run_record.started

    @property
    def duration(self) -> float | None:
        """Seconds from its start to its end, or to now."""
        record = self._scheduler.run_record
        return None if record.started is None else (record.ended or time.time()) - record.started

    @property
    def events(self) -> tuple[RunEvent, ...]:
        """Everything that has happened so far, in order."""
        return tuple(self._scheduler.events)

    @property
    def error(self) -> Failure | None:
        """Why it failed: the first failure; `also_failed` has the others."""
        return self._scheduler.failure

    @property
    def also_failed(self) -> tuple[Failure, ...]:
        """Failures beside the first, where the workflow goes on after one."""
        return tuple(self._scheduler.also_failed)

    @property
    def inputs(self) -> dict[str, Any]:
        """What it was given, defaults filled in; copies."""
        with self._scheduler.workspace.entered():
            return {name: value.native() for name, value in self._inputs.items()}

    @property
    def outputs(self) -> dict[str, Any]:
        """What came out, by name; copies. Empty unless it succeeded."""
        if self.phase is not Phase.SUCCEEDED:
            return {}
        values = {n: self._scheduler.env[slot] for n, slot in self._scheduler.run_record.outputs.items()}
        with self._scheduler.workspace.entered():
            return {name: value.native() for name, value in values.items() if value is not None}

    def declared_outputs(self) -> list[tuple[str, Any, Any]]:
        """What came out, each with its name and its declared type."""
        return [(name, value, self._root.outputs[name]) for name, value in self.outputs.items()]

    @property
    def result(self) -> Any:
        """What calling the entity returns: nothing, the output, or the named tuple of all.

        Raises:
            RunCancelledError: if the run was cancelled.
            FlytenbError: if it is still on.
            BaseException: the failed task's own exception, if it failed.
        """
        if self.phase is Phase.SUCCEEDED:
            env = self._scheduler.env
            values = {n: env[slot] for n, slot in self._scheduler.run_record.outputs.items()}
            with self._scheduler.workspace.entered():
                return build_result(self._root.interface, values)  # type: ignore[arg-type]
        self.raise_failure()
        raise FlytenbError(f"the run of {self.name!r} is not over yet", hint="run.wait() waits for it")

    @property
    def graph(self) -> Graph:
        """The graph of what runs, with what its nodes turned out to contain."""
        spawned = [e for e in self._scheduler.events if e.kind == "spawn" and e.graph is not None]
        if self._grown is None or len(spawned) != self._merged:
            graph = self._static_graph
            for event in spawned:
                assert event.graph is not None
                graph = graph.merged(event.graph, event.path)
            self._grown, self._merged = graph, len(spawned)
        return self._grown

    @cached_property
    def nodes(self) -> Nodes:
        """The nodes by path (or by the entity's name, where it is the only one)."""
        return Nodes(self)

    @property
    def states(self) -> dict[str, NodeState]:
        """What a picture shows of each node."""
        return {path: node.state for path, node in self.nodes.items()}

    # --- what can be done --------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until it is over, or for so many seconds; interrupting the wait doesn't cancel the run."""
        self._scheduler.finished.wait(timeout)
        return self

    def cancel(self) -> Run:
        """Give up: queued nodes are aborted, running ones asked to stop. Does nothing when it is over."""
        self._scheduler.cancel()
        return self

    def approve(self, path: str, approved: bool = True) -> None:
        """Answer an approval gate, by the node's path or the gate's name."""
        answer_gate(self._scheduler, path, approved)

    def set_input(self, path: str, value: Any) -> None:
        """Give an input gate its value; one of another type is refused and the gate goes on waiting."""
        answer_gate(self._scheduler, path, value)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Paths of the gates that wait for an answer."""
        return tuple(self._scheduler.waiting_gates)

    def raise_failure(self) -> None:
        """Raise the failed task's own exception, or RunCancelledError; do nothing otherwise."""
        if self.error is not None:
            raise self.error.exception
        if self.phase is Phase.ABORTED:
            raise RunCancelledError(f"the run of {self.name!r} was cancelled")

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener everything that has happened so far, then everything that happens.

        It is called by the threads that run the nodes: it must be quick.

        Returns:
            What takes the listener back.
        """
        scheduler = self._scheduler
        with scheduler.lock:
            for event in scheduler.events:
                listener(event)
            scheduler.listeners = [*scheduler.listeners, listener]

        def take_back() -> None:
            with scheduler.lock:
                scheduler.listeners = [other for other in scheduler.listeners if other is not listener]

        return take_back

    def explore(self) -> None:
        """Show the run to be clicked through: each node's values, log, source and error.

        Raises:
            FlytenbError: without a notebook to show it in.
        """
        if self.viewer is None:
            raise FlytenbError("there is no notebook to explore the run in", hint="%load_ext flytenb, or run.nodes")
        self.viewer(self)

    def on_finish(self, job: Callable[[], Any]) -> None:
        """Call `job` when it is over, at once if it is."""
        with self._scheduler.lock:
            if not self._scheduler.finished.is_set():
                self._scheduler.on_finish.append(job)
                return
        job()

    def __await__(self) -> Generator[Any, None, Run]:
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def tell() -> None:
            if not over.done():
                over.set_result(None)

        self.on_finish(lambda: loop.call_soon_threadsafe(tell))
        yield from over.__await__()
        return self

    def __repr__(self) -> str:
        took = "" if self.duration is None else f" in {self.duration:.3g} s"
        return f"<Run of {self.name} {self.phase}{took}, {len(self.nodes)} nodes>"


def read_graph_once(entity: Any) -> Graph:
    """The graph of an entity, read only once for as long as its workflow stays as it is."""
    workflow = inner_workflow(entity)
    return read_graph(entity) if workflow is not entity else read_once(entity, "graph", lambda: read_graph(entity))


class Nodes(Mapping[str, NodeRun]):
    """The nodes of a run; grows while a run spawns more."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def _records(self) -> dict[str, Record]:
        return self._run._scheduler.records

    def __getitem__(self, path: str) -> NodeRun:
        record = self._records().get(path) if path else None
        if record is None:
            named = [n.path for n in self._run.graph.nodes.values() if n.name == path and n.path in self._records()]
            if len(named) != 1:
                hint = f"use a path: {', '.join(map(repr, named))}" if named else closest(path, list(self))
                raise UnknownNameError(f"no node {path!r} in the run of {self._run.name!r}", hint=hint)
            record = self._records()[named[0]]
        return NodeRun(self._run, record)

    def __contains__(self, path: object) -> bool:
        return bool(path) and path in self._records()

    def __iter__(self) -> Any:
        return iter(list(self._records()))

    def __len__(self) -> int:
        return len(self._records())

    def __repr__(self) -> str:
        return "\n".join(repr(n) for n in self.values()) or "<no nodes>"


def _with_types(values: Mapping[str, Any], types: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(name, value, types.get(name)) for name, value in values.items()]
