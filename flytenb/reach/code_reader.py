"""What counts of code besides the objects that it reaches: files, settings, patches of libraries, shared objects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePath
from types import CodeType
from typing import Any, NamedTuple

from flytenb.reach import variables_and_files
from flytenb.reach.aliases import Aliases, layout_of, note_parts
from flytenb.reach.bytecode import NameUses
from flytenb.reach.external_state import ExternalState
from flytenb.reach.library_patches import Members, asked_members, own_members
from flytenb.reach.object_digest import OpaqueError, hashed, items_of
from flytenb.reach.plain_bytes import is_scalar
from flytenb.reach.process_settings import setting_bytes
from flytenb.reach.reach_walk import ReachWalker


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


class CodeReader(ReachWalker):
    """Makes the digest of all that the result of code may depend on.

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
        self.external_state.take(value, attributes)

    def enter(self, code: CodeType, uses: NameUses) -> None:
        for what in variables_and_files.doubts_about(uses):
            self.doubt(what)
        self.external_state.add(code, uses)

    def pass_by(self, value: Any) -> None:
        """Note an object that code only writes to: another name may refer to the same object."""
        self._aliases.visit(value)

    def add_texts(self, value: Any) -> None:
        """Record the paths in an object that code reads; their files are part of the digest."""
        if isinstance(value, PurePath):
            self._paths.add([os.fspath(value)])
        elif type(value) in (list, tuple, set, frozenset):
            self._paths.add(str(part) for part in [*value][:1000] if isinstance(part, str | PurePath))
        elif type(value) is dict:
            self._paths.add(str(part) for part in [*value.values()][:1000] if isinstance(part, str | PurePath))

    def add_folder(self, path: str) -> None:
        self._paths.folders[path] = None

    def with_external_state(self, digest: bytes) -> bytes:
        """Return a digest with what the code reads besides objects: files at constant paths, settings, patches.

        It is called last: only the whole walk finds everything that the code reads.
        """
        for what in self.external_state.doubts():
            self.doubt(what)
        pieces = [digest, *self.of_libraries(), self._aliases.digest()]
        pieces += [self.measure(lambda read=read: setting_bytes(read())) for _, read in self.external_state.readers()]  # type: ignore[misc]
        try:
            return hashed(*pieces, self.measure(self._paths.digest))
        except OpaqueError as e:
            self.doubt(str(e))
            return b""

    def of_libraries(self) -> list[bytes]:
        """Return the digests of the members that own code has set on used libraries, or registered with them."""
        return [*self._patches(), *self._registered()]

    def _patches(self) -> Iterator[bytes]:
        for cls, found in self.patched():
            yield hashed(f"{cls.__module__}.{cls.__qualname__}".encode(), self.of_named(found))

    def patched(self) -> Iterator[tuple[type, dict[str, Any]]]:
        """Yield the classes of used libraries on which own code has set members, with these."""
        classes = self.external_state.classes()
        names = sorted(self.external_state.names)
        if classes:
            self.measure(Members.now(classes, names).state)
        for cls in classes:
            found = {**own_members(cls), **asked_members(cls, names)}
            if found:
                yield cls, found

    def _registered(self) -> Iterator[bytes]:
        for place, pairs in self.registered():
            # A class whose cell was run again leaves its former self there.
            yield hashed(place.encode(), *sorted(set(map(self.of_all, pairs))))

    def registered(self) -> Iterator[tuple[str, list[tuple[Any, Any]]]]:
        """Yield where own classes and functions are registered with libraries, and these as keys and values."""
        for place, read in self.external_state.registered():
            found = read()
            if found:
                self.watch(lambda _, read=read: _held(read()), None)  # type: ignore[misc]
                yield place, [*found.items()] if type(found) is dict else [(None, found)]

    def of_all_variables(self) -> bytes:
        """Return the digest of the environment, for code that hands it on."""
        return self.measure(lambda: variables_and_files.variable(variables_and_files.ALL))

    def add_lock(self, lock: Any) -> None:
        self.external_state.add_lock(lock)

    def add_logger(self, logger: Any) -> None:
        self.external_state.add_logger(logger)

    def layout(self, value: Any) -> bytes:
        note_parts(value, self._aliases)
        return self.measure(lambda: layout_of(value))


def _held(found: Any) -> list[Any]:
    return items_of(found) if type(found) is dict else [found]
