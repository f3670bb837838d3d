"""The verbs, on objects: what a magic, a script or a test calls. Parses no text, looks no names up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from flytenb.bridge.entities.interface import require_entity
from flytenb.bridge.execution.calls import name_positional
from flytenb.bridge.type_names import is_annotation
from flytenb.bridge.workflow.graph import read_graph
from flytenb.bridge.workflow.staleness import recompile_stale
from flytenb.display.conformance_card import Conformance
from flytenb.display.registry import display_for
from flytenb.display.runs.progress import GatePrinter
from flytenb.display.shown import Shown
from flytenb.display.shown import show as show_value
from flytenb.display.type_lens import Lens
from flytenb.errors import UsageError, closest
from flytenb.model import Graph
from flytenb.reach.state_uses import uses
from flytenb.render.drawing import Drawing
from flytenb.render.drawing import draw as draw_graph
from flytenb.runner.interrupts import held_back
from flytenb.runner.journal import Listener
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from flytenb.types import MISSING
from flytenb.wording.values import brief, class_name

__all__ = [
    "Options",
    "Run",
    "check_transformer",
    "display_for",
    "draw",
    "graph",
    "lens",
    "on_run",
    "options",
    "run",
    "show",
    "start",
    "uses",
]

Watcher = Callable[[Run], Callable[[], None]]

_watchers: list[Watcher] = []


def on_run(watcher: Watcher) -> Callable[[], None]:
    """Call `watcher` with each run just before it starts, and what it returned when a wait for it is over.

    Returns:
        What takes the watcher back.
    """
    _watchers.append(watcher)
    return lambda: _watchers.remove(watcher)


def graph(entity: Any) -> Graph:
    """Return what an entity consists of, as frozen data.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        Exception: whatever a workflow's own code raises while it compiles.
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
) -> Drawing:
    """Draw an entity, a graph or a run.

    Args:
        what: a task, workflow or launch plan, a `Graph`, or a `Run`, which is drawn as it stands now.
        upstream: a node (path or name): only it and what it depends on.
        downstream: a node: only it and what depends on it.
        between: two nodes: only what lies on a way from one to the other.
        depth: how many levels of subworkflows are open; None opens as many as fit.
    """
    states = what.states if isinstance(what, Run) else None
    drawn = what.graph if isinstance(what, Run) else what if isinstance(what, Graph) else graph(what)
    return draw_graph(drawn, upstream=upstream, downstream=downstream, between=between, depth=depth, states=states)


def start(entity: Any, /, *positional: Any, **inputs: Any) -> Run:
    """Start a run and return its handle at once.

    Args:
        entity: a task, workflow or launch plan.
        *positional: inputs in the order in which they are declared.
        **inputs: inputs by name.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        InputError: with every bad input.
        StubError: if it has no body yet.
    """
    return Options(Settings()).start(entity, *positional, **inputs)


def run(entity: Any, /, *positional: Any, **inputs: Any) -> Run:
    """Run an entity here and wait for it; interrupting cancels it.

    Args:
        entity: a task, workflow or launch plan.
        *positional: inputs in the order in which they are declared.
        **inputs: inputs by name.

    Raises:
        InputError: with every bad input.
        BaseException: the failed task's own exception; the run itself is kept in its session.
    """
    return Options(Settings()).run(entity, *positional, **inputs)


def options(**settings: Any) -> Options:
    """Return settings with `.run(entity, …)` and `.start(…)`, so that they never collide with an input's name.

    Args:
        **settings: `workers`, `strict`, `cache`, `processes`, `stand_ins`, `answers`, `listeners`.

    Raises:
        UsageError: for a setting that there isn't.
    """
    return Options(Settings()).options(**settings)


class Options:
    """How a run is done: immutable settings that start runs."""

    def __init__(self, settings: Settings, listeners: tuple[Listener, ...] = ()) -> None:
        self.settings = settings
        self.listeners = listeners

    def options(self, **changes: Any) -> Options:
        """Return these settings with some changed."""
        listeners = tuple(changes.pop("listeners", self.listeners))
        known = [f.name for f in fields(Settings)]
        for name in changes:
            if name not in known:
                raise UsageError(f"no setting {name!r}", hint=closest(name, [*known, "listeners"]))
        return Options(replace(self.settings, **changes), listeners)

    def start(self, entity: Any, /, *positional: Any, **inputs: Any) -> Run:
        """Start a run and return its handle at once; inputs as those of `flytenb.start`."""
        made = self._prepare(entity, positional, inputs)
        with held_back():
            self._watch(made)
            return made.begin()

    def run(self, entity: Any, /, *positional: Any, **inputs: Any) -> Run:
        """Run and wait; interrupting cancels it. Inputs as those of `flytenb.run`."""
        made = self._prepare(entity, positional, inputs)
        endings: list[Callable[[], None]] = []
        gates = GatePrinter()
        try:
            with held_back():
                endings += self._watch(made)
                made.begin()
            # Without a view of the run, a gate would be waited for in silence.
            made.wait_and(lambda: None if endings else gates.look(made))
        except BaseException:
            made.cancel()
            raise
        finally:
            with held_back():
                for end in endings:
                    end()
        made.raise_failure()
        return made

    def _prepare(self, entity: Any, positional: tuple[Any, ...], inputs: Mapping[str, Any]) -> Run:
        require_entity(entity)
        recompile_stale(entity)
        given = name_positional(entity, positional, inputs) if positional else inputs
        return Run(entity, given, self.settings, self.listeners)

    def _watch(self, made: Run) -> list[Callable[[], None]]:
        return [watcher(made) for watcher in list(_watchers)]

    def __repr__(self) -> str:
        default = Settings()
        changed = ", ".join(
            f"{f.name}={getattr(self.settings, f.name)!r}"
            for f in fields(Settings)
            if getattr(self.settings, f.name) != getattr(default, f.name)
        )
        return f"flytenb.options({changed})"


def show(value: Any, declared: Any = None, *, name: str = "") -> Shown:
    """Show a value as its declared type, else as what it is: bounded, escaped, never raising."""
    return show_value(value, declared, name=name)


def lens(python_type: Any, sample: Any = MISSING) -> Lens:
    """Look at a type as Flyte does: its transformer and why this one, and a value's way into a literal and back.

    Args:
        python_type: anything that can be an annotation.
        sample: a value of it; without one, one is made if the type says enough.

    Raises:
        UsageError: if it is a value and no type.
        TypeError: if flytekit can't look the type up at all.
    """
    if not is_annotation(python_type):
        hint = f"a value goes along with its type: flytenb.lens({class_name(python_type)}, sample=…)"
        raise UsageError(f"{brief(python_type)} is no type", hint=hint)
    return Lens.of(python_type, sample)


def check_transformer(
    python_type: Any, samples: Iterable[Any] = (), *, wrong: Sequence[Any] | None = None
) -> Conformance:
    """Put a type to the test: everything that may happen to a value of it among tasks.

    As a test of a package: `result = flytenb.check_transformer(Audio, [clip]); assert result.ok, result`.

    Args:
        python_type: the type.
        samples: values of it; without any, one is made if the type says enough.
        wrong: values that it must refuse; an object, a number and a text if not given.

    Raises:
        NoSampleError: if there are no samples and none can be made.
    """
    return Conformance.of(python_type, samples, wrong)
