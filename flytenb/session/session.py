"""Session of one notebook: its definitions, its latest runs, its configuration. It runs and draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from flytenb.errors import UnknownNameError, closest
from flytenb.locks import new_lock
from flytenb.session.code_watch import CodeWatch
from flytenb.ship.cells import Cells

if TYPE_CHECKING:
    from flytenb.model import Graph, Kind
    from flytenb.runner.run import Run
    from flytenb.session.configuration import Choice

_RUNS_KEPT = 20
"""A run holds all the values that flowed through it."""


@dataclass(frozen=True)
class Definition:
    """One entity that a cell defined.

    Attributes:
        name: the variable that holds the entity.
        entity: flytekit's object.
        kind: its kind.
        cell: the execution number of the cell, None for an entity that no cell defined.
        source: the text of that cell.
    """

    name: str
    entity: Any
    kind: Kind
    cell: int | None
    source: str


class Followed(Protocol):
    """A call that is followed, as `session.following` implements it."""

    def look(self) -> None: ...

    def settle(self) -> None: ...

    def stop(self) -> None: ...


class Session:
    """Definitions, runs and configuration of one notebook, as of its last cell.

    Attributes:
        definitions: the notebook's entities by name.
        cells: the cells that were run, with their code.
        code: the code of the entities, now and when they ran.
        namespace: the notebook's variables.
        runs_begun: how many runs there have been.
        inputs: the last content of each form, by the entity's name.
        configured: the settings of IPython's configuration and of `%config`.
        debug_functions: the names of the functions in the cells that `%flyte debug` made.
        follows: the calls that are followed.
        show_follow: shows a followed call in the output of the current cell.
        show_sweep: shows a sweep in the output of the current cell until all its runs have ended.
        short_error: the error shown in its short form since the last run started, if any.
    """

    def __init__(self) -> None:
        self.definitions: dict[str, Definition] = {}
        self.cells = Cells()
        self.code = CodeWatch(self.cells)
        self.namespace: dict[str, Any] = {}
        self._runs: tuple[tuple[object, Run], ...] = ()  # replaced as a whole: the threads of a sweep add some
        self._runs_lock = new_lock()
        self.runs_begun = 0
        self.inputs: dict[str, Any] = {}
        self.configured: dict[str, Choice] = {}
        self.debug_functions: set[str] = set()
        self.short_error: BaseException | None = None
        self.follows: list[Followed] = []
        self.show_follow: Callable[[Any], None] = lambda follow: None
        self.show_sweep: Callable[[Any], None] = lambda sweep: None
        self._last: WeakValueDictionary[str, Run] = WeakValueDictionary()
        self._last_good: WeakValueDictionary[str, Run] = WeakValueDictionary()

    @property
    def runs(self) -> tuple[Run, ...]:
        """The latest runs, oldest first, as they are now: a followed call adds one on another thread."""
        return tuple(run for _, run in self._runs)

    def update(self, namespace: Mapping[str, Any], cell: int | None, source: str) -> None:
        """Record new and replaced entities of a cell; forget deleted names and the compiled form of stale workflows."""
        from flytenb.bridge.entities.interface import is_entity, kind_of
        from flytenb.bridge.workflow.definition import forget_entity
        from flytenb.reach.look import one_look
        from flytenb.reach.staleness import forget_stale
        from flytenb.runner.resources import resources

        found = {n: v for n, v in list(namespace.items()) if is_entity(v) and not n.startswith("_")}
        for name in [n for n in self.definitions if n not in found]:
            del self.definitions[name]
        for name, entity in found.items():
            known = self.definitions.get(name)
            if known is None or known.entity is not entity:
                if known is not None:
                    forget_entity(known.entity)
                self.definitions[name] = Definition(name, entity, kind_of(entity), cell, source)
        with one_look():
            self.code.forget(definition.entity for definition in self.definitions.values())
            forget_stale()
            resources.codes.drop_changed()

    def find(self, name: str) -> Any:
        """Return the entity of that name.

        Raises:
            UnknownNameError: with the closest names.
        """
        if name in self.definitions:
            return self.definitions[name].entity
        hint = closest(name, self.definitions) or "define one with @task or @workflow"
        raise UnknownNameError(f"no task, workflow or launch plan named {name!r}", hint=hint)

    def is_stale(self, name: str) -> bool:
        """Tell whether what an entity reaches has been redefined since it was compiled, or since it last ran."""
        from flytenb.reach.staleness import is_stale

        return is_stale(self.definitions[name].entity) or bool(self.stale_text(name))

    def stale_text(self, name: str) -> str:
        """Return what was redefined of what an entity reaches: "`scale` was redefined in cell 12", or an empty text."""
        from flytenb.reach.staleness import redefined_names

        entity = self.definitions[name].entity
        return self.code.stale_text(entity, self.runs, redefined_names(entity))

    def marked(self, graph: Graph, entity: Any, run: Run | None = None) -> Graph:
        """Return the graph of an entity with what is stale in it since its last run, or since the given one."""
        return self.code.marked(graph, entity, self.runs if run is None else [run])

    def look(self) -> None:
        """Let the followed calls run again if the last cell redefined something that they reach."""
        for follow in list(self.follows):
            follow.look()

    def settle(self) -> None:
        """Let the followed calls note what runs have changed: before each cell, and at the end of each run."""
        for follow in list(self.follows):
            follow.settle()

    def stop_following(self) -> None:
        """Follow no call any more."""
        for follow in list(self.follows):
            follow.stop()

    @property
    def is_run_on(self) -> bool:
        """Whether one of the latest runs goes on."""
        return any(not run.phase.is_terminal for run in self.runs)

    def keep(self, run: Run, sweep: object = None) -> None:
        """Add a run that starts now; the runs of one sweep count as one."""
        self.code.note(run)
        with self._runs_lock:
            added = [*self._runs, (object() if sweep is None else sweep, run)]  # the list holds each run once
            latest = {*[*dict.fromkeys(id(of) for of, _ in reversed(added))][:_RUNS_KEPT]}
            self._runs = tuple(each for each in added if id(each[0]) in latest)
        self.runs_begun += 1
        if self.follows:
            run.on_finish(self.settle)
        self.short_error = None

    def note(self, run: Run) -> None:
        """Note a run as the last one of its entity. It isn't kept by that."""
        name = run.entity.name
        before = self._last.get(name)
        if before is not None and before.phase == "SUCCEEDED":
            self._last_good[name] = before
        self._last[name] = run

    def last_run(self, entity: Any) -> Run | None:
        """Return the last local run of the entity of this name, None if there is none."""
        return self._last.get(entity.name)

    def last_good_run(self, entity: Any) -> Run | None:
        """Return the last run before `last_run` that had succeeded when the next one was prepared, None without one."""
        return self._last_good.get(entity.name)

    def run_of(self, error: BaseException | None) -> Run | None:
        """Return the latest run that failed with this error, None if there is none."""
        return next((run for run in reversed(self.runs) if run.error and run.error.exception is error), None)

    def runs_of(self, entity: Any) -> Iterable[Run]:
        """Return the runs of one entity, oldest first."""
        return [run for run in self.runs if run.entity is entity]
