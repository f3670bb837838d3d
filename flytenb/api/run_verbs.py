"""Functions that start runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flytenb.display.runs.rehearsal_card import Rehearsal
from flytenb.runner.journal import Listener
from flytenb.runner.run import Run
from flytenb.session.host import host
from flytenb.session.options import Options

if TYPE_CHECKING:
    from flytenb.session.host import Watcher


def on_run(watcher: Watcher) -> Callable[[], None]:
    """Call `watcher` with each run just before it starts, and what it returns when the wait for the run is over.

    Returns:
        The function that removes the watcher.
    """
    return host.watch(watcher)


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
            `flytenb.engines`, or "auto" for the first that can. With "docker", tasks with a `container_image` run in
            it, if the engine has it.
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
