"""Functions on a session: its lists, its settings, its errors, definitions in a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from flytenb.bridge.workflow.definition import decorator, rolled_back
from flytenb.display.runs.error_card import FullError
from flytenb.reach.staleness import recompile_stale
from flytenb.runner.run import Run
from flytenb.session import Session
from flytenb.session.configuration import read_project, resolve, settings_from
from flytenb.session.debugging import Debugging, debugging, find_failure, last_failed
from flytenb.session.listing import Listing


def entities(session: Session) -> Listing:
    """List the entities of a session: kind, cell, fresh or stale, last run."""
    return Listing.of_session(session)


def runs(session: Session) -> Listing:
    """List the latest runs of a session, and before them those that other kernels kept in its folder, oldest first."""
    keep = resolve(session.configured, read_project())["keep"].value
    if not keep:
        return Listing.of_runs(session.runs)
    from flytenb.session.kept_runs import folder_of, kept_heads, load  # rarely needed

    own = {run.id for run in session.runs if run.is_kept}
    entities = {name: each.entity for name, each in session.definitions.items()}
    kept = [head for head in kept_heads(folder_of(keep)) if head.id not in own]
    return Listing.of_runs(session.runs, kept, lambda identifier: load(folder_of(keep), identifier, entities))


def forget(session: Session, runs: Sequence[Run] = ()) -> None:
    """Drop the values of runs; without any, those of all runs of a session that have ended.

    Raises:
        FlytenbError: for a run that isn't over yet.
    """
    for run in runs or [run for run in session.runs if run.phase.is_terminal]:
        run.forget()


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
