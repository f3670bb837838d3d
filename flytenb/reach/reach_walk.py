"""The walk over what code reaches: own functions, classes, modules and values, and which installed things it may use.

The walk begins at a function and follows whatever it can take: names, closures, defaults, attributes, decorators,
the members of classes, the objects inside objects. What is installed is where it ends. `code_digest.describe` tells
what each object is made of. Who walks decides what is made of it: a digest of code (`code_reader`), the installed
things and process-wide state in use (`reached_names`), what a workflow is compiled from (`staleness`).
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path, PurePath
from types import CodeType
from typing import Any

from flytenb.reach import variables_and_files
from flytenb.reach.bytecode import NameUse, NameUses, Origin, uses_of
from flytenb.reach.installed_names import scope_of
from flytenb.reach.name_lookup import (
    MISSING,
    Target,
    find_spec,
    follow,
    is_bound,
    is_installed_spec,
    is_module,
    is_own,
    module_name,
    unloaded_module,
)
from flytenb.reach.object_digest import WatchingWalker, hashed
from flytenb.reach.ownership import version_of
from flytenb.reach.plain_bytes import is_frozen, is_scalar, plain_bytes
from flytenb.reach.syntax_trees import compile_module
from flytenb.reach.write_only_uses import observed_part


class ReachWalker(WatchingWalker):
    """Walks over everything that code reaches. What it passes besides objects, a subclass may collect."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._where: list[str] = []
        self._sources: set[str] = set()

    def doubt(self, what: str) -> None:
        """Note that something can't be read."""

    def take(self, value: Any, attributes: tuple[str, ...] = ()) -> None:
        """Note that something installed is taken, and the attributes that are asked of it."""

    def enter(self, code: CodeType, uses: NameUses) -> None:
        """Note own code and what it uses."""

    def pass_by(self, value: Any) -> None:
        """Note an object that code only writes to."""

    def add_texts(self, value: Any) -> None:
        """Note an object that code reads, whose texts may be paths."""

    def add_folder(self, path: str) -> None:
        """Note the directory of a module that asks for its own path."""

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Set the own function, class or module that is being read."""
        self._where.append(name)
        try:
            yield
        finally:
            self._where.pop()

    def of_named(self, held: Mapping[Any, Any]) -> bytes:
        """Return the digest of values and their names; a name isn't a text that the code reads."""
        names = tuple(held)
        said = marshal.dumps(names, 2) if is_frozen(names) else self.of(names)
        return hashed(said, *map(self.of, held.values()))

    def of_types(self, annotations: dict[str, Any]) -> bytes:
        """Return the digest of a function's annotations."""
        return self.of_named(annotations)

    def reach(self, code: CodeType, scope: dict[str, Any], cells: dict[str, Any], *, is_source: bool = False) -> bytes:
        """Return the digest of what code takes from outside of itself.

        Args:
            code: of a function, or of a module that isn't loaded.
            scope: its globals.
            cells: its free variables.
            is_source: whether nothing of it has run yet, so that everything it imports counts.
        """
        uses = uses_of(code)
        self.enter(code, uses)
        used = {use.origin.name for use in uses.uses if use.origin.kind == "free"}
        pieces = [self.of(cell.cell_contents) for name, cell in cells.items() if name not in used and is_bound(cell)]
        return hashed(*pieces, *(self._of_use(use, scope, cells, is_source) for use in uses.uses))

    def _of_use(self, use: NameUse, scope: dict[str, Any], cells: dict[str, Any], is_source: bool) -> bytes:
        unloaded = unloaded_module(use, scope)
        if unloaded is not None:
            return self._of_unloaded(unloaded, use)
        target = follow(use, scope, cells)
        is_kept = use.how == "keep" and not is_source
        if use.origin.kind == "global" and use.origin.name == "__file__" and type(target.value) is str:
            self.add_folder(str(Path(target.value).parent))
            return hashed(b"file")
        if use.origin.kind == "global" and use.origin.name not in scope and target.value is not MISSING:
            self.take(f"builtins.{use.origin.name}", target.rest)
        if target.taken is not None:
            self.take(*target.taken)
        elif not is_own(target.value) and not is_scalar(target.value):
            self.take(target.value, target.rest)
        if is_kept:
            return b""
        if use.how == "write" and isinstance(target.value, str | PurePath):  # the content of the file has no effect
            self._watch_use(use, scope, cells)
            return hashed(b"path", os.fspath(target.value).encode("utf-8", "surrogateescape"))
        note = observed_part(target.value, target.rest, use.how)
        if note is not None:
            if not is_scalar(target.value):
                self.pass_by(target.value)
                self._watch_use(use, scope, cells)
            return self.measure(lambda: hashed(b"note", plain_bytes(_note_now(use, scope, cells)) or b""))
        self._watch_use(use, scope, cells)
        return self._of_target(target, use, scope)

    def _watch_use(self, use: NameUse, scope: dict[str, Any], cells: dict[str, Any]) -> None:
        name = use.origin.name
        if use.origin.kind == "global" and name in scope and not is_module(scope[name]):
            self.watch_name(scope, name)
        else:
            self.watch(lambda _: [follow(use, scope, cells).value], None)

    def _of_target(self, target: Target, use: NameUse, scope: dict[str, Any]) -> bytes:
        value, rest = target.value, target.rest
        name = variables_and_files.variable_of(value, rest, use, scope)
        if name is not None:
            if name == variables_and_files.NOTHING:
                return b""
            return self.measure(lambda: variables_and_files.variable(name))
        dotted = ".".join((module_name(target.taken[0]), *target.taken[1])) if target.taken is not None else ""
        if (what := variables_and_files.doubt_about(value, dotted)) is not None and use.how != "keep":
            self.doubt(what)
        if target.taken is not None:
            self.add_texts(value)
            held = self.of(value) if is_own(value) or plain_bytes(value) is not None else b""
            self.take(value, rest)
            return hashed(b"installed", dotted.encode(), version_of(dotted).encode(), held)
        if is_module(value) and rest:  # it has no such attribute, or makes it when it is asked
            makes = scope_of(value).get("__getattr__")
            return hashed(b"lacking", ".".join(rest).encode(), self.of(value if rest[0] == "__dict__" else makes))
        if value is MISSING:
            return hashed(b"missing", ".".join((use.origin.name, *rest)).encode())
        self.add_texts(value)
        return hashed(b"use", ".".join(rest).encode(), self.of(value))

    # --- modules that aren't loaded ---

    def _of_unloaded(self, name: str, use: NameUse) -> bytes:
        """Return the digest of a module that isn't imported yet, by its source and that of own modules it imports."""
        self.watch(_loaded, name)
        spec = find_spec(name)
        if spec is None or is_installed_spec(spec):
            self.take(name, use.attributes)
            dotted = ".".join((name, *use.attributes))
            if (what := variables_and_files.doubt_about(None, dotted)) is not None and use.how != "keep":
                self.doubt(what)
            said = hashed(b"installed", dotted.encode(), version_of(name).encode(), b"")
            return hashed(b"missing", name.encode()) if spec is None else b"" if use.how == "keep" else said
        if name in self._sources:
            return hashed(b"source", name.encode())
        self._sources.add(name)
        parent = name.rpartition(".")[0]
        above = (
            self._of_unloaded(parent, NameUse(Origin("from", parent))) if parent and parent not in sys.modules else b""
        )
        if not str(spec.origin).endswith(".py"):
            origin = str(spec.origin)
            return hashed(b"binary", name.encode(), above, self.measure(lambda: variables_and_files.content(origin)))
        with self.at(name):
            return hashed(b"source", name.encode(), above, self._of_source(spec))

    def _of_source(self, spec: ModuleSpec) -> bytes:
        origin = str(spec.origin)
        self.measure(lambda: variables_and_files.content(origin))
        try:
            code = compile_module(Path(origin).read_bytes(), origin)
        except (OSError, SyntaxError, ValueError) as e:
            self.doubt(f"its source can't be read: {e}")
            return b""
        scope = {"__package__": spec.parent, "__name__": spec.name, "__file__": origin}
        return hashed(self.of(code), self.reach(code, scope, {}, is_source=True))


def _note_now(use: NameUse, scope: dict[str, Any], cells: dict[str, Any]) -> Any:
    target = follow(use, scope, cells)
    return observed_part(target.value, target.rest, use.how)


def _loaded(name: str) -> list[Any]:
    return [sys.modules.get(name)]
