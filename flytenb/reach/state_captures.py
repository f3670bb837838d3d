"""Captures of process-wide state: each saves one kind and returns a function that restores it, any number of times."""

from __future__ import annotations

import ctypes
import importlib
import locale
import logging
import os
import random
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flytenb.reach.library_objects import contents

Restore = Callable[[], None]
_MISSING = object()


def attribute(owner: Any, name: str) -> Restore:
    """Capture one attribute of a class or of a module, which is given by its name."""
    if isinstance(owner, str):
        owner = sys.modules[owner]
    before = vars(owner).get(name, _MISSING)

    def restore() -> None:
        if before is not _MISSING:
            setattr(owner, name, before)
        elif name in vars(owner):
            delattr(owner, name)

    return restore


def attributes(*names: str) -> Callable[[], Restore]:
    """Return the capture of attributes of modules, by their dotted names."""

    def capture() -> Restore:
        split = [name.rpartition(".") for name in names]
        return all_of([attribute(module, name) for module, _, name in split if hasattr(sys.modules.get(module), name)])

    return capture


def all_of(restores: list[Restore]) -> Restore:
    """Return a function that calls all of these, last first, even if one of them raises."""

    def restore() -> None:
        for one in reversed(restores):
            with suppress(Exception):
                one()

    return restore


def getter_and_setter(getter: str, setter: str) -> Callable[[], Restore]:
    """Return the capture of a setting by its getter and setter; it does nothing while the module isn't loaded."""

    def capture() -> Restore:
        module, _, name = getter.rpartition(".")
        owner: Any = sys.modules.get(module)
        if owner is None:
            return lambda: None
        value = getattr(owner, name)()
        return lambda: getattr(owner, setter)(value)

    return capture


def environ() -> Restore:
    """Capture the environment, including variables set by `os.putenv`, and the time zone."""
    before, native, zones = dict(os.environ), _native_environ(), time.tzname

    def restore() -> None:
        has_moved = os.environ.get("TZ") != before.get("TZ") or time.tzname != zones
        now = _native_environ()
        for name in now.keys() - native.keys():
            os.unsetenv(name)
        for name, value in native.items():
            if now.get(name) != value:
                os.putenv(name, value)
        for added in os.environ.keys() - before.keys():
            del os.environ[added]
        for known, text in before.items():
            if os.environ.get(known) != text:
                os.environ[known] = text
        if has_moved and hasattr(time, "tzset"):
            time.tzset()

    return restore


def _native_environ() -> Mapping[bytes, bytes]:
    try:
        entries = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    except (OSError, TypeError, ValueError):  # not on this system
        return {}
    found: dict[bytes, bytes] = {}
    at = 0
    while entries and (entry := entries[at]) is not None:
        name, _, value = entry.partition(b"=")
        if name:
            found[name] = value
        at += 1
    return found


def streams() -> Restore:
    """Capture `sys.stdout`, `sys.stderr` and `sys.stdin`."""
    before = sys.stdout, sys.stderr, sys.stdin

    def restore() -> None:
        sys.stdout, sys.stderr, sys.stdin = before

    return restore


class _Descriptors:
    """Copies of the file descriptors 0, 1 and 2."""

    def __init__(self) -> None:
        self._copies: dict[int, int] = {}
        for number in (0, 1, 2):
            with suppress(OSError):  # it is closed
                self._copies[number] = os.dup(number)

    def __call__(self) -> None:
        for number, copy in self._copies.items():
            os.dup2(copy, number)

    def __del__(self) -> None:
        for copy in self._copies.values():
            os.close(copy)


def descriptors() -> Restore:
    """Capture the files of the descriptors 0, 1 and 2."""
    return _Descriptors()


def warning_filters() -> Restore:
    """Capture the warning filters and the display of warnings."""
    filters: Any = warnings.filters
    before, shown, formatted = [*filters], warnings.showwarning, warnings.formatwarning

    def restore() -> None:
        filters[:] = before
        warnings.filters, warnings.showwarning, warnings.formatwarning = filters, shown, formatted
        with warnings.catch_warnings():  # what is remembered of the filters is dropped
            pass

    return restore


