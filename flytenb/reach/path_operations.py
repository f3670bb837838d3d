"""Operations on paths and texts: the names that they give, as far as these are known."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import PurePath

from flytenb.reach.abstract_values import (
    OWN,
    PATH_JOIN,
    PLAIN,
    UNKNOWN,
    AbstractValue,
    KnownText,
    NewCollection,
    Special,
    is_private_path,
    join,
    joined_text,
    texts,
    without_inputs,
)
from flytenb.reach.value_parts import elements

_PATH_CLASSES = re.compile(r"pathlib\.(_local\.)?(Pure)?(Posix|Windows)?Path|(\w+\.)*(FlyteFile|FlyteDirectory)")
_SAME = frozenset(["absolute", "as_posix", "__fspath__", "__enter__", "os.path.abspath", "os.path.normpath"])
_NEARLY_SAME = frozenset(["resolve", "expanduser", "strip", "rstrip", "lstrip", "os.path.realpath"])
"""Of a name that is known they give the name, of one that comes from inputs maybe another."""


def path_operation(name: str, args: Sequence[AbstractValue]) -> AbstractValue | None:
    """Return the path that an operation on paths and texts gives; None for any other operation.

    Args:
        name: a function's dotted name, `.name` of a method, `@name` of an attribute, or `/`.
        args: what it is applied to.
    """
    if name in ("os.getcwd", "pathlib.Path.cwd"):
        return frozenset([KnownText("")])
    if _PATH_CLASSES.fullmatch(name) or name in ("os.path.join", ".joinpath", "/"):
        return _joined(args) if args else frozenset([KnownText("")])
    if name in _SAME or name[1:] in _SAME:
        return args[0] if args else UNKNOWN
    if name in _NEARLY_SAME or name[1:] in _NEARLY_SAME:
        return without_inputs(args[0]) if args else UNKNOWN
    if name == "os.path.expanduser" and args:
        found = texts(args[0])
        return frozenset(KnownText(os.path.expanduser(t.start), t.end) for t in found) or UNKNOWN  # noqa: PTH111
    if name in ("os.path.dirname", "@parent", "os.path.basename", "@name", "@stem"):
        return _part(name, args[0]) if args else UNKNOWN
    if name in (".with_suffix", ".with_name", ".with_stem"):
        return frozenset(KnownText(t.start[: t.start.rfind("/") + 1], "") for t in texts(args[0])) or UNKNOWN
    if name in (".format", ".replace", ".join", ".removesuffix", ".removeprefix"):
        return _formatted(name, args)
    if name in (".iterdir", ".glob", ".rglob"):
        return frozenset(
            [
                NewCollection(
                    frozenset(KnownText(f"{t.start}/" if t.start else "", "") for t in texts(args[0])) or UNKNOWN
                )
            ]
        )
    return None


def _joined(parts: Sequence[AbstractValue]) -> AbstractValue:
    """Paths joined by `/`; each part may be one of several."""
    made = parts[0]
    for part in parts[1:]:
        if is_private_path(made):
            return OWN
        if any(isinstance(one, NewCollection) for one in part):
            part = elements(part)
        pairs = [_join_two(a, b) for a in made or UNKNOWN for b in part or UNKNOWN]
        made = join(pairs)
    return made


def _join_two(a: object, b: object) -> AbstractValue:
    if b is Special.OWN or a is Special.OWN:
        return OWN
    if not isinstance(a, KnownText):
        return (
            joined_text([UNKNOWN, frozenset([KnownText("/")]), frozenset([b])]) if isinstance(b, KnownText) else UNKNOWN
        )
    if isinstance(b, KnownText) and b.start.startswith("/"):
        return frozenset([b])
    slash = "/" if (a.end if a.end is not None else a.start) else ""
    joined = joined_text([frozenset([a]), frozenset([KnownText(slash)]), frozenset([b])])
    only = next(iter(joined))
    if not isinstance(only, KnownText) or only.end is None:
        return joined
    first, second = a.all_pieces(), b.all_pieces() if isinstance(b, KnownText) else None
    pieces = None if first is None or second is None else (*first, PATH_JOIN, *second)
    return frozenset([KnownText(only.start, only.end, pieces)])


def _part(name: str, value: AbstractValue) -> AbstractValue:
    found: set[object] = set()
    for one in value:
        if isinstance(one, KnownText) and one.end is None:
            path = PurePath(one.start)
            found.add(KnownText(str(path.parent if "dirname" in name or "parent" in name else path.name)))
        elif one is Special.OWN or is_private_path(frozenset([one])):
            found.add(Special.OWN if "parent" in name or "dirname" in name else Special.UNKNOWN)
        else:
            found.add(Special.UNKNOWN)
    return frozenset(found)


def _formatted(name: str, args: Sequence[AbstractValue]) -> AbstractValue:
    template = texts(args[0]) if args else []
    if name == ".format":
        return (
            frozenset(KnownText(re.split(r"\{", t.start)[0], re.split(r"\}", t.start)[-1]) for t in template) or UNKNOWN
        )
    return UNKNOWN if args and not is_private_path(args[0]) else OWN if name != ".join" else PLAIN
