"""Settings with methods that start runs in the session."""

from __future__ import annotations

import tomllib  # noqa: F401 - the first run reads the project's settings; the extension is loaded without it
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from flytenb.bridge.entities.inputs import name_positional
from flytenb.bridge.entities.interface import require_entity
from flytenb.bridge.execution.image_facts import TaskSource
from flytenb.display.runs.progress import GatePrinter
from flytenb.display.runs.rehearsal_card import Rehearsal
from flytenb.errors import UsageError
from flytenb.reach.staleness import recompile_stale
from flytenb.runner.answers import Answers
from flytenb.runner.interrupts import held_back
from flytenb.runner.journal import Listener
from flytenb.runner.past import Past
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from flytenb.runner.shared_nodes import SharedNodes, SweepRow
from flytenb.runner.sizes import memory_limit
from flytenb.session.configuration import Choice, check, read_project, resolve, settings_from
from flytenb.session.host import host
from flytenb.session.resuming import Resuming
from flytenb.session.swept_runs import Sweep, prepare, rows_of
from flytenb.wording.values import brief


class Options:
    """Settings with methods that start runs; immutable. Created by `flytenb.options`."""

    def __init__(
        self,
        given: Mapping[str, Choice] = MappingProxyType({}),
        listeners: Iterable[Listener] = (),
        resuming: Resuming | None = None,
    ) -> None:
        self._given = dict(given)
        self._listeners = tuple(listeners)
        self._resuming = Resuming() if resuming is None else resuming
        self._resolved: tuple[Any, Settings] = (None, Settings())

    @property
    def settings(self) -> Settings:
        """The settings of a run that is started now.

        Raises:
            UsageError: for an invalid value; the hint names the place where it was set.
        """
        configured, project = host.session.configured, read_project()
        if self._resolved[0] != (configured, project):
            self._resolved = ((dict(configured), project), settings_from(resolve(self._given, configured, project)))
        return self._resolved[1]

    def options(
        self,
        *,
        workers: int | None = None,
        strict: bool | None = None,
        cache: bool | Literal["overwrite"] | None = None,
        processes: bool | None = None,
        engine: str | None = None,
        network: bool | None = None,
        stand_ins: Mapping[str, Any] | None = None,
        answers: Mapping[str, Any] | None = None,
        memory: int | str | None = None,
        keep: str | None = None,
        keep_days: float | None = None,
        keep_size: int | str | None = None,
        on_cluster: Iterable[Any] | None = None,
        listeners: Iterable[Listener] | None = None,
        resume: Run | bool | None = None,
        from_node: str | None = None,
        only_node: str | None = None,
        outputs: Mapping[str, Any] | None = None,
        keep_answers: bool | None = None,
    ) -> Options:
        """Return a copy with some settings changed; the arguments are those of `flytenb.options`."""
        values = {
            "workers": workers,
            "strict": strict,
            "cache": cache,
            "processes": processes,
            "engine": engine,
            "network": network,
            "stand_ins": stand_ins,
            "answers": answers,
            "memory": memory,
            "keep": keep,
            "keep_days": keep_days,
            "keep_size": keep_size,
            "on_cluster": on_cluster,
        }
        given = {name: Choice(value, "flytenb.options(…)") for name, value in values.items() if value is not None}
        for name, choice in given.items():
            check(name, choice.value)
        resuming = {
            "run": resume,
            "from_node": from_node,
            "only_node": only_node,
            "outputs": outputs,
            "keeps_answers": keep_answers,
        }
        return Options(
            {**self._given, **given},
            self._listeners if listeners is None else listeners,
            replace(self._resuming, **{n: v for n, v in resuming.items() if v is not None}),  # type: ignore[arg-type]
        )

    def _following(self, run: Run, good: Run | None) -> Options:
        """Return a copy that resumes a run, and takes what it doesn't have from another one."""
        return Options(self._given, self._listeners, replace(self._resuming, run=run, good=good))

    def start(self, entity: Any, /, *positional: Any, **inputs: Any) -> Run:
        """Start a run and return it at once; inputs as for `flytenb.start`."""
        made = self._prepare(entity, positional, inputs)
        with held_back():
            self._watch(made)
            return made._begin()

    def run(self, entity: Any, /, *positional: Any, **inputs: Any) -> Run:
        """Run an entity and wait for the run; an interrupt cancels it. Inputs as for `flytenb.run`."""
        made = self._wait(self._prepare(entity, positional, inputs))
        made._raise_failure()
        return made

    def _finish(self, entity: Any, /, *positional: Any, **inputs: Any) -> Run:
        """Run an entity and return the run when it has ended, also if it failed; else as `run`."""
        return self._wait(self._prepare(entity, positional, inputs), raises=False)

    def sweep(self, entity: Any, rows: Any = None, /, **inputs: Any) -> Sweep:
        """Run an entity with several inputs and wait; an interrupt cancels all. Arguments as for `flytenb.sweep`."""
        made = self.start_sweep(entity, rows, **inputs)
        try:
            return made.wait()
        except BaseException:
            made.cancel()
            raise

    def start_sweep(self, entity: Any, rows: Any = None, /, **inputs: Any) -> Sweep:
        """Start the runs of an entity with several inputs and return at once."""
        require_entity(entity)
        recompile_stale(entity)
        settings, nodes = self.settings, SharedNodes()
        if settings.on_cluster:
            raise UsageError("a sweep runs here, got nodes on a cluster", hint="leave out on_cluster")
        if self._resuming != Resuming():
            raise UsageError("a sweep can't resume a run or set outputs", hint="leave out what resumes a run")
        swept, given = rows_of(entity, rows, inputs)
        at_once = min(settings.workers, len(given))
        each = replace(settings, workers=settings.workers // at_once)

        def make(row: Mapping[str, Any], number: int) -> Run:
            shared = SweepRow(f"run {number} of the sweep", nodes)
            return Run(entity, row, each, self._listeners, None, _source_of, row=shared)

        session, is_in_notebook, sweep = host.session, bool(host.watchers), object()

        def note(run: Run) -> None:
            _hold(run)
            if is_in_notebook:
                session.keep(run, sweep)

        return prepare(swept, given, make)._begin(at_once, note)

    def rehearse(self, entity: Any, /, *positional: Any, with_: Any = None, **inputs: Any) -> Rehearsal:
        """Run an entity with answers in place of services; arguments as for `flytenb.rehearse`."""
        answers = Answers(with_)
        made = self._wait(self._prepare(entity, positional, inputs, answers))
        if made.error is None or not any(made.error.exception is error for error in answers.raised):
            made._raise_failure()
        return Rehearsal(made, answers)

    def prepare(self, entity: Any, positional: tuple[Any, ...], inputs: Mapping[str, Any]) -> Run:
        """Return a run that nothing shows and that hasn't begun; inputs as for `flytenb.start`."""
        return self._prepare(entity, positional, inputs)

    def _wait(self, made: Run, *, raises: bool = True) -> Run:
        """Start a run and wait for its end; an interrupt cancels it.

        Args:
            made: the run.
            raises: whether the caller raises its error.
        """
        endings: list[Callable[[], None]] = []
        gates = GatePrinter()
        try:
            with held_back():
                made._raises = raises
                endings += self._watch(made)
                made._begin()
            # A run without a view prints its gates, or they would block it without a word.
            made._wait_and(lambda: None if endings else gates.print_new(made))
        except BaseException as error:
            made.cancel()
            if isinstance(error, KeyboardInterrupt):
                error.add_note(f"the run of {made.name!r} was stopped")
            raise
        finally:
            with held_back():
                for end in endings:
                    end()
        return made

    def _prepare(
        self, entity: Any, positional: tuple[Any, ...], inputs: Mapping[str, Any], answers: Answers | None = None
    ) -> Run:
        require_entity(entity)
        recompile_stale(entity)
        given = name_positional(entity, positional, inputs) if positional else inputs
        session, resuming = host.session, self._resuming
        if "resume" in given and "resume" not in entity.python_interface.inputs:
            resuming = replace(resuming, run=given["resume"])
            given = {name: value for name, value in given.items() if name != "resume"}
        past: Past | None = None
        outputs: Mapping[str, Any] = {}
        if resuming.only_node and answers is None:
            entity, given = resuming.only(entity, given, session, self.settings.keep)
            recompile_stale(entity)
        elif answers is None:
            past, outputs = resuming.past(entity, session, self.settings.keep), resuming.outputs
        settings, targets = self.settings, None
        if settings.on_cluster:
            if answers is not None:
                raise UsageError("a rehearsal runs here, got nodes on a cluster", hint="leave out on_cluster")
            from flytenb.session.node_placement import place_nodes  # imports half of flytekit

            targets = place_nodes(entity, settings.on_cluster)
        made = Run(entity, given, settings, self._listeners, answers, _source_of, targets, past, outputs)
        if answers is None and not resuming.only_node:
            session.note(made)
        _hold(made)
        return made

    def _watch(self, made: Run) -> list[Callable[[], None]]:
        return [watcher(made) for watcher in list(host.watchers)]

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={brief(choice.value)}" for name, choice in self._given.items())
        return f"flytenb.options({given})"


def _hold(made: Run) -> None:
    """Hold the values of a run within the limit of memory, and keep it on disk if that is set."""
    host.memory.follow(made, memory_limit(made.settings.memory))
    if made.settings.keep:
        _keep(made)


def _keep(made: Run) -> None:
    from flytenb.session.kept_runs import keep_rules  # rarely needed

    rules = keep_rules(made.settings)
    assert rules is not None
    host.keeper.follow(made, rules)


def _source_of(task: Any) -> TaskSource:
    """Return a task of the notebook as source."""
    from flytenb.ship.task_source import source_of  # rarely needed

    return source_of(task, host.session.cells, host.session.namespace)