def spoken_locale() -> Restore:
    """Capture the locale."""
    before = locale.setlocale(locale.LC_ALL)

    def restore() -> None:
        locale.setlocale(locale.LC_ALL, before)

    return restore


def arguments() -> Restore:
    """Capture `sys.argv`."""
    argv, before = sys.argv, [*sys.argv]

    def restore() -> None:
        sys.argv = argv
        argv[:] = before

    return restore


def umask() -> Restore:
    """Capture the umask."""
    before = os.umask(0o077)
    os.umask(before)

    def restore() -> None:
        os.umask(before)

    return restore


def patches() -> Restore:
    """Capture the active patches of `unittest.mock` and the loaded modules.

    Patches that a task starts and doesn't stop are stopped; modules that it makes up itself are removed.
    """
    mock: Any = sys.modules.get("unittest.mock")
    modules = {**sys.modules}
    before = [*mock._patch._active_patches] if mock is not None else []

    def restore() -> None:
        mock: Any = sys.modules.get("unittest.mock")
        for patch in [*mock._patch._active_patches][::-1] if mock is not None else ():
            if all(patch is not other for other in before):
                patch.stop()
        made_up = [n for n in sys.modules if n not in modules and getattr(sys.modules[n], "__spec__", None) is None]
        for name in made_up:
            del sys.modules[name]
        for name, module in modules.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module

    return restore


def import_path() -> Restore:
    """Capture the import path; modules that a task imports from directories that it adds are removed."""
    lists: list[list[Any]] = [sys.path, sys.meta_path, sys.path_hooks]
    path, before, known = sys.path, [[*each] for each in lists], {*sys.modules}

    def restore() -> None:
        added = tuple(f"{entry}{os.sep}" for entry in {*sys.path} - {*before[0]} if entry)
        for name in {*sys.modules} - known if added else ():
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(added):
                del sys.modules[name]
        importlib.invalidate_caches()
        sys.path = path
        for each, entries in zip(lists, before, strict=True):
            each[:] = entries

    return restore


def loggers() -> Restore:
    """Capture the levels, handlers and filters of all loggers; those of later loggers are reset."""
    known = {logger: _settings_of(logger) for logger in _loggers()}
    disabled, made, kind = logging.root.manager.disable, logging.getLogRecordFactory(), logging.getLoggerClass()
    warned, shown = getattr(logging, "_warnings_showwarning", None), warnings.showwarning
    names: tuple[dict[Any, Any], ...] = (logging._levelToName, logging._nameToLevel)
    levels = [contents(each) for each in names]

    def restore() -> None:
        for restore_levels in levels:
            restore_levels()
        logging.setLogRecordFactory(made)
        logging.setLoggerClass(kind)
        if getattr(logging, "_warnings_showwarning", None) is not warned:
            logging._warnings_showwarning, warnings.showwarning = warned, shown  # type: ignore[attr-defined]
        logging.disable(disabled)
        for logger in _loggers():
            wanted = known.get(logger, (logging.NOTSET, [], [], True, False))
            if _settings_of(logger) != wanted:
                level, handlers, filters, logger.propagate, logger.disabled = wanted
                for handler in logger.handlers:
                    with suppress(Exception):  # its file may be closed
                        handler.flush()
                logger.handlers[:], logger.filters[:] = handlers, filters
                logger.setLevel(level)

    return restore


def _loggers() -> list[logging.Logger]:
    named = [*logging.root.manager.loggerDict.values()]
    return [logging.root, *(logger for logger in named if isinstance(logger, logging.Logger))]


def _settings_of(logger: logging.Logger) -> tuple[int, list[Any], list[Any], bool, bool]:
    return logger.level, [*logger.handlers], [*logger.filters], logger.propagate, logger.disabled


def random_numbers() -> Restore:
    """Capture the generator of `random`."""
    state = random.getstate()
    return lambda: random.setstate(state)


def socket_timeout() -> Restore:
    """Capture the timeout of new sockets."""
    before = socket.getdefaulttimeout()
    return lambda: socket.setdefaulttimeout(before)


def of_thread(local: threading.local) -> Restore:
    """Capture what a `threading.local` holds in this thread: the next task of the thread is another process's."""
    before = {**vars(local)}

    def restore() -> None:
        vars(local).clear()
        vars(local).update(before)

    return restore
