"""A run as users see it: phase, result, nodes and events, and how to wait for it, cancel it and answer its gates."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from flytenb.bridge.execution.calls import build_result
from flytenb.bridge.execution.files import Handouts
from flytenb.bridge.workflow.graph import hold_graph, read_graph
from flytenb.bridge.workflow.reading_cache import Reading, read_later, read_once
from flytenb.errors import FlytenbError, RunCancelledError
from flytenb.locks import cached_property
from flytenb.model import Graph, NodeState, Phase, RunEvent
from flytenb.runner.absent import read_or_absent
from flytenb.runner.answers import Answers
from flytenb.runner.cluster_step import ClusterTargets
from flytenb.runner.comparison import Comparison
from flytenb.runner.course import Answerable, Course, Results
from flytenb.runner.entity_plan import SourceOf
from flytenb.runner.failure import Failure
from flytenb.runner.given import read_given
from flytenb.runner.held_values import forget_values
from flytenb.runner.interrupts import held_back
from flytenb.runner.journal import Listener
from flytenb.runner.node_run import Nodes, NodeSource
from flytenb.runner.past import Past
from flytenb.runner.plan import Planner, RunPlan
from flytenb.runner.resources import resources
from flytenb.runner.run_graph import input_texts, with_inputs, without_defaults
from flytenb.runner.run_inputs import check_inputs, given_files, root_of
from flytenb.runner.scheduler import Scheduler
from flytenb.runner.settings import Settings
from flytenb.runner.shared_nodes import SweepRow
from flytenb.runner.timeline import Timeline
from flytenb.wording.kinds import phase_words
from flytenb.wording.quantities import count_text, duration_text
from flytenb.wording.text import clean

_LOOK_EVERY = 0.2
"""Seconds between two checks whether the wait for a run was interrupted."""
_GRACE = 1.0
"""Seconds that a wait continues after the run's end for listeners that haven't received all events."""


class Run:
    """One local run of an entity. Created by `flytenb.start` and `flytenb.run`."""

    _scheduler: Course
    _gates: Answerable
    _plan: Results
    _show_end: Callable[[], None] | None = None
    """Shows the final state, so that the output of a cell that waits has it."""
    _code: object = None
    """The code of the entity when the run started, if a notebook started it."""
    _is_kept = _raises = False  # `_raises`: a caller waits for the run and raises its error

    def __init__(
        self,
        entity: Any,
        inputs: Mapping[str, Any],
        settings: Settings,
        listeners: Iterable[Listener] = (),
        answers: Answers | None = None,
        source_of: SourceOf | None = None,
        targets: ClusterTargets | None = None,
        past: Past | None = None,
        given: Mapping[str, Any] = MappingProxyType({}),
        row: SweepRow | None = None,
    ) -> None:
        self.entity = entity
        self.settings = settings
        self._viewer: Callable[[Run], None] | None = None
        self._static_graph = read_graph_once(entity)
        self._grown: Graph | None = None
        self._merged = 0
        self._handouts = Handouts()
        self._scheduler = scheduler = Scheduler(limit=settings.workers, listeners=listeners, past=past, row=row)
        scheduler.workspace.engine = (settings.engine, settings.network)
        self._root = root_of(entity, inputs)
        with scheduler.workspace.entered():
            self._inputs = check_inputs(self._root, strict=settings.strict)
            journal = scheduler.journal
            journal.run_record.reads = given_files(self._root, self._inputs)
            found = read_given(given, [self._static_graph.get, *([] if past is None else [past.graph])])
            planner = Planner(settings, journal.records, journal.weak, answers, source_of, targets, past, found)
            self._gates = planner.gates
            self._plan = plan = RunPlan(planner, self._root.wired, self._inputs, self._root.outputs)
        self._start: Callable[[], None] = partial(scheduler.start, plan.root, plan.inside)

    def _begin(self) -> Run:
        """Start the run on the shared threads and return at once."""
        with held_back():
            self._start()
        return self

    def _detach(self) -> None:
        """Follow the run no more, because the notebook is closed; a local run goes on by itself."""

    @property
    def name(self) -> str:
        """The name of the entity."""
        return self._root.name

    @cached_property
    def id(self) -> str:
        """The id under which the run is kept, as `flytenb.load_run` takes it."""
        return secrets.token_hex(6)

    @property
    def is_kept(self) -> bool:
        """Whether the run is on disk with all its values, in the folder of the setting `keep`."""
        return self._is_kept

    @property
    def phase(self) -> Phase:
        """The phase of the run."""
        return self._scheduler.journal.run_record.phase

    @property
    def started(self) -> float | None:
        """Time of the start, in seconds since the epoch; None before it."""
        return self._scheduler.journal.run_record.started

    @property
    def duration(self) -> float | None:
        """Seconds from the start to the end, or until now; None before the start."""
        record = self._scheduler.journal.run_record
        return None if record.started is None else (record.ended or time.time()) - record.started

    @property
    def events(self) -> tuple[RunEvent, ...]:
        """The events so far, in order."""
        return tuple(self._scheduler.journal.events)

    @property
    def error(self) -> Failure | None:
        """The first failure, None if the run hasn't failed; `also_failed` has the others."""
        return self._scheduler.outcomes.failure

    @property
    def also_failed(self) -> tuple[Failure, ...]:
        """Failures after the first one, of a workflow whose failure policy lets other nodes run."""
        return self._scheduler.outcomes.also_failed

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs by name, including defaults; copies."""
        with self._scheduler.workspace.entered():
            return {name: read_or_absent(value.native) for name, value in self._inputs.items()}

    @cached_property
    def _given(self) -> dict[str, str]:
        with self._scheduler.workspace.entered():
            return input_texts(self._inputs)

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs by name; copies. Empty unless the run has succeeded."""
        return {name: self._handouts.give(value, declared) for name, value, declared in self._declared_outputs()}

    def _declared_outputs(self) -> list[tuple[str, Any, Any]]:
        """The outputs with names and declared types; files are the run's own and must not be modified."""
        return [(name, value, self._root.outputs[name]) for name, value in self._read_outputs().items()]

    def _read_outputs(self) -> dict[str, Any]:
        if self.phase is not Phase.SUCCEEDED:
            return {}
        with self._scheduler.workspace.entered():
            return {name: read_or_absent(v.native) for name, v in self._plan.outputs.items() if v is not None}

    @property
    def result(self) -> Any:
        """The return value of a call of the entity: None, the output, or a named tuple of the outputs.

        Raises:
            RunCancelledError: if the run was stopped.
            FlytenbError: if it is still on.
            BaseException: the failed task's own exception, if it failed.
        """
        if self.phase is Phase.SUCCEEDED:
            with self._scheduler.workspace.entered():
                return build_result(self._root.interface, self._plan.outputs, self._handouts.give)  # type: ignore[arg-type]
        self._raise_failure()
        raise FlytenbError(f"the run of {self.name!r} is not over yet", hint="run.wait() waits for it")

    @property
    def graph(self) -> Graph:
        """The graph of the entity with the inputs of the run, and with the nodes that dynamic and eager tasks added."""
        spawned = self._scheduler.journal.spawned[:]
        if self._grown is None or len(spawned) != self._merged:
            graph = with_inputs(self._static_graph.get(), self._given)
            for event in spawned:
                assert event.graph is not None
                graph = graph.merged(without_defaults(event.graph), event.path)
            self._grown, self._merged = graph, len(spawned)
        return self._grown

    @property
    def nodes(self) -> Nodes:
        """The nodes by path, or by the name of the entity if only one node has it."""
        scheduler = self._scheduler
        records = scheduler.journal.records
        return Nodes(NodeSource(self.name, records, lambda: self.graph, scheduler.workspace, self._handouts))

    @property
    def _states(self) -> dict[str, NodeState]:
        """The state of each node that a drawing shows."""
        return {path: node._state for path, node in self.nodes.items()}

    def timeline(self) -> Timeline:
        """Return when each node was running."""
        return Timeline.read(self)

    def compare(self, other: Run) -> Comparison:
        """Return the differences to another run of the same entity: phases, outputs, nodes."""
        return Comparison.read(self, other)

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until the run has ended, at most `timeout` seconds; an interrupt ends the wait and not the run.

        Raises:
            FlytenbError: in a process that was forked during the run, whose threads are in the parent process.
        """
        if os.getpid() != self._scheduler.process and not self._scheduler.ending.finished.is_set():
            raise FlytenbError(
                f"the run of {self.name!r} goes on in process {self._scheduler.process}, the parent of this one",
                hint="wait for it there, or start a run of its own here",
            )
        return self._wait_and(lambda: None, timeout)

    def _wait_and(self, look: Callable[[], None], timeout: float | None = None) -> Run:
        """Wait like `wait`, and call `look` after possible changes, at least ten times a second."""

        def look_around() -> None:
            self._print_notices()
            look()

        if resources.main_thread.wait(self._scheduler.ending.finished, timeout, look_around):
            self._scheduler.journal.drain(_GRACE)
        self._conclude()
        return self

    def _conclude(self) -> None:
        self._print_notices()
        if self._show_end is not None and self._scheduler.ending.finished.is_set():
            with held_back():
                self._show_end()

    def _print_notices(self) -> None:
        """Print what the run has to say in the cell that waits for it."""
        notices = self._scheduler.workspace.notices
        while notices:
            print(clean(notices.popleft()))  # noqa: T201

    def cancel(self) -> Run:
        """Cancel the run: abort queued nodes and ask running ones to stop. Does nothing after the end of the run."""
        with held_back():
            self._scheduler.cancel()
        return self

    def approve(self, path: str, approved: bool = True) -> None:
        """Answer an approval gate, by the node's path or the gate's name."""
        self._gates.answer(self._scheduler, path, approved)

    def set_input(self, path: str, value: Any) -> None:
        """Answer an input gate; a value of another type is rejected and the gate keeps waiting."""
        self._gates.answer(self._scheduler, path, value)

    @property
    def questions(self) -> dict[str, str]:
        """The questions of the waiting gates, by path."""
        return dict(self._gates.questions)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The paths of the waiting gates."""
        return tuple(self._gates.questions)

    def forget(self) -> Run:
        """Drop all values of an ended run; an object `<absent: …>` takes the place of each."""
        forget_values(self)
        return self

    def _raise_failure(self) -> None:
        """Raise the failed task's own exception, or RunCancelledError; do nothing otherwise."""
        if self.error is not None:
            raise self.error.exception
        if self.phase is Phase.ABORTED:
            raise RunCancelledError(f"the run of {self.name!r} was stopped")

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with the events so far and with each later event.

        It is called by one thread at a time, in the order of the events, and may be slow: neither the run nor
        another listener waits for it. A listener that raises is removed, with a warning.

        Returns:
            A function that removes the listener.
        """
        return self._scheduler.journal.listen(listener)

    def explore(self) -> None:
        """Show the run in a live view, with the values, log, source and error of each node.

        Raises:
            FlytenbError: outside of a notebook.
        """
        if self._viewer is None:
            raise FlytenbError("there is no notebook to explore the run in", hint="%load_ext flytenb, or run.nodes")
        self._viewer(self)

    def on_finish(self, job: Callable[[], Any]) -> None:
        """Call `job` after the end of the run, on another thread, or now if it has ended; an exception is a warning."""
        self._scheduler.ending.add(job)

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
            if threading.current_thread() is threading.main_thread():
                resources.main_thread.make_pending()
        self._conclude()
        return self

    def __repr__(self) -> str:
        took = "" if self.duration is None else f" in {duration_text(self.duration)}"
        return f"<Run of {self.name}: {phase_words(self.phase)}{took}, {count_text(len(self.nodes), 'node')}>"


def read_graph_once(entity: Any) -> Reading[Graph]:
    """Return the current graph of an entity: read on demand, and once for each state of its workflow."""
    return read_later(entity, lambda: read_once(entity, "graph", lambda: read_graph(entity)), hold_graph)
