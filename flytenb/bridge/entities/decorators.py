"""Decorators of functions: their texts, and an error for those that hide the function.

Nothing here imports flytekit: patches are applied while it is being imported.
"""

from __future__ import annotations

import functools
import inspect
import io
import sys
import textwrap
import tokenize
import weakref
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from flytenb.errors import DefinitionError
from flytenb.wording.text import clip_line

_ENTITY = frozenset(["task", "workflow", "dynamic", "eager"])
"""The decorators that make an entity."""
_LONGEST = 80
"""Most characters of one decorator."""


def decorators_of(function: Any) -> tuple[str, ...]:
    """Return the decorators of a function in order, outermost first, without `@` and without those of flytekit.

    They are read from the source, else from the functions that `functools.wraps` has linked.
    """
    if function is None:
        return ()
    found = _from_source(inspect.unwrap(function))
    return found or tuple(_from_wrappers(function))


_written: weakref.WeakKeyDictionary[FunctionType, tuple[CodeType, list[str]]] = weakref.WeakKeyDictionary()
"""The code of functions and their decorators: each graph shows them, and the tokens of a source take long."""


def _from_source(function: Any) -> tuple[str, ...]:
    code, lines = _written.get(function, (None, [])) if type(function) is FunctionType else (None, [])
    if code is None or code is not function.__code__:
        try:
            lines = list(_decorator_lines(textwrap.dedent(inspect.getsource(function))))
        except (OSError, TypeError, SyntaxError, tokenize.TokenError):
            return ()
        if type(function) is FunctionType:
            _written[function] = function.__code__, lines
    names = getattr(function, "__globals__", {})
    first = max((i + 1 for i, line in enumerate(lines) if _makes_entity(line, names)), default=0)
    return tuple(clip_line(line, _LONGEST) for line in lines[first:])


def _decorator_lines(source: str) -> Iterator[str]:
    """Yield the expressions after `@` at the start of a source, each on one line, without comments.

    Tokens, since `ast.parse` in one thread can fail because of another one's (CPython gh-106905).
    """
    line: list[str] | None = None
    end = (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        if line is None:
            if token.string != "@":
                return
            line = []
        elif token.type == tokenize.NEWLINE:
            yield "".join(line).strip()
            line = None
        else:
            is_same_row = token.start[0] == end[0]
            if not is_same_row and line[-1:] == [","] and token.string in (")", "]", "}"):
                line.pop()
            is_spaced = token.start > end if is_same_row else line[-1:] == [","]
            line += [" ", token.string] if is_spaced else [token.string]
        end = token.end


def _makes_entity(decorator: str, names: dict[str, Any]) -> bool:
    """Whether a decorator is flytekit's `task`, `workflow`, `dynamic` or `eager`, under any name."""
    owner, _, name = decorator.partition("(")[0].rpartition(".")
    found = None if owner else names.get(name)
    while isinstance(found, functools.partial):
        found = found.func
    return name in _ENTITY if found is None else str(getattr(found, "__module__", "")).startswith("flytekit.core.")


def _from_wrappers(function: Any) -> Iterator[str]:
    while hasattr(function, "__wrapped__"):
        yield _maker(function)
        function = function.__wrapped__


def _maker(wrapper: Any) -> str:
    """Return the name of the function or class that made a wrapper."""
    code = getattr(wrapper, "__code__", None)
    if not isinstance(code, CodeType):
        return type(wrapper).__qualname__.lstrip("_")
    return code.co_qualname.partition(".<locals>")[0].removesuffix(".__call__")


def hidden_function_error(function: Any) -> DefinitionError | None:
    """Return the error of a decorator that hides the name and the types of its function, None if none does."""
    inner = inspect.unwrap(function)
    if isinstance(inner, FunctionType):
        return _hidden_by_function(inner)
    hidden = getattr(inner, "func", None) if isinstance(inner, functools.partial) else _hidden_in(inner)
    if hidden is None:
        return None
    if isinstance(inner, functools.partial):
        return _error("functools.partial", hidden, "an object without", f"def a function that calls {hidden.__name__}")
    kind = type(inner).__qualname__
    return _error(kind, hidden, "an object without", f"call functools.update_wrapper(self, …) in {kind}.__init__")


def _hidden_in(value: Any) -> Any:
    held = getattr(value, "__dict__", {})
    return next((part for part in held.values() if isinstance(part, FunctionType)), None)


def _hidden_by_function(wrapper: FunctionType) -> DefinitionError | None:
    code = wrapper.__code__
    if "<locals>" not in code.co_qualname or _is_running(code.co_qualname.partition(".<locals>")[0]):
        return None
    cells = dict(zip(code.co_freevars, wrapper.__closure__ or (), strict=True))
    name, hidden = next(((n, v) for n, v in _contents(cells) if isinstance(v, FunctionType)), ("", None))
    decorator, replaced = _maker(wrapper), f"a function {code.co_name!r} without"
    if any(isinstance(part, CodeType) and not part.co_name.startswith("<") for part in code.co_consts):
        return _error(decorator, hidden, replaced, f"if {decorator!r} takes arguments, call it: @{decorator}(…)")
    if hidden is None:
        return None
    return _error(decorator, hidden, replaced, f"put @functools.wraps({name}) above def {code.co_name}(…)")


def _contents(cells: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, cell in cells.items():
        try:
            yield name, cell.cell_contents
        except ValueError:  # of a name that isn't bound yet
            continue


def _is_running(qualname: str) -> bool:
    """Whether a function is being called: what it defines isn't the work of a decorator."""
    frame: Any = sys._getframe()
    while frame is not None:
        if frame.f_code.co_qualname == qualname:
            return True
        frame = frame.f_back
    return False


def _error(decorator: str, hidden: Any, replaced: str, fix: str) -> DefinitionError:
    name = "the function" if hidden is None else repr(hidden.__name__)
    return DefinitionError(f"the decorator {decorator!r} replaces {name} by {replaced} its name and types", hint=fix)
