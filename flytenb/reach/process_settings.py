"""Process-wide settings that code may read without naming a variable: the working directory, time zone, options.

A setting counts for a task whose code names an attribute, function or module that reads it.
What a library reads by itself is known for the libraries listed here.
"""

from __future__ import annotations

import decimal
import locale
import logging
import marshal
import os
import random
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from flytenb.reach.installed_names import scope_of
from flytenb.reach.name_lookup import is_module


class Setting(NamedTuple):
    """One setting.

    Attributes:
        name: its name in `code_of`.
        read: returns what it is now, as something with a `repr` of its own content.
        names: attributes and functions that read it.
        modules: installed modules that read it.
        unless: names of functions that set it, after which its earlier value has no effect.
    """

    name: str
    read: Callable[[], Any]
    names: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()


HARMLESS = frozenset(
    ["random.Random", "random.SystemRandom"]
    + [
        f"numpy.random.{name}"
        for name in ("default_rng", "Generator", "RandomState", "SeedSequence", "PCG64", "MT19937")
    ]
)
"""Names of `random` whose use doesn't read its state."""


def settings_of(names: Iterable[str], modules: Iterable[str]) -> Iterator[Setting]:
    """Yield each setting that code may ask for.

    Args:
        names: the attributes that own code reads of anything, and the names of installed functions and classes.
        modules: the installed modules that these are of, with the packages above them.
    """
    asked, homes = frozenset(names), frozenset(modules)
    for setting in _SETTINGS:
        is_asked = not asked.isdisjoint(setting.names) or not homes.isdisjoint(setting.modules)
        if is_asked and asked.isdisjoint(setting.unless):
            yield setting


def lock_state(lock: Any) -> Any:
    """Return the state of a lock, semaphore or barrier."""
    held = lock.locked() if hasattr(lock, "locked") else "locked" in repr(lock).split()[0]
    return held, getattr(lock, "_value", None), getattr(lock, "n_waiting", None), getattr(lock, "broken", None)


LOCK_NAMES = frozenset(["locked", "acquire", "_value", "n_waiting", "broken", "_is_owned"])
"""Attributes of locks that return their state; `with lock` doesn't."""

PROGRAMS = frozenset(["subprocess", "_posixsubprocess", "pty", "sh", "plumbum"])
PROGRAM_NAMES = frozenset(
    ["popen", "system", "execv", "execvp", "posix_spawn", "spawnv", "spawnl", "create_subprocess_exec"]
)
_PER_KERNEL = frozenset(
    ["JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTEST_CURRENT_TEST", "SHLVL", "OLDPWD", "_", "INVOCATION_ID"]
)
"""Variables that differ between two kernels that are started in the same way."""


def variables() -> list[tuple[str, str]]:
    """Return the environment that programs are started with, without what differs for each kernel."""
    return sorted((name, held) for name, held in os.environ.items() if name not in _PER_KERNEL)


def variable_reader(*names: str) -> Callable[[], Any]:
    """Return a function that reads these environment variables."""
    return lambda: [os.environ.get(name) for name in names]


def _cwd() -> Any:
    try:
        return os.getcwd()  # noqa: PTH109 - a text is wanted
    except OSError:
        return None


def _time_zone() -> Any:
    return time.tzname, time.timezone, time.altzone


def logger_state(logger: logging.Logger) -> Any:
    """Return the settings of a logger and of those above it."""
    found: list[Any] = []
    at: Any = logger
    while at is not None:
        handlers = [(type(handler).__qualname__, handler.level) for handler in at.handlers]
        found.append((at.name, at.level, at.disabled, at.propagate, handlers, len(at.filters)))
        at = at.parent
    return logger.manager.disable, found


def loggers_called(names: Iterable[str]) -> list[logging.Logger]:
    """Return the loggers that have one of these names; the one without a name is among them."""
    known = logging.root.manager.loggerDict
    return [logging.root, *(log for name in names if isinstance(log := known.get(name), logging.Logger))]


LOGGER_NAMES = frozenset(
    ["getEffectiveLevel", "isEnabledFor", "hasHandlers", "handlers", "level", "disabled", "propagate", "filters"]
)
"""Attributes of loggers that return their settings; `log.info(…)` doesn't."""


