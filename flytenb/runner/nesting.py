"""The limit of levels of nested workflows, dynamics, calls of eager tasks and runs: recursion without an end fails."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

from flytenb.bridge.entities.interface import short_name
from flytenb.errors import NestingError

if TYPE_CHECKING:
    from flytenb.runner.record import Record

MOST_LEVELS = 200
"""Levels of scopes, far below Python's recursion limit: the end of a scope may end all scopes around it."""

_HINT = (
    "end the recursion by a condition on an input, or replace it by a loop, in which an eager task can call any number "
    "of tasks"
)
_level: ContextVar[int] = ContextVar("flytenb_level", default=0)


def level_around() -> int:
    """Return the level of the task that runs here, 0 outside of a run."""
    return _level.get()


def set_level(level: int) -> None:
    """Set the level of the task that runs here."""
    _level.set(level)


def check_level(level: int, path: str, records: Mapping[str, Record], called: str = "") -> None:
    """Check the level of a new scope.

    Args:
        level: its level.
        path: the node that adds it.
        records: the nodes of the run.
        called: the name of the entity that the node calls.

    Raises:
        NestingError: if it is too deep; the message names the entities that call each other.
    """
    if level <= MOST_LEVELS:
        return
    parts = path.split("/")
    around = (records.get("/".join(parts[: i + 1])) for i in range(len(parts)))
    names = [short_name(r.entity) for r in around if r is not None and r.entity is not None]
    raise NestingError(
        f"more than {MOST_LEVELS} levels of nested workflows, dynamics and eager tasks: "
        f"{_cycle([*names, *([called] if called else [])])}",
        hint=_HINT,
    )


def check_run(name: str) -> None:
    """Check the level of a run of an entity, which a task may start.

    Raises:
        NestingError: if it is too deep.
    """
    if level_around() >= MOST_LEVELS:
        raise NestingError(
            f"more than {MOST_LEVELS} levels of runs that are started by tasks of other runs: a run of {name!r} "
            "starts the next one",
            hint="end the recursion by a condition on an input",
        )


def _cycle(names: list[str]) -> str:
    """Describe the entities from the last one back to the same one, or the innermost ones if none is repeated."""
    last = names[-1] if names else ""
    before = len(names) - 2
    while before >= 0 and names[before] != last:
        before -= 1
    if before < 0:
        return f"the innermost are {' → '.join(names[-8:])}"
    return f"the cycle is {' → '.join(names[before:])}"
