"""Hints for common errors, matched by origin and message.

Exceptions raised by the user's own code get no hint.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Callable, Iterator

from flytenb.errors import FlytenbError, closest, is_foreign, is_library, own_frames, say

_PROMISE = "in a workflow a task's output is a promise"
_WRITTEN = f"{_PROMISE}, also in an f-string or str(): make the text inside a task"
_RAISE = dis.opmap["RAISE_VARARGS"]

Hint = str | Callable[[re.Match[str]], str]


def _closest_argument(found: re.Match[str]) -> str:
    """Return `did you mean 'retries'?` for an argument that a decorator doesn't have."""
    from flytenb.bridge.workflow.definition import decorator_arguments

    kind, name = found[1], found[2]
    return f"@{kind} takes no {name!r}: {closest(name, decorator_arguments(kind))}".removesuffix(": ")


_OF_PYTHON: tuple[tuple[str, Hint], ...] = (
    (
        r"object of type 'Promise' has no len",
        f"{_PROMISE}: call len() inside a task",
    ),
    (
        r"'Promise' object cannot be interpreted as an integer",
        f"{_PROMISE}: count inside a task, or make the workflow a @dynamic",
    ),
    (
        r"'Promise' object is not callable",
        f"{_PROMISE} and has no methods: call them inside a task",
    ),
    (
        r"unsupported operand type\(s\).*'Promise'|can only concatenate .* \(not \"Promise\"\)|, not '?Promise'?$"
        r"|type Promise is not",
        f"{_PROMISE}: compute with it inside a task",
    ),
    (
        r"object .+ can't be used in 'await' expression",
        "the call of a task that isn't async has its value at once, also in an eager: leave out await",
    ),
    (
        r"'coroutine'",
        "a coroutine has no value yet: await it (calling an eager or async task returns one)",
    ),
    (
        r"'ConditionalSection' object has no attribute",
        "a conditional starts with .if_(…): conditional('name').if_(x > 3).then(…).else_().then(…)",
    ),
    (
        r"'Condition' object has no attribute",
        "a conditional continues with .elif_(…) or .else_()",
    ),
    (
        r"'Case' object has no attribute",
        "each case of a conditional continues with .then(…) or .fail('…')",
    ),
    (
        r"^(task|workflow|dynamic|eager)\(\) got an unexpected keyword argument '(\w+)'",
        _closest_argument,
    ),
)
"""Python's messages about flytekit's objects."""

_OF_TEXT: tuple[tuple[str, Hint], ...] = ((r"Promise\(node:", _WRITTEN),)
"""Messages about text that a promise was formatted into; flytekit formats promises too."""

_OF_FLYTEKIT: tuple[tuple[str, Hint], ...] = (
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
        r"object has no attribute 'var'$",
        "a case of a conditional takes the call of a task: .then(task(x=…))",
    ),
    (
        r"Cannot perform truth value testing",
        f"{_PROMISE}: decide with conditional(…).if_(…), with & and | for and and or, or inside a task",
    ),
    (
        r"Flytekit does not support Unary expressions|Cannot perform Logical",
        f"{_PROMISE}: decide with flytekit.conditional (& and | for and and or), or inside a task",
    ),
    (
        r"but got '<flytekit\.[\w.]*(?:Task|Workflow|LaunchPlan) object",
        "the task itself was passed: call it, task(x=…)",
    ),
    (
        r"'[^']*Promise\(node:[^']*' of type <class 'str'>",
        _WRITTEN,
    ),
    (
        r"received Flyte literal value is not a collection|Expected a list$",
        "expected a list: a map_task maps over lists",
    ),
    (
        r"<coroutine object AsyncPythonFunctionTask\.",
        "a workflow can't call an async or eager task: await it in an @eager task, in place of the workflow",
    ),
    (
        r"type <class 'coroutine'>",
        "an async function returns a coroutine: await it in an @eager task; its decorator needs an `async def` wrapper",
    ),
    (
        r"was not specified for function|executing '(?:[\w.]*\.)?(\w+)':\s+\1\(\) missing \d+ required",
        "pass every input by name: task(x=…)",
    ),
    (
        r"unexpected keyword argument '\w+' in function|executing '(?:[\w.]*\.)?(\w+)':\s+\1\(\) got an unexpected",
        "that input isn't declared: compare the name with the function's parameters",
    ),
    (
        r"Unrecognized argument\(s\) for (task): dict_keys\(\['(\w+)'",
        _closest_argument,
    ),
    (
        r"Received more arguments than expected in function",
        "more inputs were passed than are declared: pass them by name, task(x=…)",
    ),
    (
        r"has no type\. Please add a type annotation",
        "Flyte moves values by their types: annotate every parameter and the return value",
    ),
    (
        r"function must return a value|Python value cannot be None",
        "None was given where a value is declared: add the return, or declare it Optional",
    ),
    (
        r"specification indicates only one return value",
        "declare every output: -> tuple[int, int], or a NamedTuple to name them",
    ),
    (
        r"specification indicates multiple return values|^Length mismatch \d+ vs \d+",
        "return as many values as are declared",
    ),
    (
        r"``cache_version`` is not set|If version is not defined then at least one cache policy",
        "a cache needs a version: cache=Cache(version='1')",
    ),
    (
        r"Transformer for type .*tuple.* is restricted|Tuples are not a supported type",
        "Flyte has no bare tuple for one value: use a NamedTuple for several outputs, a list or a dataclass for one",
    ),
    (
        r"Only generic univariate typing\.List\[T\] type is supported",
        "declare the type of the items: list[int]",
    ),
    (
        r"[Cc]an(?:'t|not) pickle|PicklingError",
        "this type has no transformer and would be pickled: %flyte type T says why, a dataclass usually avoids that",
    ),
    (
        r"Cannot convert literal",
        "the value's type differs from the input's: compare the two annotations",
    ),
    (
        r"Cannot run a SQL Task natively|Cannot find (?:connector|agent) for task",
        "a service runs this task: flytenb.rehearse(…, with_=…) shows what it would send, and answers it here",
    ),
    (
        r"Duplicate connector for task type",
        "another class is registered for this type: ConnectorRegistry.register(…, override=True) replaces it",
    ),
    (
        r"Failed to convert outputs of task",
        "the returned value doesn't match the task's return annotation",
    ),
)
"""flytekit's own messages."""


def hint_for(error: BaseException) -> str:
    """Return a hint for an error, `""` if there is none."""
    if isinstance(error, FlytenbError) and error.hint:
        return error.hint
    text = say(error)
    for pattern, hint in _tables(error):
        found = re.search(pattern, text)
        if found is not None:
            return hint if isinstance(hint, str) else hint(found)
    return ""


def _tables(error: BaseException) -> Iterator[tuple[str, Hint]]:
    """Yield the tables of hints for the error's origin: flytekit, Python, or nothing for user code."""
    trace = error.__traceback__
    if trace is None or type(error.__cause__).__module__.startswith("flytenb."):
        return  # never raised, or raised in another process, where only the user's function ran
    while trace.tb_next is not None:
        trace = trace.tb_next
    last = trace.tb_frame.f_code
    own = own_frames(error.__traceback__)
    is_flytekits = is_foreign(last.co_filename) or not own or own[-1].filename != last.co_filename
    if not is_flytekits and not is_library(last.co_filename) and last.co_code[trace.tb_lasti] == _RAISE:
        return
    if is_flytekits:
        yield from _OF_FLYTEKIT
    yield from _OF_PYTHON
    if not is_flytekits:
        yield from _OF_TEXT
