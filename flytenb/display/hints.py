"""What an error usually means and how to go on, by the words that flytekit uses."""

from __future__ import annotations

import re

from flytenb.errors import FlytenbError

_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"Flytekit does not support Unary expressions|truth value testing|Cannot perform Logical",
        "in a workflow a task's output is a promise; decide with flytekit.conditional, or inside a task",
    ),
    (
        r"Promise objects are not iterable",
        "in a workflow a task's output is a promise; loop inside a task, or make it a @dynamic",
    ),
    (r"object of type 'Promise' has no len", "in a workflow a task's output is a promise; measure it inside a task"),
    (
        r"unsupported operand type\(s\).*'Promise'|can only concatenate .* \(not \"Promise\"\)",
        "in a workflow a task's output is a promise; compute with it inside a task",
    ),
    (
        r"coroutine .* was never awaited|object .*coroutine.* can't be used|got a .*coroutine",
        "an eager or async task gives a coroutine; await it",
    ),
    (
        r"always end with an `else_\(\)` clause|At least an if/else is required",
        "end the conditional with .else_().then(…) or .else_().fail('…')",
    ),
    (r"Failed to convert outputs of task", "the task returned something else than its annotation promises"),
)


def hint_for(error: BaseException) -> str:
    """Return what to do about an error, `""` where nothing general helps."""
    if isinstance(error, FlytenbError) and error.hint:
        return error.hint
    text = str(error)
    return next((hint for pattern, hint in _HINTS if re.search(pattern, text)), "")
