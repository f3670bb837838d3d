"""Dependencies of a task's code besides Python objects: files by name, process-wide settings, library patches.

All of it is found by the names that own code asks for, after the walk has seen all of them.
"""

from __future__ import annotations

import abc
import codecs
import copyreg
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType
from typing import Any

from flytenb.reach import process_settings
from flytenb.reach.built_texts import builds_paths
from flytenb.reach.bytecode import NameUses
from flytenb.reach.installed_names import home_of, names_of
from flytenb.reach.library_patches import is_open, open_classes, registered_with
from flytenb.reach.module_settings import module_settings, own_objects
from flytenb.reach.name_lookup import is_module, is_own, module_name
from flytenb.reach.variables_and_files import ASKING, C_READERS, C_READING_MODULES, Paths

_SETTABLE = frozenset(["random", "numpy", "torch"])


class ExternalState:
    """Collects what code reads besides objects.

    Attributes:
        paths: the texts that may be paths.
        taken: the installed things that own code takes: an object or the name of a module, and the attributes that are
            asked of it.
        names: the attributes that own code reads of anything, and the names of the installed things that it takes.
    """

    def __init__(self) -> None:
        self.paths = Paths()
        self.taken: list[tuple[Any, tuple[str, ...]]] = []
        self.names: set[str] = set()
        self._homes: set[str] = set()
        self._locks: list[Any] = []
        self._loggers: list[logging.Logger] = []
        self._builds = False
        self._modules: frozenset[str] | None = None

    def add(self, code: CodeType, uses: NameUses) -> None:
        """Add what code reads."""
        self.paths.add(uses.strings)
        self.paths.note(uses)
        self.names |= uses.attributes
        self._builds = self._builds or builds_paths(code)

    def add_object(self, value: Any) -> None:
        """Add an object that is reached."""
        self._homes.add(home_of(type(value)))

    def add_lock(self, lock: Any) -> None:
        """Add a lock: its state counts if the code asks for it."""
        self._locks.append(lock)

    def add_logger(self, logger: logging.Logger) -> None:
        """Add a logger: its settings count if the code asks for them."""
        self._loggers.append(logger)

    def take(self, value: Any, attributes: tuple[str, ...]) -> None:
        """Add an installed object."""
        self.taken.append((value, attributes))
        name = value.rpartition(".")[2] if type(value) is str else getattr(value, "__name__", "")
        self.names |= {*attributes, *([name] if type(name) is str else [])}

    def is_asking(self) -> bool:
        """Return whether code may query files without an audit event."""
        return not self.names.isdisjoint(ASKING | C_READERS) or not self.modules().isdisjoint(C_READING_MODULES)

    def doubts(self) -> Iterator[str]:
        """Yield the reasons why the queried files are unknown."""
        if self._builds and self.is_asking():
            asked = sorted(self.names & (ASKING | C_READERS)) or sorted(self.modules() & C_READING_MODULES)
            yield f"{asked[0]!r} may ask about a file whose path the code puts together, which can't be observed"

    def readers(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield each setting that counts: its name, and what reads it."""
        for setting in process_settings.settings_of(self.names, self.modules()):
            yield setting.name, setting.read
        for each in module_settings(frozenset(self.names), self.modules()):
            yield each.name, each.read
        if "which" in self.names:
            yield "programs", self._programs
        if self._locks and not self.names.isdisjoint(process_settings.LOCK_NAMES):
            yield "state of locks", lambda: [process_settings.lock_state(lock) for lock in self._locks]
        if not self.names.isdisjoint(process_settings.LOGGER_NAMES) and (self._loggers or "logging" in self.modules()):
            loggers = (*self._loggers, *process_settings.loggers_called(self.paths.texts))
            yield "settings of loggers", lambda: list(map(process_settings.logger_state, loggers))

    def _programs(self) -> list[tuple[str, ...]]:
        """Return where the programs are that the texts of the code may name."""
        named = [text for text in self.paths.texts if os.sep not in text and text.isprintable()]
        return [(text, place) for text in named if (place := shutil.which(text))]

    def classes(self) -> list[type]:
        """Return the classes of the modules in use: own code may have put members on them."""
        modules = {id(value): value for value, _ in self.taken if is_module(value)}
        found = {cls: None for module in modules.values() for cls in open_classes(module)}
        found.update((base, None) for cls in self._taken_classes() for base in cls.__mro__ if is_open(base))
        return list(found)

    def _taken_classes(self) -> list[type]:
        return [value for value, _ in self.taken if isinstance(value, type)]

    def registered(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield where own functions may have been registered with Python, each as what reads it."""
        yield from own_objects(self.modules())
        yield "copyreg", lambda: {kind: held for kind, held in [*copyreg.dispatch_table.items()] if is_own(held)}
        for cls in self._taken_classes():
            if issubclass(type(cls), abc.ABCMeta) and not is_own(cls):
                yield f"{cls.__module__}.{cls.__qualname__}", partial(_own_registered, cls)
        if not self.names.isdisjoint(("encode", "decode", "open", "str", "bytes", "read_text", "write_text")):
            for text in [text for text in self.paths.texts if text.isidentifier()]:
                if (handler := _error_handler(text)) is not None and is_own(handler):
                    yield f"codecs {text}", partial(_error_handler, text)

    def modules(self) -> frozenset[str]:
        """Return the installed modules that are used, with the packages above them. Only asked after the walk."""
        if self._modules is not None:
            return self._modules
        found: set[str] = set(self._homes)
        for value, attributes in self.taken:
            for dotted in _dotted(value, attributes):
                if not any(dotted == name or dotted.startswith(f"{name}.") for name in process_settings.HARMLESS):
                    parts = dotted.split(".")
                    found |= {".".join(parts[:count]) for count in range(1, len(parts))} | {dotted}
        self._modules = frozenset(found | {name.partition(".")[0] for name in self._homes})
        return self._modules


def _dotted(value: Any, attributes: tuple[str, ...]) -> set[str]:
    if type(value) is str:
        return {".".join((value, *attributes))}
    if is_module(value):
        return {".".join((module_name(value), *attributes))}
    home = getattr(value, "__module__", None)
    owner = getattr(value, "__self__", None)
    if type(home) is not str:
        home = home_of(type(owner if owner is not None else value))
    if home.partition(".")[0] in _SETTABLE:
        return names_of(value)
    return {f"{home}.{getattr(value, '__name__', '')}"}


def _own_registered(cls: type) -> dict[Any, None]:
    return {each: None for each in registered_with(cls) if is_own(each)}


def _error_handler(name: str) -> Any:
    try:
        return codecs.lookup_error(name)
    except LookupError:
        return None
