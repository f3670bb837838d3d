"""Functions that start runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flytenb.bridge.entities.interface import require_entity, short_name
from flytenb.display.runs.rehearsal_card import Rehearsal
from flytenb.errors import UnknownNameError, UsageError
from flytenb.record.kept_run import KeptRun
from flytenb.runner.journal import Listener
from flytenb.runner.run import Run
from flytenb.session.following import Call, Follow
from flytenb.session.host import host
from flytenb.session.kept_runs import folder_of, load
from flytenb.session.options import Options
from flytenb.session.swept_runs import Sweep
from flytenb.wording.values import brief

if TYPE_CHECKING:
    from flytenb.session import Session
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


def load_run(identifier: str, folder: str | None = None, *, unpickle: bool = False) -> KeptRun:
    """Return a run that was kept, in this kernel or an earlier one; wait for one that is being written.

    Its values have the types of the notebook's entity if that is defined, else those that flytekit guesses; values of
    other types come as plain data. A value that only a pickle could hold was kept as its text.

    Args:
        identifier: the id of the run, as `run.id` and `%flyte runs` show it, or its first characters.
        folder: the folder of kept runs; that of the setting `keep` if not given.
        unpickle: whether reading values may unpickle what is in the folder, which executes code: True only for a folder
            that only you can write. Without it, such a value is an AbsentValueError.

    Raises:
        UsageError: without a folder, or for characters that several ids begin with.
        UnknownNameError: if there is no such run, or it is damaged.
    """
    keep = Options().settings.keep if folder is None else folder
    if not keep:
        raise UsageError(
            "no folder of kept runs is set", hint='load_run(id, folder=…), %config FlyteMagics.keep = "runs"'
        )
    is_on = host.keeper.wait_for_run(identifier)
    entities = {name: each.entity for name, each in host.session.definitions.items()}
    try:
        return load(folder_of(keep), identifier, entities, may_unpickle=unpickle)
    except UnknownNameError as e:
        if is_on:
            raise UnknownNameError(e.message, hint="the run goes on: run.wait() waits for its end") from None
        raise


def sweep(entity: Any, rows: Any = None, /, **inputs: Any) -> Sweep:
    """Run an entity with several inputs, and run equal calls of tasks once for all of them.

        sweep = flytenb.sweep(train, rate=[0.1, 0.3], depth=[2, 4], data=frame)
        sweep.sort("loss").frame()
        sweep[2].nodes["fit"].log

    A node with the same code and equal inputs runs in one of the runs; the others wait for it and take its outputs,
    also if these are random. The runs share the workers. A failed run doesn't stop the others.

    Args:
        entity: a task, workflow or launch plan.
        rows: the swept inputs of each run, as a list of dictionaries or a frame; without them, the grid of all lists
            that are given for inputs of another type.
        **inputs: inputs by name.

    Raises:
        UsageError: if no input is swept, or with options to resume a run or for nodes on a cluster.
        InputError: for invalid inputs of a run.
    """
    return Options().sweep(entity, rows, **inputs)


def start_sweep(entity: Any, rows: Any = None, /, **inputs: Any) -> Sweep:
    """Start a sweep and return it at once; arguments as for `sweep`."""
    return Options().start_sweep(entity, rows, **inputs)


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


def follow(entity: Any, /, *positional: Any, **inputs: Any) -> Follow:
    """Run an entity, and again in the background after each cell that redefines something that it reaches.

    The runs are shown in the output of this cell. An edit cancels the run in progress, and the last good values stay
    visible. `follow.stop()` and `%flyte follow --stop` end it.

    Args:
        entity: a task, workflow or launch plan of the notebook.
        *positional: inputs in the order in which they are declared.
        **inputs: inputs by name.

    Raises:
        NotAnEntityError: for anything but a task, workflow or launch plan.
    """
    require_entity(entity)
    session, name = host.session, short_name(entity)

    def call() -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        definition = session.definitions.get(name)
        return entity if definition is None else definition.entity, positional, inputs

    given = ", ".join([*map(brief, positional), *(f"{key}={brief(value)}" for key, value in inputs.items())])
    return follow_call(session, f"{name}({given})", call)


def follow_call(session: Session, text: str, call: Call) -> Follow:
    """Follow a call of a notebook, which is evaluated anew for each run.

    Args:
        session: the session of the notebook.
        text: the call, for people.
        call: returns the entity, and the inputs by position and by name.
    """
    made = Follow(session, text, call, Options())
    session.follows.append(made)
    session.show_follow(made)
    made.look()
    return made


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
        memory: how much memory the values of ended runs take: bytes, a size such as "2 GB", or a share of the machine's
            memory such as "25%". The values of the oldest runs are moved to disk, or dropped if that fails.
        keep: the folder in which runs are kept, so that `flytenb.load_run` finds them in another kernel; "" for none.
        keep_days: the age in days at which kept runs are removed.
        keep_size: the size of the folder beyond which the oldest kept runs are removed: bytes, or "5 GB".
        on_cluster: nodes that are executed on the cluster that flytekit finds, each by its path, its task or the name
            of its task; or a dictionary with the cluster of each, as `flytenb.cluster` returns it.
        listeners: functions that are called with each `RunEvent`.
        resume: the run to resume: every node of it that succeeded, and whose code, inputs and settings are the same, is
            re-used. True is the last run of the entity in this session.
        from_node: a node, by path or name, of the run to resume: it and all that follows it run again, every other node
            whose inputs are the same is re-used, also if its code has changed.
        only_node: a node of the run to resume that runs alone, on its inputs of that run; the result is a run of its
            task or workflow.
        outputs: values in the place of outputs, by `NODE.output`; these nodes don't run, and if the entity has run in
            this session, its last run is resumed.
        keep_answers: whether gates take the answers of the run to resume, and don't ask again.

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
        memory=memory,
        keep=keep,
        keep_days=keep_days,
        keep_size=keep_size,
        on_cluster=on_cluster,
        listeners=listeners,
        resume=resume,
        from_node=from_node,
        only_node=only_node,
        outputs=outputs,
        keep_answers=keep_answers,
    )
