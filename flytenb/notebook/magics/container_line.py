"""Definition of a container task by a `%%container` cell."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.cursor import Cursor, Offer, offer
from flytenb.notebook.magics.line import split_options
from flytenb.notebook.magics.verb import Argument, Option, Verb


def _signature(text: str) -> ast.FunctionDef | None:
    """Return a signature as a function, None if it isn't one; `def` and the colon may be there."""
    try:
        [statement] = ast.parse(f"def {_DEF.sub('', text)}: pass").body
    except (SyntaxError, ValueError):
        return None
    return statement if isinstance(statement, ast.FunctionDef) else None


def _is_signature(text: str) -> bool:
    return _signature(text) is not None


def _offer_type(cursor: Cursor) -> Offer | None:
    """Offer types where one is typed in a signature."""
    found = _TYPE.search(cursor.rest)
    return None if found is None else offer(found[1], cursor.names.types(), "type")


_DEF = re.compile(r"^def\s+|\s*:$")
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

    name, source = container_source(line, cell)
    found: dict[str, Any] = {}
    with api.defining("task", shell.user_ns, [name], [name]):
        exec(compile(source, "<%%container>", "exec", dont_inherit=True), shell.user_ns, found)
        shell.user_ns[name] = found[name]


def container_source(line: str, cell: str) -> tuple[str, str]:
    """Return the name of a cell's entity and the Python code that defines it.

    Raises:
        UsageError: for a line that isn't options and a signature with types.
    """
    text, options = split_options(line, {option.name: option.values for option in OPTIONS}, "container", _is_signature)
    if "lang" not in options:
        raise UsageError("%%container needs a language", hint=_EXAMPLE)
    function = _signature(text)
    if function is None:
        raise UsageError(f"expected a signature with types, got {text!r}", hint=_EXAMPLE)
    arguments = [_literal(function.name), _quoted(cell), f"lang={_literal(options.pop('lang'))}"]
    arguments.append(f"inputs={{{_inputs(function)}}}")
    if function.returns is not None:
        arguments.append(f"outputs={_outputs(function.returns)}")
    for option, value in options.items():
        arguments.append(f"{option.replace('-', '_')}={_READERS.get(option, _literal)(value)}")
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return function.name, f"import flytenb\n\n{function.name} = flytenb.container(\n{lines})\n"


def _literal(text: str) -> str:
    """Return a literal of a text, with the quotes that formatters prefer."""
    found = repr(text)
    return f'"{text}"' if found == f"'{text}'" and '"' not in text else found


def _quoted(code: str) -> str:
    """Return a literal of a cell's text, on several lines where it can be."""
    plain = f'r"""{code}"""' if "\\" in code else f'"""{code}"""'
    try:
        is_same = ast.literal_eval(plain) == code
    except (SyntaxError, ValueError):
        is_same = False
    return plain if is_same else repr(code)


def _inputs(function: ast.FunctionDef) -> str:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    defaults: list[ast.expr | None] = [*given.defaults, *given.kw_defaults]
    defaults[:0] = [None] * (len(named) - len(defaults))
    for arg in (*named, *filter(None, (given.vararg, given.kwarg))):
        if arg.annotation is None or arg not in named:
            raise UsageError(f"input {ast.unparse(arg)!r} needs a type", hint=f"{arg.arg}: float")
    _check_once("input", [arg.arg for arg in named])
    pairs = []
    for arg, default in zip(named, defaults, strict=True):
        kind = ast.unparse(arg.annotation)  # type: ignore[arg-type]
        name = _literal(arg.arg)
        pairs.append(f"{name}: {kind}" if default is None else f"{name}: ({kind}, {ast.unparse(default)})")
    return ", ".join(pairs)


def _outputs(declared: ast.expr) -> str:
    """Return the outputs as an expression; `kwtypes` needn't be imported."""
    if isinstance(declared, ast.Call) and ast.unparse(declared.func).rpartition(".")[2] == "kwtypes":
        names = [k.arg for k in declared.keywords if k.arg is not None]
        if declared.args or len(names) < len(declared.keywords):
            raise UsageError(
                f"expected outputs as NAME=TYPE, got {ast.unparse(declared)!r}", hint="kwtypes(slope=float)"
            )
        _check_once("output", names)
        return f"{{{', '.join(f'{_literal(str(k.arg))}: {ast.unparse(k.value)}' for k in declared.keywords)}}}"
    return ast.unparse(declared)


def _check_once(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{what} {name!r} is declared twice")


def _read_expression(text: str) -> str:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        message = f"--timeout must be an expression for seconds or a timedelta, got {text!r}"
        raise UsageError(message, hint="as in 60 or datetime.timedelta(minutes=5)") from None
    return text


def _read_number(text: str) -> str:
    if not text.isdecimal():
        raise UsageError(f"--retries must be an integer, got {text!r}")
    return text


def _read_variables(text: str) -> str:
    if "=" not in text:
        return text
    pairs = [pair.partition("=") for pair in text.split(",")]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        hint = "for values with commas, the name of a dictionary"
        raise UsageError(f"--environment must be NAME=VALUE,NAME=VALUE, got {wrong[0]!r} in {text!r}", hint)
    _check_once("variable", [name for name, _, _ in pairs])
    return f"{{{', '.join(f'{_literal(name)}: {_literal(value)}' for name, _, value in pairs)}}}"


_READERS: Mapping[str, Callable[[str], str]] = {
    "retries": _read_number,
    "timeout": _read_expression,
    "environment": _read_variables,
}
