"""A run as its user holds it: phase, result, nodes, events; it can be waited for, cancelled, answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import cached_property
from typing import Any

from flytenb.bridge.calls import build_result
from flytenb.bridge.graphs import read_graph
from flytenb.bridge.readings import Reading, read_later, read_once
from flytenb.errors import FlytenbError, RunCancelledError
from flytenb.model import Graph, NodeState, Phase, RunEvent
from flytenb.runner import capture
from flytenb.runner.comparison import Comparison
from flytenb.runner.failure import Failure
from flytenb.runner.gate import answer_gate
from flytenb.runner.given import given_in_short, with_given, without_defaults
from flytenb.runner.inputs import check_inputs, root_of
from flytenb.runner.interrupts import held_back
from flytenb.runner.journal import Listener
from flytenb.runner.node_run import Nodes
from flytenb.runner.plan import Planner
from flytenb.runner.scheduler import Scheduler
from flytenb.runner.settings import Settings
from flytenb.runner.steps import ExitStep, Record, Scope
from flytenb.runner.timeline import Timeline

_LOOK_EVERY = 0.2
"""Seconds between two looks at whether the wait for a run was interrupted."""


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
        silent = Record("")
        silent.phase = Phase.SKIPPED  # it moves no more: nobody is told that "the run" was aborted with it
        last = ExitStep(silent, scope)
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
        with held_back():
            capture.begin()
            self._scheduler.on_finish.append(capture.end)
            self._scheduler.start(self._scope)
        return self

    # --- what is known -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of what runs."""
        return self._root.name

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

    @cached_property
    def _given(self) -> dict[str, str]:
        with self._scheduler.workspace.entered():
            return given_in_short(self._inputs)

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
        """The graph of what runs: its inputs as they were given, with what its nodes turned out to contain."""
        spawned = [e for e in self._scheduler.events if e.kind == "spawn" and e.graph is not None]
        if self._grown is None or len(spawned) != self._merged:
            graph = with_given(self._static_graph.get(), self._given)
            for event in spawned:
                assert event.graph is not None
                graph = graph.merged(without_defaults(event.graph), event.path)
            self._grown, self._merged = graph, len(spawned)
        return self._grown

    @property
    def nodes(self) -> Nodes:
        """The nodes by path (or by the entity's name, where it is the only one)."""
        return Nodes(self)

    @property
    def states(self) -> dict[str, NodeState]:
        """What a picture shows of each node."""
        return {path: node.state for path, node in self.nodes.items()}

    def timeline(self) -> Timeline:
        """When each node was at work."""
        return Timeline.read(self)

    def compare(self, other: Run) -> Comparison:
        """What differs between this run and another of the same entity: phases, outputs, nodes."""
        return Comparison.read(self, other)

    # --- what can be done --------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until it is over, or for so many seconds; interrupting the wait doesn't cancel the run."""
        self._scheduler.finished.wait(timeout)
        return self

    def cancel(self) -> Run:
        """Give up: queued nodes are aborted, running ones asked to stop. Does nothing when it is over."""
        with held_back():
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
        while not over.done():
            # A kernel's loop doesn't wake for an interrupt, it only finds it when it wakes (ipykernel 7.4).
            yield from asyncio.wait((over,), timeout=_LOOK_EVERY).__await__()
        return self

    def __repr__(self) -> str:
        took = "" if self.duration is None else f" in {self.duration:.3g} s"
        return f"<Run of {self.name} {self.phase}{took}, {len(self.nodes)} nodes>"


def read_graph_once(entity: Any) -> Reading[Graph]:
    """The graph of an entity as it is now, read only if somebody asks and once for as long as its workflow stays so."""
    return read_later(entity, lambda: read_once(entity, "graph", lambda: read_graph(entity)))
