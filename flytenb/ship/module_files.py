"""The user's own modules that code imports: their files, and what they import in turn."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from flytenb.reach.name_lookup import find_spec, is_installed_spec, is_own
from flytenb.reach.syntax_trees import parse

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
"""What contains statements in a statement; no expression contains an import."""
_IMPORT_ERRORS = frozenset(["ImportError", "ModuleNotFoundError", "Exception"])


def imports_of(tree: ast.AST) -> set[str]:
    """Return the modules that code imports, without those that are missing here and that the code can do without."""
    found = set()
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    while todo:
        node, is_guarded = todo.pop()
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [str(node.module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name for name in names if not is_guarded or find_spec(name) is not None}
        for blocks in _BLOCKS:
            is_tried = is_guarded or (blocks == "body" and _catches_import_errors(node))
            todo += ((inner, is_tried) for inner in getattr(node, blocks, ()))
    return found


def _catches_import_errors(node: ast.AST) -> bool:
    for handler in node.handlers if isinstance(node, ast.Try) else ():
        caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if any(each is None or (isinstance(each, ast.Name) and each.id in _IMPORT_ERRORS) for each in caught):
            return True
    return False


def imports_of_file(source: bytes) -> set[str]:
    """Return the modules that a file imports; none of one that isn't Python code."""
    try:
        return imports_of(parse(source))
    except (SyntaxError, ValueError):
        return set()


def is_own_name(name: str) -> bool:
    """Whether a module is the user's own, also one that no code has imported yet."""
    if name in sys.modules:
        return is_own(sys.modules[name])
    spec = None if name.partition(".")[0] in sys.stdlib_module_names else find_spec(name)
    return spec is not None and not is_installed_spec(spec)


def files_below(modules: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the user's own modules and of those that they import at any depth, whole packages."""
    todo, done = [*modules], set()
    while todo:
        name = todo.pop().partition(".")[0]
        if name in done:
            continue
        done.add(name)
        for path, data in _files_of(name):
            yield path, data
            if path.endswith(".py"):
                todo += sorted(inner for inner in imports_of_file(data) if is_own_name(inner.partition(".")[0]))


def _files_of(top: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a top-level package or module."""
    spec = importlib.util.find_spec(top) if top not in sys.modules else sys.modules[top].__spec__
    places = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]
    for place in places:
        for file in sorted(place.rglob("*")):
            inner = file.relative_to(place)
            is_hidden = any(part.startswith(".") or part == "__pycache__" for part in inner.parts)
            if file.is_file() and not is_hidden:
                yield f"{top}/{inner.as_posix()}", file.read_bytes()
    if not places and spec is not None and spec.origin is not None:
        yield f"{top}.py", Path(spec.origin).read_bytes()
