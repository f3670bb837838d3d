"""What differs between a shipment and the version that was registered last."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.registered_version import read_version
from flytenb.bridge.cluster.registration import read_message
from flytenb.bridge.cluster.specs import EntitySpec
from flytenb.errors import ClusterError
from flytenb.reach.syntax_trees import parse, parse_again


def find_changes(
    connection: Connection,
    name: str,
    latest: Callable[[], str | None],
    specs: Iterable[EntitySpec],
    files: Mapping[str, bytes],
) -> tuple[str, ...]:
    """Compare with the version that was registered last; return one text for each difference.

    A cluster that can't be asked, or whose storage can't be read, is one text as well.

    Args:
        connection: the cluster.
        name: the name of the entity.
        latest: returns the version that was registered last, None without one.
        specs: what is sent.
        files: the files of the archive.
    """
    images = images_of(specs)
    task = next((each for each, image in images.items() if image), "")
    try:
        version = latest()
        if version is None:
            return (f"{name} is new in {connection.project}/{connection.domain}",)
        last = read_version(connection, name, version, task)
    except ClusterError as error:
        return (f"it can't be compared with what is registered: {error.message}",)
    image = last.images.get(task, "")
    found = [] if image in ("", images.get(task)) else [f"image: {image} → {images[task]}"]
    if last.files is not None:
        found += _file_changes(last.files, files)
    return tuple(f"since version {last.version}: {text}" for text in found or ["nothing in the files"])


def images_of(specs: Iterable[EntitySpec]) -> dict[str, str]:
    """Return the image of each task by its name, `""` for a task without one."""
    return {spec.name: read_message(spec).template.container.image for spec in specs if spec.kind == "task"}


def _file_changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[str]:
    for path in sorted({*before, *after}):
        if path not in before or path not in after:
            yield f"{path} {'added' if path in after else 'removed'}"
        elif before[path] != after[path]:
            names = _changed_names(before[path], after[path]) if path.endswith(".py") else []
            yield f"{path}: {', '.join(names) or 'changed'}"


def _changed_names(before: bytes, after: bytes) -> list[str]:
    """Return the definitions of a module that differ: `fit changed`, `score added`."""
    old, new = _definitions(before), _definitions(after)
    words = {(True, True): "changed", (True, False): "removed", (False, True): "added"}
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    differing = [name for name in names if name not in old or name not in new or _code(old[name]) != _code(new[name])]
    return [f"{name} {words[name in old, name in new]}" for name in differing]


@lru_cache(maxsize=4)
def _definitions(source: bytes) -> Mapping[str, str]:
    """Return the text of each top-level statement by what it defines."""
    text = source.decode(errors="replace")
    lines = text.splitlines(keepends=True)
    try:
        statements = parse_again(text).body
    except SyntaxError:
        return {}
    found: dict[str, str] = {}
    for statement in statements:
        name = getattr(statement, "name", "") or ast.unparse(statement).splitlines()[0].partition("=")[0].strip()
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(each.lineno for each in decorators)])
        found[name] = found.get(name, "") + "".join(lines[first - 1 : statement.end_lineno]) + "\n"
    return found


def _code(text: str) -> str:
    """Return statements without their comments and layout."""
    try:
        return ast.unparse(parse(text))
    except SyntaxError:
        return text