def _warnings() -> Any:
    return [
        (action, str(message), str(kind), str(module), line) for action, message, kind, module, line in warnings.filters
    ]


def _attribute(module: str, *path: str) -> Any:
    """Return an attribute of an installed module, None if the module isn't loaded."""
    found: Any = sys.modules.get(module)
    for name in path:
        scope = scope_of(found) if is_module(found) else {}
        found = scope.get(name)
    return found


def _numpy() -> Any:
    errors, printing = _attribute("numpy", "geterr"), _attribute("numpy", "get_printoptions")
    return (errors(), printing()) if errors is not None and printing is not None else None


def _numpy_state() -> Any:
    state = _attribute("numpy", "random", "get_state")
    return None if state is None else [part.tobytes() if hasattr(part, "tobytes") else part for part in state()]


def _torch_state() -> Any:
    return None if (state := _attribute("torch", "initial_seed")) is None else state()


def _mime_types() -> Any:
    types = _attribute("mimetypes", "_db")
    return None if types is None else (types.types_map, types.encodings_map, types.suffix_map)


_STRFTIME = frozenset(["strftime", "strptime"])
_SETTINGS = (
    Setting(
        "working directory",
        _cwd,
        frozenset(["getcwd", "getcwdb", "cwd", "abspath", "realpath", "absolute", "resolve", "relpath", "samefile"]),
    ),
    Setting(
        "time zone",
        _time_zone,
        _STRFTIME
        | {"localtime", "mktime", "ctime", "tzname", "timezone", "altzone", "fromtimestamp"}
        | {"now", "today", "astimezone", "timestamp"},
    ),
    Setting("variable HOME", variable_reader("HOME"), frozenset(["home", "expanduser"])),
    Setting("variables PATH and PATHEXT", variable_reader("PATH", "PATHEXT"), frozenset(["which"])),
    Setting("temporary directory", tempfile.gettempdir, frozenset(["gettempdir", "gettempdirb", "tempdir"])),
    Setting("variables of programs", variables, PROGRAM_NAMES, PROGRAMS),
    Setting("recursion limit", sys.getrecursionlimit, frozenset(["getrecursionlimit"])),
    Setting("switch interval", sys.getswitchinterval, frozenset(["getswitchinterval"])),
    Setting("digits of an integer", sys.get_int_max_str_digits, frozenset(["get_int_max_str_digits"])),
    Setting("timeout of sockets", socket.getdefaulttimeout, frozenset(["getdefaulttimeout"])),
    Setting("stack size of threads", threading.stack_size, frozenset(["stack_size"])),
    Setting("context of decimal", decimal.getcontext, modules=frozenset(["decimal", "_decimal"])),
    Setting("locale", lambda: locale.setlocale(locale.LC_ALL), _STRFTIME, frozenset(["locale"])),
    Setting("filters of warnings", _warnings, modules=frozenset(["warnings"])),
    Setting("types of mimetypes", _mime_types, modules=frozenset(["mimetypes"])),
    Setting("errors and print options of numpy", _numpy, modules=frozenset(["numpy", "pandas", "scipy", "sklearn"])),
    Setting(
        "options of pandas",
        lambda: _attribute("pandas._config.config", "_global_config"),
        modules=frozenset(["pandas"]),
    ),
    Setting(
        "rcParams of matplotlib",
        lambda: _attribute("matplotlib", "rcParams"),
        modules=frozenset(["matplotlib", "seaborn"]),
    ),
    Setting("state of random", random.getstate, modules=frozenset(["random"]), unless=frozenset(["seed"])),
    Setting("state of numpy.random", _numpy_state, modules=frozenset(["numpy.random"]), unless=frozenset(["seed"])),
    Setting("seed of torch", _torch_state, modules=frozenset(["torch"]), unless=frozenset(["manual_seed"])),
)


def setting_bytes(value: Any) -> bytes:
    """Return the value of a setting as bytes."""
    try:
        return marshal.dumps(value, 2)
    except ValueError:
        return repr(value).encode("utf-8", "surrogateescape")
