"""Settings that installed modules hold and that their functions read: limits, registries, defaults, variables.

They count for code that uses the module. Settings of the interpreter and of the most used libraries are in
`process_settings`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from flytenb.reach.installed_names import scope_of
from flytenb.reach.name_lookup import is_module, is_own


class ModuleSetting(NamedTuple):
    """What some modules read.

    Attributes:
        name: its name in `code_of`.
        read: returns what it is now, as something with a `repr` of its own content.
        modules: the installed modules whose functions read it.
        names: the functions that read it, if those of other modules do.
    """

    name: str
    read: Callable[[], Any]
    modules: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def attribute(dotted: str) -> Any:
    """Return an attribute of a loaded module by its dotted name, None if there is none; nothing is loaded."""
    module, _, rest = dotted.partition(":")
    found: Any = sys.modules.get(module)
    for name in rest.split("."):
        scope = scope_of(found) if is_module(found) else None
        found = scope.get(name) if scope is not None else getattr(found, name, None)
    return found


def called(*dotted: str) -> Callable[[], Any]:
    """Return a function that calls functions of loaded modules without arguments."""

    def read() -> Any:
        found = [attribute(name) for name in dotted]
        return [function() for function in found if function is not None]

    return read


def held(*dotted: str) -> Callable[[], Any]:
    """Return a function that reads attributes of loaded modules."""
    return lambda: [attribute(name) for name in dotted]


def variables_named(*names: str, like: tuple[str, ...] = ()) -> Callable[[], Any]:
    """Return a function that reads these environment variables, and those whose names have one of these ends."""
    return lambda: sorted(
        (name, value)
        for name, value in os.environ.items()
        if name in names or (like and (name.startswith(like) or name.lower().endswith(like)))
    )


def _names_of(*dotted: str) -> Callable[[], Any]:
    """Return a function that reads the qualified names of what attributes hold."""

    def read() -> Any:
        found = [attribute(name) for name in dotted]
        return [(getattr(each, "__module__", ""), getattr(each, "__qualname__", "")) for each in found]

    return read


def _dialects() -> Any:
    csv: Any = sys.modules["csv"]
    shown = ("delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting", "skipinitialspace")
    dialects = {name: csv.get_dialect(name) for name in csv.list_dialects()}
    made = [(name, [getattr(each, key) for key in (*shown, "strict")]) for name, each in sorted(dialects.items())]
    return csv.field_size_limit(), made


def _limits() -> Any:
    resource: Any = sys.modules["resource"]
    return [(name, resource.getrlimit(getattr(resource, name))) for name in dir(resource) if name[:7] == "RLIMIT_"]


def _start_method() -> Any:
    """The method, without choosing one: it can be set only once."""
    multiprocessing: Any = sys.modules["multiprocessing"]
    return multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]


def _handlers() -> dict[int, Any]:
    """The signal handlers; that of the interrupt is replaced while a run is waited for."""
    return {number: signal.getsignal(number) for number in signal.valid_signals() if number != signal.SIGINT}


def _memory_files() -> Any:
    store = attribute("fsspec.implementations.memory:MemoryFileSystem.store") or {}
    return sorted((name, file.getvalue()) for name, file in [*store.items()])


def _backend_of_arrow() -> Any:
    pool = called("pyarrow.lib:default_memory_pool")()
    return [each.backend_name for each in pool]


def _callback_of_numpy() -> Any:
    return [getattr(each, "__qualname__", repr(type(each))) for each in called("numpy:geterrcall")()]


_SECRETS = ("_FSEC_", "FLYTE_SECRETS_")


def _secrets() -> Any:
    prefix = os.environ.get("FLYTE_SECRETS_ENV_PREFIX")
    return variables_named(like=(*_SECRETS, *([prefix] if prefix else [])))()


def _set(*names: str) -> frozenset[str]:
    return frozenset(names)


SETTINGS = (
    ModuleSetting("garbage collection", called("gc:isenabled", "gc:get_threshold", "gc:get_debug"), _set("gc")),
    ModuleSetting("first day of the week", called("calendar:firstweekday"), _set("calendar")),
    ModuleSetting("limit and dialects of csv", _dialects, _set("csv", "_csv")),
    ModuleSetting("limits of the process", _limits, _set("resource")),
    ModuleSetting(
        "actions of signals",
        lambda: [(number, int(held)) for number, held in _handlers().items() if isinstance(held, signal.Handlers)],
        _set("signal", "_signal"),
    ),
    ModuleSetting(
        "start method of processes",
        _start_method,
        _set("multiprocessing"),
    ),
    ModuleSetting("tracing of memory", called("tracemalloc:is_tracing"), _set("tracemalloc", "_tracemalloc")),
    ModuleSetting("fault handler", called("faulthandler:is_enabled"), _set("faulthandler")),
    ModuleSetting("levels of logging", held("logging:_levelToName", "logging:raiseExceptions"), _set("logging")),
    ModuleSetting(
        "classes of logging", _names_of("logging:_loggerClass", "logging:_logRecordFactory"), _set("logging")
    ),
    ModuleSetting("display of warnings", _names_of("warnings:showwarning", "warnings:formatwarning"), _set("warnings")),
    ModuleSetting(
        "default contexts of decimal",
        held("decimal:DefaultContext", "decimal:BasicContext", "decimal:ExtendedContext"),
        _set("decimal", "_decimal"),
    ),
    ModuleSetting("paths of time zones", held("zoneinfo._tzpath:TZPATH"), _set("zoneinfo")),
    ModuleSetting(
        "charsets of email",
        held("email.charset:CHARSETS", "email.charset:ALIASES", "email.charset:CODEC_MAP"),
        _set("email"),
    ),
    ModuleSetting("namespaces of XML", held("xml.etree.ElementTree:_namespace_map"), _set("xml.etree")),
    ModuleSetting("domain of gettext", held("gettext:_current_domain", "gettext:_localedirs"), _set("gettext")),
    ModuleSetting(
        "variables of the language",
        variables_named("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANG"),
        _set("gettext"),
        _set("getdefaultlocale"),
    ),
    ModuleSetting(
        "variables of the user",
        variables_named("LOGNAME", "USER", "LNAME", "USERNAME"),
        _set("getpass"),
        _set("getuser", "getlogin"),
    ),
    ModuleSetting(
        "variables of the terminal",
        variables_named("COLUMNS", "LINES"),
        _set("argparse", "curses"),
        _set("get_terminal_size"),
    ),
    ModuleSetting(
        "variables of proxies",
        variables_named(like=("_proxy",)),
        _set("urllib.request", "requests", "httpx", "aiohttp"),
        _set("getproxies"),
    ),
    ModuleSetting("variable PATH", variables_named("PATH"), names=_set("get_exec_path")),
    ModuleSetting("variables of certificates", variables_named("SSL_CERT_FILE", "SSL_CERT_DIR"), _set("ssl")),
    ModuleSetting("variable BROWSER", variables_named("BROWSER"), _set("webbrowser")),
    ModuleSetting(
        "variables of directories", variables_named("HOME", like=("XDG_",)), _set("platformdirs", "appdirs", "netrc")
    ),
    ModuleSetting("variables of secrets", _secrets, names=_set("secrets")),
    ModuleSetting(
        "priority of the process", lambda: os.getpriority(os.PRIO_PROCESS, 0), names=_set("nice", "getpriority")
    ),
    ModuleSetting(
        "processors of the process", lambda: sorted(os.sched_getaffinity(0)), names=_set("sched_getaffinity")
    ),
    ModuleSetting("buffers of numpy", called("numpy:getbufsize"), _set("numpy")),
    ModuleSetting(
        "callback of numpy's errors",
        _callback_of_numpy,
        _set("numpy"),
    ),
    ModuleSetting("threads of Arrow", called("pyarrow.lib:cpu_count", "pyarrow.lib:io_thread_count"), _set("pyarrow")),
    ModuleSetting("memory of Arrow", _backend_of_arrow, _set("pyarrow")),
    ModuleSetting("settings of scikit-learn", called("sklearn:get_config"), _set("sklearn")),
    ModuleSetting("settings of xarray", called("xarray:get_options"), _set("xarray")),
    ModuleSetting("settings of polars", called("polars:Config.save"), _set("polars")),
    ModuleSetting("number type of torch", called("torch:get_default_dtype"), _set("torch")),
    ModuleSetting("files in memory", _memory_files, _set("fsspec")),
)


_OBJECTS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("adapters of sqlite3", "sqlite3:adapters", _set("sqlite3", "_sqlite3")),
    ("converters of sqlite3", "sqlite3:converters", _set("sqlite3", "_sqlite3")),
    ("opener of URLs", "urllib.request:_opener", _set("urllib.request")),
    ("callbacks of garbage collection", "gc:callbacks", _set("gc")),
    ("showwarning", "warnings:showwarning", _set("warnings")),
    ("formatwarning", "warnings:formatwarning", _set("warnings")),
    ("class of loggers", "logging:_loggerClass", _set("logging")),
    ("factory of log records", "logging:_logRecordFactory", _set("logging")),
)
"""Attributes in which own functions and objects may be registered: a name, the attribute, and who reads it."""


def module_settings(names: frozenset[str], modules: frozenset[str]) -> Iterator[ModuleSetting]:
    """Yield the settings that code reads which asks for these attributes, and uses these modules."""
    for setting in SETTINGS:
        if not modules.isdisjoint(setting.modules) or not names.isdisjoint(setting.names):
            yield setting._replace(read=partial(_quietly, setting.read))


def own_objects(modules: frozenset[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield where own functions and objects may be registered with these modules, each as what reads it."""
    for name, dotted, homes in _OBJECTS:
        if not modules.isdisjoint(homes):
            yield name, partial(_own_at, dotted)
    if not modules.isdisjoint({"signal", "_signal"}):
        yield "handlers of signals", lambda: {number: each for number, each in _handlers().items() if is_own(each)}


def _own_at(dotted: str) -> Any:
    found = attribute(dotted)
    if isinstance(found, dict):
        return {str(key): each for key, each in found.items() if is_own(each)}
    if isinstance(found, list):
        return {place: each for place, each in enumerate(found) if is_own(each)}
    if dotted == "urllib.request:_opener":
        return found  # an object of Python's, with handlers and headers that own code has given it
    return found if is_own(found) else None


def _quietly(read: Callable[[], Any]) -> Any:
    """Return a setting, or None if the library raises an exception when it is asked."""
    with suppress(Exception):
        return read()
    return None
