"""`%flyte cache`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.cursor import Cursor
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _cache(line: Invocation) -> Any:
    from flytenb import api

    task, older = line.options.get("clear"), line.options.get("older")
    if task is None and older is None:
        return api.cached()
    print(f"stored outputs{f' of {task}' if task else ''} removed: {api.clear_cache(task or '', older)}")  # noqa: T201
    return None


def _read_age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([smhdw])", text)
    if found is None:
        raise UsageError(f"--older must be a number and one of s, m, h, d, w, got {text!r}", hint="--older 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _tasks(cursor: Cursor) -> Iterable[str]:
    from flytenb import api

    return sorted({row[0] for row in api.cached().rows})


VERB = Verb(
    name="cache",
    summary="List the stored outputs of cached tasks: task, key, size, age, hits; or remove some.",
    handler=_cache,
    options=(
        Option("clear", "remove the outputs of this task", ("TASK",), complete=_tasks, kind="task"),
        Option("older", "remove older outputs, such as 7d or 12h", ("AGE",), _read_age, lambda _: ("1d", "7d")),
    ),
    details="With both options only the older outputs of that task are removed.",
)
