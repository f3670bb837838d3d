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

from flytenb.reach import variables_and_files
from flytenb.reach.aliases import Aliases, layout_of, note_parts
from flytenb.reach.bytecode import NameUse, Origin, uses_of
from flytenb.reach.external_state import ExternalState
from flytenb.reach.installed_names import scope_of
from flytenb.reach.library_patches import asked_members, own_members, sizes
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
from flytenb.reach.object_digest import OpaqueError, WatchingWalker, hashed, items_of
from flytenb.reach.ownership import version_of
from flytenb.reach.plain_bytes import is_frozen, is_scalar, plain_bytes
from flytenb.reach.process_settings import said
from flytenb.reach.write_only_uses import observed_part

_MOST_MEMBERS = 500
"""Maximum number of compared members of library classes; of more, those that own code names and their number."""


class Doubt(NamedTuple):
    """An object that code reaches and that can't be read, so it isn't part of the digest.

    Attributes:
        where: the own function or class that reaches it.
        what: the description of the object.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class ReachWalker(WatchingWalker):
    """Walks over everything that code reaches, with a digest of it.

    Attributes:
        doubts: what could not be read, and why.
        external_state: what the code reads besides objects.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.doubts: dict[Doubt, None] = {}
        self.external_state = ExternalState()
        self._aliases = Aliases()
        self._paths = self.external_state.paths
        self._where: list[str] = []
        self._sources: set[str] = set()

    def of(self, value: Any) -> bytes:
        """Return the digest of an object; an unreadable object is recorded as a doubt."""
        if type(value) is str and self._where:  # of a class, a default, a closure, an object
            self._paths.add([value])
            if (what := variables_and_files.doubt_about_text(value)) is not None:
                self.doubt(what)
        elif not is_scalar(value):
            self._aliases.visit(value)
            self.external_state.add_object(value)
        try:
            return super().of(value)
        except (OpaqueError, RecursionError) as e:
            self.doubt("what it reaches is nested too deeply" if isinstance(e, RecursionError) else str(e))
            return hashed(b"doubt")

    def doubt(self, what: str) -> None:
        """Record an unreadable object."""
        self.doubts[Doubt(self._where[-1] if self._where else "", what)] = None

    def take(self, value: Any, attributes: tuple[str, ...] = ()) -> None:
        """Note that something installed is taken."""
        self.external_state.take(value, attributes)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Set the own function, class or module that is being read."""
        self._where.append(name)
        try:
            yield
        finally:
            self._where.pop()

    def with_external_state(self, digest: bytes) -> bytes:
        """Return a digest with what the code reads besides objects: files at constant paths, settings, patches.

        It is called last: only the whole walk finds everything that the code reads.
        """
        for what in self.external_state.doubts():
            self.doubt(what)
        pieces = [digest, *self.of_libraries(), self._aliases.digest()]
        pieces += [self.measure(lambda read=read: said(read())) for read in self.external_state.readers()]  # type: ignore[misc]
        try:
            return hashed(*pieces, self.measure(self._paths.digest))
        except OpaqueError as e:
            self.doubt(str(e))
            return b""

    def of_libraries(self) -> list[bytes]:
        """Return the digests of the members that own code has set on used libraries, or registered with them."""
        return [*self._patches(), *self._registered()]

    def _patches(self) -> Iterator[bytes]:
        classes = self.external_state.classes()
        names = sorted(self.external_state.names)
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
        for place, read in self.external_state.registered():
            found = read()
            if found:
                self.watch(lambda _, read=read: _held(read()), None)  # type: ignore[misc]
                # A class whose cell was run again leaves its former self there.
                pairs = found.items() if type(found) is dict else [(None, found)]
                yield hashed(place.encode(), *sorted({self.of_all(pair) for pair in pairs}))

    def of_all_variables(self) -> bytes:
        """Return the digest of the environment, for code that hands it on."""
        return self.measure(lambda: variables_and_files.variable(variables_and_files.ALL))

    def add_lock(self, lock: Any) -> None:
        """As above."""
        self.external_state.add_lock(lock)

    def add_logger(self, logger: Any) -> None:
        """As above."""
        self.external_state.add_logger(logger)

    def layout(self, value: Any) -> bytes:
        """As above."""
        note_parts(value, self._aliases)
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
        for what in variables_and_files.doubts_about(uses):
            self.doubt(what)
        self.external_state.add(code, uses)
        used = {use.origin.name for use in uses.uses if use.origin.kind == "free"}
        pieces = [self.of(cell.cell_contents) for name, cell in cells.items() if name not in used and is_bound(cell)]
        return hashed(*pieces, *(self._of_use(use, scope, cells, is_source) for use in uses.uses))

    def _of_use(self, use: NameUse, scope: dict[str, Any], cells: dict[str, Any], is_source: bool) -> bytes:
        unloaded = unloaded_module(use, scope)
        if unloaded is not None:
            return self._of_unloaded(unloaded, use)
        target = follow(use, scope, cells)
        if use.origin.kind == "global" and use.origin.name == "__file__" and type(target.value) is str:
            self._paths.folders[str(Path(target.value).parent)] = None
            return hashed(b"file")
        if use.origin.kind == "global" and use.origin.name not in scope and target.value is not MISSING:
            self.take(f"builtins.{use.origin.name}", target.rest)
        if target.taken is not None:
            self.take(*target.taken)
        elif not is_own(target.value) and not is_scalar(target.value):
            self.take(target.value, target.rest)
        if use.how == "keep" and not is_source:
            return b""
        if use.how == "write" and isinstance(target.value, str | PurePath):  # what the file holds says nothing then
            self.watch(lambda _: [follow(use, scope, cells).value], None)
            return hashed(b"path", os.fspath(target.value).encode("utf-8", "surrogateescape"))
        note = observed_part(target.value, target.rest, use.how)
        if note is not None:
            if not is_scalar(target.value):  # another name may be the same object's
                self._aliases.visit(target.value)
                self.watch(lambda _: [follow(use, scope, cells).value], None)
            return self.measure(lambda: hashed(b"note", plain_bytes(_note_now(use, scope, cells)) or b""))
        self.watch(lambda _: [follow(use, scope, cells).value], None)
        return self._of_target(target, use, scope)

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

    def add_texts(self, value: Any) -> None:
        """Record the paths in an object that code reads; their files are part of the digest."""
        if isinstance(value, PurePath):
            self._paths.add([os.fspath(value)])
        elif type(value) in (list, tuple, set, frozenset):
            self._paths.add(str(part) for part in [*value][:1000] if isinstance(part, str | PurePath))
        elif type(value) is dict:
            self._paths.add(str(part) for part in [*value.values()][:1000] if isinstance(part, str | PurePath))

    # --- modules that aren't loaded ---

    def _of_unloaded(self, name: str, use: NameUse) -> bytes:
        """A module that is imported when the code runs: its source, and that of the own modules which it imports."""
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
            code = compile(Path(origin).read_bytes(), origin, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError) as e:
            self.doubt(f"its source can't be read: {e}")
            return b""
        scope = {"__package__": spec.parent, "__name__": spec.name, "__file__": origin}
        return hashed(self.of(code), self.reach(code, scope, {}, is_source=True))


def _held(found: Any) -> list[Any]:
    return items_of(found) if type(found) is dict else [found]


def _note_now(use: NameUse, scope: dict[str, Any], cells: dict[str, Any]) -> Any:
    target = follow(use, scope, cells)
    return observed_part(target.value, target.rest, use.how)


def _loaded(name: str) -> list[Any]:
    return [sys.modules.get(name)]
