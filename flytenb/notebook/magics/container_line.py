"""Definition of a container task by a `%%container` cell."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.cursor import Cursor, Offer, offer
from flytenb.notebook.magics.line import split_options
from flytenb.notebook.magics.verb import Argument, Option, Verb


def _is_signature(text: str) -> bool:
    try:
        [statement] = ast.parse(f"def {text}: pass").body
    except (SyntaxError, ValueError):
        return False
    return isinstance(statement, ast.FunctionDef)


def _offer_type(cursor: Cursor) -> Offer | None:
    """Offer types where one is typed in a signature."""
    found = _TYPE.search(cursor.rest)
    return None if found is None else offer(found[1], cursor.names.types(), "type")


_TYPE = re.compile(r"(?::|->|[=\[,(])\s*(\w+|(?<=[:>\[])\s*)$")
OPTIONS = (
    Option("lang", "the language", ("NAME",), complete=lambda cursor: cursor.names.languages()),
    Option("image", "the image; that of the language if omitted", ("IMAGE",), complete=lambda c: c.names.images()),
    Option("cpu", "processors: 500m, 2", ("N",)),
    Option("memory", "as Flyte writes it: 1Gi", ("SIZE",)),
    Option("environment", "variables: NAME=VALUE,NAME=VALUE, or the name of a dictionary", ("VARIABLES",)),
    Option("retries", "how often it is tried again", ("N",)),
    Option("timeout", "an expression for seconds or a timedelta", ("EXPRESSION",)),
    Option("cache-version", "caches the outputs under this version", ("VERSION",)),
)
_EXAMPLE = "%%container --lang r fit(xs: list[float]) -> kwtypes(slope=float)"


CELL = Verb(
    name="container",
    summary="Make the cell, which is in another language, a task that runs in a container.",
    handler=lambda line: None,
    argument=Argument("NAME(INPUT: TYPE, …) -> TYPE", complete=_offer_type, is_complete=_is_signature),
    options=OPTIONS,
)
"""What completion offers in a `%%container` line."""


def define_container(shell: Any, line: str, cell: str) -> None:
    """Define the container task of a cell; a cell that fails leaves the notebook unchanged.

    Raises:
        UsageError: for a line that isn't options and a signature.
        DefinitionError: for a signature that the language can't have.
    """
    from flytenb import api

    text, options = split_options(line, {option.name: option.values for option in OPTIONS}, "container", _is_signature)
    if "lang" not in options:
        raise UsageError("%%container needs a language", hint=_EXAMPLE)
    function = _read_signature(text, shell.user_ns)
    arguments = {name.replace("-", "_"): value for name, value in options.items()}
    for name, read in _READERS.items():
        if name in arguments:
            arguments[name] = read(arguments[name], shell.user_ns)
    name = function.__name__
    with api.defining("task", shell.user_ns, [name], [name]):
        shell.user_ns[name] = api.container(
            name, cell, inputs=_inputs_of(function), outputs=_outputs_of(function), **arguments
        )


def _read_signature(text: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Return a function with the signature, evaluated in the notebook.

    Raises:
        UsageError: if the text isn't one.
        Exception: whatever its annotations and defaults raise.
    """
    if not _is_signature(text):
        raise UsageError(f"expected a signature with types, got {text!r}", hint=_EXAMPLE)
    from flytenb.api import kwtypes

    found: dict[str, Any] = {"kwtypes": kwtypes}
    exec(compile(f"def {text}: pass", "<%%container>", "exec", dont_inherit=True), namespace, found)
    found.pop("kwtypes")
    [function] = found.values()
    return function  # type: ignore[no-any-return]


def _inputs_of(function: Callable[..., Any]) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if (
            parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            or parameter.annotation is parameter.empty
        ):
            raise UsageError(f"input {str(parameter)!r} needs a type", hint=f"{name}: float")
        inputs[name] = parameter.annotation
        if parameter.default is not parameter.empty:
            inputs[name] = (parameter.annotation, parameter.default)
    return inputs


def _outputs_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of the outputs by name; one without a name is `o0`, as flytekit calls it."""
    declared = function.__annotations__.get("return")
    if declared is None:
        return {}
    if isinstance(declared, dict):
        return dict(declared)
    if isinstance(declared, type) and issubclass(declared, tuple) and hasattr(declared, "_fields"):
        return dict(inspect.get_annotations(declared, eval_str=True))
    return {"o0": declared}


def _read_number(text: str, namespace: dict[str, Any]) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"--retries must be an integer, got {text!r}") from None


def _read_variables(text: str, namespace: dict[str, Any]) -> Any:
    if "=" not in text:
        return _evaluate(text, namespace)
    pairs = [pair.partition("=") for pair in text.split(",")]
    return {name: value for name, _, value in pairs}


def _evaluate(text: str, namespace: dict[str, Any]) -> Any:
    return eval(text, namespace)


_READERS: Mapping[str, Callable[[str, dict[str, Any]], Any]] = {
    "retries": _read_number,
    "timeout": _evaluate,
    "environment": _read_variables,
}
