"""What an error usually means and how to go on, by the words that flytekit uses."""

from __future__ import annotations

import re

from flytenb.errors import FlytenbError

_PROMISE = "in a workflow a task's output is a promise"

_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"object of type 'Promise' has no len",
        f"{_PROMISE}: measure it inside a task",
    ),
    (
        r"Promise objects are not iterable",
        f"{_PROMISE}: loop inside a task, use map_task, or make the workflow a @dynamic",
    ),
    (
        r"unary expressions of the form `if_\(",
        "a condition compares something: .if_(flag.is_true()), .if_(x > 3)",
    ),
    (
        r"Logical \(and/or/is/not\) operations are not supported",
        "a condition compares promises or inputs, joined by & and |: .if_((x > 1) & (x < 3))",
    ),
    (
        r"flytekit\.core\.condition\.|always end with an `else_\(\)` clause|At least an if/else is required",
        "end the conditional with .else_().then(…) or .else_().fail('…')",
    ),
    (
        r"Cannot perform truth value testing",
        f"{_PROMISE}: decide with conditional(…).if_(…), where & and | stand for and and or, or inside a task",
    ),
    (
        r"Flytekit does not support Unary expressions|Cannot perform Logical",
        f"{_PROMISE}: decide with flytekit.conditional (& and | for and and or), or inside a task",
    ),
    (
        r"'Promise' object cannot be interpreted as an integer",
        f"{_PROMISE}: count inside a task, or make the workflow a @dynamic",
    ),
    (
        r"received Flyte literal value is not a collection",
        "a list is wanted here: what a map_task maps over comes as a list",
    ),
    (
        r"unsupported operand type\(s\).*'Promise'|can only concatenate .* \(not \"Promise\"\)|, not 'Promise'$",
        f"{_PROMISE}: compute with it inside a task",
    ),
    (
        r"Promise\(node:",
        f"{_PROMISE}, also in an f-string or str(): make the text inside a task",
    ),
    (
        r"type <class 'coroutine'>|coroutine .* was never awaited|'coroutine' object",
        "an eager or async task gives a coroutine: await it, in an @eager task",
    ),
    (
        r"was not specified for function|missing \d+ required positional argument",
        "give every input by its name: task(x=…)",
    ),
    (
        r"unexpected keyword argument",
        "that input isn't declared: compare the name with the function's parameters",
    ),
    (
        r"has no type\. Please add a type annotation",
        "Flyte moves values by their types: annotate every parameter and the return value",
    ),
    (
        r"function must return a value|Python value cannot be None",
        "None came where a value is declared: add the return, or declare it Optional",
    ),
    (
        r"Transformer for type .*tuple.* is restricted|Tuples are not a supported type",
        "Flyte has no bare tuple for one value: use a NamedTuple for several outputs, a list or a dataclass for one",
    ),
    (
        r"[Cc]an(?:'t|not) pickle|PicklingError",
        "no transformer knows this type, so it would be pickled: %flyte type T says why, a dataclass usually mends it",
    ),
    (
        r"Cannot convert literal|Failed to convert inputs of task",
        "the type that goes in is not the type that comes out of the node before: compare the two annotations",
    ),
    (
        r"Failed to convert outputs of task",
        "the task returned something else than its annotation promises",
    ),
)


def hint_for(error: BaseException) -> str:
    """Return what to do about an error, `""` where nothing general helps."""
    if isinstance(error, FlytenbError) and error.hint:
        return error.hint
    try:
        text = str(error)
    except Exception:
        return ""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, text)), "")
