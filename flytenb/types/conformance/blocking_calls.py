"""Calls in coroutines that block an event loop, found in their source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

_BLOCKING = {
    "time": ("sleep",),
    "subprocess": ("run", "call", "check_call", "check_output"),
    "os": ("system",),
    "urllib.request": ("urlopen", "urlretrieve"),
    "socket": ("create_connection",),
    "requests": ("get", "post", "put", "patch", "delete", "head", "request"),
    "requests.api": ("get", "post", "put", "patch", "delete", "head", "request"),
    "httpx": ("get", "post", "put", "patch", "delete", "head", "request"),
    "httpx._api": ("get", "post", "put", "patch", "delete", "head", "request"),
}
"""Functions that wait, by the module that they are used from or defined in."""


def find_blocking_calls(function: Callable[..., Any]) -> list[str]:
    """Return the blocking calls in the body of a coroutine function, with their lines; empty for any other function."""
    if not inspect.iscoroutinefunction(function):
        return []
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return []
    names = {**getattr(inspect.unwrap(function), "__globals__", {})}
    return [
        f"{ast.unparse(call.func)} in line {call.lineno}"
        for call in _calls_of(tree.body[0])
        if _is_blocking(call.func, names)
    ]


def _calls_of(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that run with the coroutine itself: a nested function may run on a thread."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.Call):
            yield child
        yield from _calls_of(child)


def _is_blocking(called: ast.expr, names: dict[str, Any]) -> bool:
    parts: list[str] = []
    while isinstance(called, ast.Attribute):
        parts.append(called.attr)
        called = called.value
    if not isinstance(called, ast.Name) or called.id not in names:
        return False
    owner, found = None, names[called.id]
    for part in reversed(parts):
        owner, found = found, inspect.getattr_static(found, part, None)
    name = getattr(found, "__name__", "")
    modules = {getattr(found, "__module__", ""), getattr(owner, "__name__", "")}
    return any(name in _BLOCKING.get(str(module), ()) for module in modules)
