"""What code reaches: own functions, classes, modules and values, and which installed things it may use.

The walk begins at a function and follows whatever it can take: names, closures, defaults, attributes, decorators,
the members of classes, the objects inside objects. What is installed is where it ends.
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
from typing import Any, NamedTuple

from flytenb.reach import outside
from flytenb.reach.bytecode import Origin, Use, uses_of
from flytenb.reach.library_patches import asked_members, own_members, sizes
from flytenb.reach.lookup import (
    MISSING,
    End,
    find_spec,
    follow,
    is_bound,
    is_installed_spec,
    is_module,
    is_own,
    module_name,
    unloaded_module,
)
from flytenb.reach.names import scope_of
from flytenb.reach.notes import note_of
from flytenb.reach.objects import OpaqueError, WatchingWalker, hashed, items_of
from flytenb.reach.ownership import version_of
from flytenb.reach.plain import is_frozen, is_scalar, plain_bytes
from flytenb.reach.settings import said
from flytenb.reach.sharing import Sharing, layout_of, note_parts
from flytenb.reach.surroundings import Surroundings

_MOST_MEMBERS = 500
"""So many members of library classes are compared at each call; of more, those that own code names and their number."""


class Doubt(NamedTuple):
    """Something that code reaches and that can't be read, so that the digest doesn't hold it.

    Attributes:
        where: the own function or class that reaches it.
        what: what it is, in words.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class Reacher(WatchingWalker):
    """Walks over everything that code reaches, with a digest of it.

    Attributes:
        doubts: what could not be read, and why.
        surroundings: what the code asks for besides objects.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.doubts: dict[Doubt, None] = {}
        self.surroundings = Surroundings()
        self._sharing = Sharing()
        self._paths = self.surroundings.paths
        self._where: list[str] = []
        self._sources: set[str] = set()

    def of(self, value: Any) -> bytes:
        """Return the digest of an object; what can't be read is noted as a doubt."""
        if type(value) is str and self._where:  # of a class, a default, a closure, an object
            self._paths.add([value])
            if (what := outside.doubt_about_text(value)) is not None:
                self.doubt(what)
        elif not is_scalar(value):
            self._sharing.visit(value)
            self.surroundings.add_object(value)
        try:
            return super().of(value)
        except (OpaqueError, RecursionError) as e:
            self.doubt("what it reaches is too deep" if isinstance(e, RecursionError) else str(e))
            return hashed(b"doubt")

    def doubt(self, what: str) -> None:
        """Note that something can't be read."""
        self.doubts[Doubt(self._where[-1] if self._where else "", what)] = None

    def take(self, value: Any, attributes: tuple[str, ...] = ()) -> None:
        """Note that something installed is taken."""
        self.surroundings.take(value, attributes)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Name the own function, class or module that is being looked at."""
        self._where.append(name)
        try:
            yield
        finally:
            self._where.pop()

    def surrounded(self, digest: bytes) -> bytes:
        """Return a digest with what the code asks for besides objects: files at constant paths, settings, patches.

        It is the last thing to be asked: only the whole walk tells what the code asks for.
        """
        for what in self.surroundings.doubts():
            self.doubt(what)
        pieces = [digest, *self.of_libraries(), self._sharing.digest()]
        pieces += [self.measure(lambda read=read: said(read())) for read in self.surroundings.readers()]  # type: ignore[misc]
        try:
            return hashed(*pieces, self.measure(self._paths.digest))
        except OpaqueError as e:
            self.doubt(str(e))
            return b""

    def of_libraries(self) -> list[bytes]:
        """Return the digests of what own code has put on the libraries in use, or registered with them."""
        return [*self._patches(), *self._registered()]

    def _patches(self) -> Iterator[bytes]:
        classes = self.surroundings.classes()
        names = sorted(self.surroundings.names)
        present = [(cls, name) for cls in classes for name in names if name in vars(cls)]
        if sum(len(vars(cls)) for cls in classes) <= _MOST_MEMBERS:
            self.watch(lambda _: [held for cls in classes for held in vars(cls).values()], None)
        self.measure(lambda: sizes(classes))
        self.watch(lambda _: [vars(cls).get(name) for cls, name in present], None)
        for cls in classes:
            found = {**own_members(cls), **asked_members(cls, names)}
            if found:
                yield hashed(f"{cls.__module__}.{cls.__qualname__}".encode(), self.of_named(found))

    def _registered(self) -> Iterator[bytes]:
        for place, read in self.surroundings.registered():
            found = read()
            if found:
                self.watch(lambda _, read=read: _held(read()), None)  # type: ignore[misc]
                # A class whose cell was run again leaves its former self there.
                pairs = found.items() if type(found) is dict else [(None, found)]
                yield hashed(place.encode(), *sorted({self.of_all(pair) for pair in pairs}))

    def of_all_variables(self) -> bytes:
        """Return the digest of the environment, for code that hands it on."""
        return self.measure(lambda: outside.variable(outside.ALL))

    def add_lock(self, lock: Any) -> None:
        """As above."""
        self.surroundings.add_lock(lock)

    def add_logger(self, logger: Any) -> None:
        """As above."""
        self.surroundings.add_logger(logger)

    def layout(self, value: Any) -> bytes:
        """As above."""
        note_parts(value, self._sharing)
        return self.measure(lambda: layout_of(value))

    def of_named(self, held: Mapping[Any, Any]) -> bytes:
        """Return the digest of values and their names; a name isn't a text that the code reads."""
        names = tuple(held)
        said = marshal.dumps(names, 2) if is_frozen(names) else self.of(names)
        return hashed(said, *map(self.of, held.values()))

    def reach(self, code: CodeType, scope: dict[str, Any], cells: dict[str, Any], *, is_source: bool = False) -> bytes:
        """Return the digest of what code takes from outside of itself.

        Args:
            code: of a function, or of a module that isn't loaded.
            scope: its globals.
            cells: its free variables.
            is_source: whether nothing of it has run yet, so that everything it imports counts.
        """
        uses = uses_of(code)
        for what in outside.doubts_about(uses):
            self.doubt(what)
        self.surroundings.add(code, uses)
        used = {use.origin.name for use in uses.uses if use.origin.kind == "free"}
        pieces = [self.of(cell.cell_contents) for name, cell in cells.items() if name not in used and is_bound(cell)]
        return hashed(*pieces, *(self._of_use(use, scope, cells, is_source) for use in uses.uses))

    def _of_use(self, use: Use, scope: dict[str, Any], cells: dict[str, Any], is_source: bool) -> bytes:
        unloaded = unloaded_module(use, scope)
        if unloaded is not None:
            return self._of_unloaded(unloaded, use)
        end = follow(use, scope, cells)
        if use.origin.kind == "global" and use.origin.name == "__file__" and type(end.value) is str:
            self._paths.folders[str(Path(end.value).parent)] = None
            return hashed(b"file")
        if use.origin.kind == "global" and use.origin.name not in scope and end.value is not MISSING:
            self.take(f"builtins.{use.origin.name}", end.rest)
        if end.taken is not None:
            self.take(*end.taken)
        elif not is_own(end.value) and not is_scalar(end.value):
            self.take(end.value, end.rest)
        if use.how == "keep" and not is_source:
            return b""
        if use.how == "write" and isinstance(end.value, str | PurePath):  # what the file holds says nothing then
            self.watch(lambda _: [follow(use, scope, cells).value], None)
            return hashed(b"path", os.fspath(end.value).encode("utf-8", "surrogateescape"))
        note = note_of(end.value, end.rest, use.how)
        if note is not None:
            if not is_scalar(end.value):  # another name may be the same object's
                self._sharing.visit(end.value)
                self.watch(lambda _: [follow(use, scope, cells).value], None)
            return self.measure(lambda: hashed(b"note", plain_bytes(_note_now(use, scope, cells)) or b""))
        self.watch(lambda _: [follow(use, scope, cells).value], None)
        return self._of_end(end, use, scope)

    def _of_end(self, end: End, use: Use, scope: dict[str, Any]) -> bytes:
        value, rest = end.value, end.rest
        name = outside.variable_of(value, rest, use, scope)
        if name is not None:
            if name == outside.NOTHING:
                return b""
            return self.measure(lambda: outside.variable(name))
        dotted = ".".join((module_name(end.taken[0]), *end.taken[1])) if end.taken is not None else ""
        if (what := outside.doubt_about(value, dotted)) is not None and use.how != "keep":
            self.doubt(what)
        if end.taken is not None:
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

    def add_texts(self, value: Any) -> None:
        """Note the paths in an object that code reads: files at them count."""
        if isinstance(value, PurePath):
            self._paths.add([os.fspath(value)])
        elif type(value) in (list, tuple, set, frozenset):
            self._paths.add(str(part) for part in [*value][:1000] if isinstance(part, str | PurePath))
        elif type(value) is dict:
            self._paths.add(str(part) for part in [*value.values()][:1000] if isinstance(part, str | PurePath))

    # --- modules that aren't loaded ---

    def _of_unloaded(self, name: str, use: Use) -> bytes:
        """A module that is imported when the code runs: its source, and that of the own modules which it imports."""
        self.watch(_loaded, name)
        spec = find_spec(name)
        if spec is None or is_installed_spec(spec):
            self.take(name, use.attributes)
            dotted = ".".join((name, *use.attributes))
            if (what := outside.doubt_about(None, dotted)) is not None and use.how != "keep":
                self.doubt(what)
            said = hashed(b"installed", dotted.encode(), version_of(name).encode(), b"")
            return hashed(b"missing", name.encode()) if spec is None else b"" if use.how == "keep" else said
        if name in self._sources:
            return hashed(b"source", name.encode())
        self._sources.add(name)
        parent = name.rpartition(".")[0]
        above = self._of_unloaded(parent, Use(Origin("from", parent))) if parent and parent not in sys.modules else b""
        if not str(spec.origin).endswith(".py"):
            origin = str(spec.origin)
            return hashed(b"binary", name.encode(), above, self.measure(lambda: outside.content(origin)))
        with self.at(name):
            return hashed(b"source", name.encode(), above, self._of_source(spec))

    def _of_source(self, spec: ModuleSpec) -> bytes:
        origin = str(spec.origin)
        self.measure(lambda: outside.content(origin))
        try:
            code = compile(Path(origin).read_bytes(), origin, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError) as e:
            self.doubt(f"its source can't be read: {e}")
            return b""
        scope = {"__package__": spec.parent, "__name__": spec.name, "__file__": origin}
        return hashed(self.of(code), self.reach(code, scope, {}, is_source=True))


def _held(found: Any) -> list[Any]:
    return items_of(found) if type(found) is dict else [found]


def _note_now(use: Use, scope: dict[str, Any], cells: dict[str, Any]) -> Any:
    end = follow(use, scope, cells)
    return note_of(end.value, end.rest, use.how)


def _loaded(name: str) -> list[Any]:
    return [sys.modules.get(name)]
