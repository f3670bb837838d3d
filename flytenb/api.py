"""The functions of `flytenb`, on objects: called by magics, scripts and tests. No text is parsed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from flytenb.bridge.entities.container_cell import kwtypes
from flytenb.bridge.entities.interface import require_entity, require_local, short_name
from flytenb.bridge.entities.kind import is_python_task
from flytenb.bridge.execution.connector import is_connector_task
from flytenb.bridge.execution.connector_facts import is_connector
from flytenb.bridge.workflow.definition import decorator, rolled_back
from flytenb.bridge.workflow.graph import read_graph
from flytenb.display.code_card import Code
from flytenb.display.conformance_card import Conformance
from flytenb.display.registry import REGISTRY, F, Key
from flytenb.display.rendering import Rendering
from flytenb.display.runs.error_card import FullError
from flytenb.display.runs.rehearsal_card import Rehearsal
from flytenb.display.show import show as show_value
from flytenb.display.type_lens import Lens
from flytenb.errors import UsageError
from flytenb.languages.cell_entity import container
from flytenb.model import Graph
from flytenb.reach.staleness import recompile_stale
from flytenb.reach.state_uses import uses
from flytenb.render.drawing import Drawing
from flytenb.render.drawing import draw as draw_graph
from flytenb.runner.journal import Listener
from flytenb.runner.run import Run
from flytenb.session import Session
from flytenb.session.configuration import read_project, resolve, settings_from
from flytenb.session.debugging import Debugging, debugging, find_failure, last_failed
from flytenb.session.host import host
from flytenb.session.listing import Listing
from flytenb.session.options import Options
from flytenb.types import MISSING
from flytenb.wording.types import is_annotation
from flytenb.wording.values import brief, class_name

if TYPE_CHECKING:
    from flytenb.session.host import Watcher

__all__ = [
    "Options",
    "Run",
    "check_connector",
    "check_plugin",
    "check_transformer",
    "code_of",
    "container",
    "debug",
    "defining",
    "display_for",
    "draw",
    "entities",
    "error",
    "graph",
    "kwtypes",
    "lens",
    "on_run",
    "options",
    "rehearse",
    "run",
    "runs",
    "settings",
    "show",
    "start",
    "uses",
]


def on_run(watcher: Watcher) -> Callable[[], None]:
    """Call `watcher` with each run just before it starts, and what it returns when the wait for the run is over.

    Returns:
        The function that removes the watcher.
    """
    return host.watch(watcher)


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
) -> Drawing:
    """Draw an entity, a graph or a run.

    Args:
        what: a task, workflow or launch plan, a `Graph`, or a `Run`, which is drawn in its current state.
        upstream: path or name of a node: draw only this node and the nodes that it depends on.
        downstream: path or name of a node: draw only this node and the nodes that depend on it.
        between: two nodes: draw only the paths from the first to the second.
        depth: the number of levels of subworkflows that are open; None opens as many as fit.

    Raises:
        NotAnEntityError: for an object that can't be drawn.
        UnknownNameError: for a node that doesn't exist, with the closest names.
    """
    states = what._states if isinstance(what, Run) else None
    drawn = what.graph if isinstance(what, Run) else what if isinstance(what, Graph) else graph(what)
    return draw_graph(drawn, upstream=upstream, downstream=downstream, between=between, depth=depth, states=states)


def start(entity: Any, /, *positional: Any, **inputs: Any) -> Run:
    """Start a run and return it at once.

    Args:
        entity: a task, workflow or launch plan.
        *positional: inputs in the order in which they are declared.
        **inputs: inputs by name.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        InputError: for invalid inputs; the message lists all of them.
        StubError: if the entity has no body yet.
    """
    return Options().start(entity, *positional, **inputs)


def run(entity: Any, /, *positional: Any, **inputs: Any) -> Run:
    """Run an entity locally and wait for the run; an interrupt cancels it.

    Args:
        entity: a task, workflow or launch plan.
        *positional: inputs in the order in which they are declared.
        **inputs: inputs by name.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
        InputError: for invalid inputs; the message lists all of them.
        StubError: if the entity has no body yet.
        BaseException: the exception of the failed task; the run is kept in the session.
    """
    return Options().run(entity, *positional, **inputs)


def rehearse(entity: Any, /, *positional: Any, with_: Any = None, **inputs: Any) -> Rehearsal:
    """Run an entity whose tasks belong to a service without an account there, and show what each task would send.

    Tasks of a connector and SQL tasks aren't run: their requests are read, and `with_` answers them. Everything else
    runs as in `flytenb.run`.

        con = duckdb.connect()
        con.execute("CREATE TABLE sales AS SELECT 'north' AS region, 3 AS units")
        rehearsal = flytenb.rehearse(report, region="north", with_=con)
        assert rehearsal.requests[0].sql == "SELECT * FROM sales WHERE region = @region"
        assert rehearsal.requests[0].parameters == {"region": "north"}

    Args:
        entity: a task, workflow or launch plan.
        *positional: inputs in the order in which they are declared.
        with_: what answers the requests: a connection of a database (DuckDB, SQLite, another of DB-API 2.0), which
            executes the statement, translated by sqlglot if it is installed; a function that takes the `Request` and
            returns the outputs; the outputs by name; the only output, such as a frame; an exception, which is raised at
            the node; or a mapping to any of these from tasks: a task, its name or type, its class or that of its
            configuration. A mapping also replaces tasks of other kinds. A task without outputs needs no answer.
        **inputs: inputs by name.

    Raises:
        InputError: for invalid inputs; the message lists all of them.
        FlytenbError: if no answer was given for a task.
        BaseException: the exception of the failed task, unless it was given in `with_`.
    """
    return Options().rehearse(entity, *positional, with_=with_, **inputs)


def options(
    *,
    workers: int | None = None,
    strict: bool | None = None,
    cache: bool | Literal["overwrite"] | None = None,
    processes: bool | None = None,
    engine: str | None = None,
    network: bool | None = None,
    stand_ins: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    listeners: Iterable[Listener] | None = None,
) -> Options:
    """Return settings with the methods `.run(entity, …)` and `.start(entity, …)`.

    Settings are passed separately from inputs, so that both can have the same name. A setting that is omitted is taken
    from IPython's configuration, from pyproject.toml or from the defaults, in this order.

    Args:
        workers: the number of nodes that run at the same time.
        strict: whether every value is converted to its literal and back, as on a cluster.
        cache: whether cached tasks read and fill the cache; "overwrite" only fills it.
        processes: whether plain Python tasks run in processes of their own.
        engine: what runs container tasks: "docker", "bubblewrap", "host", the name of an entry point of the group
            `flytenb.engines`, or "auto" for the first that can.
        network: whether container tasks may use the network.
        stand_ins: functions or entities that replace reference entities, by the entity's name.
        answers: answers to gates, by node path or gate name: True, False or a value.
        listeners: functions that are called with each `RunEvent`.

    Raises:
        UsageError: for an invalid value.
    """
    return Options().options(
        workers=workers,
        strict=strict,
        cache=cache,
        processes=processes,
        engine=engine,
        network=network,
        stand_ins=stand_ins,
        answers=answers,
        listeners=listeners,
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


def lens(python_type: Any, sample: Any = ...) -> Lens:
    """Return how flytekit handles a type: its transformer, the reason for it, and the round trip of a value.

    Args:
        python_type: an annotation.
        sample: a value of the type; if omitted, one is made from the type where possible.

    Raises:
        UsageError: for a value instead of a type.
        TypeError: if flytekit can't look up the type.
    """
    if not is_annotation(python_type):
        hint = f"pass a value along with its type: flytenb.lens({class_name(python_type)}, sample=…)"
        raise UsageError(f"expected a type, got {brief(python_type)}", hint=hint)
    return Lens.of(python_type, MISSING if sample is ... else sample)


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
    return Code.of(entity, short_name(entity))


def check_transformer(
    python_type: Any, samples: Iterable[Any] = (), *, wrong: Sequence[Any] | None = None
) -> Conformance:
    """Test the transformer of a type with everything that can happen to a value between tasks.

    In the tests of a package: `result = flytenb.check_transformer(Audio, [clip]); assert result.ok, result`.

    Args:
        python_type: the type.
        samples: values of the type; if omitted, one is made from the type where possible.
        wrong: values that the transformer must reject; by default an object, a number and a text.

    Raises:
        NoSampleError: if samples are omitted and none can be made.
    """
    return Conformance.of(python_type, samples, wrong)


def check_plugin(task: Any, inputs: Mapping[str, Any] | None = None) -> Conformance:
    """Test the task plugin that a task is made by: here, as what is registered of it, and in the process of a pod.

    In the tests of a plugin: `result = flytenb.check_plugin(train, {"epochs": 1}); assert result.ok, result`.

    Args:
        task: a task of the plugin, made by `@task(task_config=…)` or by calling its class.
        inputs: its inputs by name; those that are omitted are their defaults, or made from the type where possible.

    Raises:
        UsageError: for anything but a task, such as the plugin's class.
        InputError: for invalid inputs.
        NoSampleError: if an input is omitted and can't be made.
    """
    if not is_python_task(task):
        hint = "make a task of the plugin, @task(task_config=…), and pass that"
        raise UsageError(f"expected a task, got {brief(task)}", hint=hint)
    return Conformance.of_plugin(task, inputs)


def check_connector(
    connector: Any,
    task: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    failing: Mapping[str, Any] | None = None,
    patience: float = 60.0,
) -> Conformance:
    """Test a connector by calling it as a cluster does: several jobs are created, followed and deleted.

    In the tests of a connector, with a service that runs for the tests or in the place of one:
    `result = flytenb.check_connector(Queries(), query, {"n": 3}, failing={"n": -1}); assert result.ok, result`.

    Args:
        connector: an object of the connector's class.
        task: a task that it runs.
        inputs: inputs with which a job succeeds; those that are omitted are their defaults, or made from the type
            where possible.
        failing: inputs with which a job fails; without them, failures aren't checked.
        patience: seconds to wait for the end of a job.

    Raises:
        UsageError: for anything but a connector and a task that a connector runs.
        NoSampleError: if an input is omitted and can't be made.
    """
    if not is_connector(connector):
        hint = "pass an object of its class: flytenb.check_connector(MyConnector(), task, {…})"
        raise UsageError(f"expected a connector, got {brief(connector)}", hint=hint)
    if not is_connector_task(task):
        hint = "derive its class from AsyncConnectorExecutorMixin or SyncConnectorExecutorMixin"
        raise UsageError(f"expected a task that a connector runs, got {brief(task)}", hint=hint)
    return Conformance.of_connector(connector, task, inputs or {}, failing, patience)


# --- a session --------------------------------------------------------------------------------------------------------


def entities(session: Session) -> Listing:
    """List the entities of a session: kind, cell, fresh or stale, last run."""
    return Listing.of_session(session)


def runs(session: Session) -> Listing:
    """List the latest runs of a session, oldest first."""
    return Listing.of_runs(session.runs)


def settings(session: Session) -> Listing:
    """List the settings of a run that is started now: value, where it was set, meaning.

    Raises:
        UsageError: for a value that its setting doesn't accept, with the place where it was set.
    """
    chosen = resolve(session.configured, read_project())
    settings_from(chosen)
    return Listing.of_settings(chosen)


def error(session: Session, node: str = "") -> FullError:
    """Return the whole traceback of the error shown last, or of a node of the latest failed run.

    Args:
        session: the session.
        node: the node's path or its entity's name.

    Raises:
        UsageError: if no run has failed.
        UnknownNameError: if that node has not failed.
    """
    if node:
        failed = last_failed(session.runs)
        return FullError.at(failed, find_failure(failed, node))
    shown = session.short_error
    run = session.run_of(shown)
    if shown is not None and run is None:
        return FullError.whole(shown)
    return FullError.of(run or last_failed(session.runs))


def debug(session: Session, node: str = "", namespace: Mapping[str, Any] = MappingProxyType({})) -> Debugging:
    """Return what is needed to retry a failed node of the latest failed run: inputs, a cell with its function.

    Args:
        session: the session.
        node: the node's path or its entity's name; `""` is the node that made the run fail.
        namespace: the notebook's variables; no input is given the name of one of them.

    Raises:
        UsageError: if no run has failed.
        UnknownNameError: if that node has not failed.
    """
    return debugging(last_failed(session.runs), node, namespace, session.debug_functions)


@contextmanager
def defining(
    kind: str, namespace: dict[str, Any], names: Sequence[str], functions: Sequence[str]
) -> Iterator[Callable[..., Any]]:
    """Define entities in a namespace; if the block raises, or a workflow doesn't compile, restore the namespace.

    Args:
        kind: `task`, `workflow`, `dynamic` or `eager`.
        namespace: the notebook's variables.
        names: the names that the block may bind.
        functions: those of them that become entities.

    Yields:
        The decorator of that kind; a function that is an entity already stays as it is.
    """
    with rolled_back(namespace, names):
        yield decorator(kind)
        for name in functions:
            recompile_stale(namespace.get(name))
