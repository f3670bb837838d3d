"""Which process-wide state a task's code uses, so that two tasks of one process don't meet in it.

On a cluster each task has a process of its own. Here many share one: a task that seeds `random`, replaces `sys.stdout`
or changes `os.environ` does so for all. What a task uses is found in its own code and all own code that it reaches;
what an installed library does by itself is not seen, and can be declared with `uses`.
"""

from __future__ import annotations

import dis
import os
import sqlite3
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import CodeType, FunctionType, ModuleType
from typing import Any, TypeVar

from flytenb.bridge.entities.kind import function_of
from flytenb.errors import UsageError
from flytenb.reach.bytecode import uses_of
from flytenb.reach.code_walk import Reach, reach_of
from flytenb.reach.file_names import file_names
from flytenb.reach.ownership import is_own_module

F = TypeVar("F", bound=Callable[..., Any])

EVERYTHING = "everything"
MAIN_THREAD = "main thread"
EVENT_LOOP = "event loop"
DECIMALS = "decimal context"
PRIVATE = frozenset([EVENT_LOOP, DECIMALS])
"""What each task is given of its own, so that using it keeps no other waiting."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of process-wide state.

    Attributes:
        reads: the names whose users see it; one that ends in `.` means all that begins so.
        writes: the names whose users change it.
        harmless: names that `reads` or `writes` would take by their beginning, and that use none of it.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    harmless: frozenset[str] = frozenset()


KINDS: Mapping[str, Kind] = {
    "random": Kind(
        ("random.",),
        ("random.seed", "random.setstate"),
        frozenset(["random.Random", "random.SystemRandom"]),
    ),
    "numpy.random": Kind(
        ("numpy.random.",),
        ("numpy.random.seed", "numpy.random.set_state"),
        frozenset(
            f"numpy.random.{name}"
            for name in ("default_rng", "Generator", "RandomState", "SeedSequence", "PCG64", "MT19937", "BitGenerator")
        ),
    ),
    "torch seed": Kind(
        ("torch.rand", "torch.randn", "torch.randint", "torch.randperm", "torch.bernoulli", "torch.normal"),
        ("torch.manual_seed", "torch.seed", "torch.set_rng_state"),
    ),
    "cwd": Kind((), ("os.chdir", "os.fchdir", "contextlib.chdir")),
    "environ": Kind(
        (
            *("os.environ", "os.getenv", "os.environb", "os.path.expandvars", "subprocess.", "os.system", "os.popen"),
            *(f"time.{name}" for name in ("localtime", "mktime", "ctime", "strftime", "tzname")),
        ),
        (
            "os.putenv",
            "os.unsetenv",
            "dotenv.load_dotenv",
            *("pytest.MonkeyPatch", "_pytest.monkeypatch.MonkeyPatch"),
            "time.tzset",
            *(f"os.environ.{name}" for name in ("update", "setdefault", "pop", "popitem", "clear")),
        ),
    ),
    "stdout": Kind(
        ("builtins.print", "sys.stdout", "sys.stderr"),
        ("contextlib.redirect_stdout", "contextlib.redirect_stderr"),
    ),
    "pyplot": Kind((), ("matplotlib.pyplot.", "matplotlib.pyplot", "pylab.", "seaborn.", "matplotlib.rcParams")),
    "warnings": Kind(
        ("warnings.warn",),
        tuple(f"warnings.{n}" for n in ("filterwarnings", "simplefilter", "resetwarnings", "catch_warnings")),
    ),
    "locale": Kind(("locale.",), ("locale.setlocale",)),
    "umask": Kind((), ("os.umask",)),
    "import path": Kind((), tuple(f"sys.path.{n}" for n in ("append", "insert", "extend", "remove", "pop", "clear"))),
    "numpy settings": Kind((), ("numpy.seterr", "numpy.seterrcall", "numpy.errstate", "numpy.set_printoptions")),
    "pandas options": Kind((), ("pandas.set_option", "pandas.reset_option", "pandas.option_context", "pandas.options")),
    "argv": Kind(("sys.argv", "argparse.ArgumentParser"), ()),
    "logging": Kind((), ("logging.basicConfig", "logging.disable", "logging.config.")),
    "socket timeout": Kind((), ("socket.setdefaulttimeout",)),
    "interpreter": Kind(
        (),
        (
            *(f"sys.{n}" for n in ("setrecursionlimit", "settrace", "setprofile", "setswitchinterval")),
            *(f"gc.{n}" for n in ("disable", "enable", "set_threshold", "freeze")),
            "multiprocessing.set_start_method",
        ),
    ),
    DECIMALS: Kind(("decimal.",), ()),
    MAIN_THREAD: Kind(
        (), (*(f"signal.{n}" for n in ("signal", "siginterrupt", "set_wakeup_fd")), "tkinter.", "turtle.")
    ),
    EVENT_LOOP: Kind(("asyncio.get_event_loop", "asyncio.ensure_future", "asyncio.Future"), ()),
    EVERYTHING: Kind(
        (),
        (
            *("unittest.mock.patch", "mock.patch", "importlib.reload"),
            *("pytest.MonkeyPatch", "_pytest.monkeypatch.MonkeyPatch"),
        ),
    ),
}
"""What is looked for, by the name that `uses` takes and that the inspector of a run shows."""

_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Semaphore, threading.Barrier)
_ASSIGNED = {
    "sys.stdout": "stdout",
    "sys.stderr": "stdout",
    "sys.stdin": "stdout",
    "sys.argv": "argv",
    "sys.path": "import path",
}
"""Attributes of modules that are state of a kind of their own."""


@dataclass(frozen=True, slots=True)
class StateUse:
    """The process-wide state that one task uses.

    Attributes:
        reads: what must not change while it runs.
        writes: what it changes.
        environment: the variables that it declares to be set for it.
        assigned: the attributes of installed modules that it assigns, by module and name.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    assigned: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        """Whether it uses any."""
        return bool(self.reads or self.writes or self.environment)

    def on_disk(self) -> StateUse:
        """Return what of it a process of its own shares with others: the files of the working directory."""
        reads, writes = (frozenset(n for n in names if n.startswith("file ")) for names in (self.reads, self.writes))
        return StateUse(reads, writes)

    def conflict_with(self, other: StateUse) -> str | None:
        """Return the state because of which both can't run at the same time, or None."""
        for one, another in ((self, other), (other, self)):
            if EVERYTHING in one.writes:
                return EVERYTHING
            both = one.writes & (another.reads | another.writes)
            if both:
                return min(both)
        if "environ" in self.reads and "environ" in other.reads and self.environment != other.environment:
            return "environ"
        return None


NOTHING = StateUse()


def uses(*names: str) -> Callable[[F], F]:
    """Declare, under `@task`, what process-wide state a function uses besides what its own code shows.

    Tasks that use the same never run at the same time in one process. A name is one of flytenb's (`random`, `environ`,
    `stdout`, `pyplot`, …; `main thread` for what must run there, `everything` for what must run alone) or any of the
    user's own, such as that of a device.

    Raises:
        UsageError: for anything but texts.
    """
    for name in names:
        if not isinstance(name, str) or not name:
            raise UsageError(f"a name of what is used must be a text, got {name!r}", hint="@flytenb.uses('random')")

    def declare(function: F) -> F:
        function.__flytenb_uses__ = (*getattr(function, "__flytenb_uses__", ()), *names)  # type: ignore[attr-defined]
        return function

    return declare


@dataclass(slots=True)
class _Known:
    use: StateUse
    names: list[tuple[dict[str, Any], str, int]]
    calls_libraries: bool

    def holds(self) -> bool:
        return all(id(scope.get(name)) == found for scope, name, found in self.names)


_known: weakref.WeakKeyDictionary[Any, _Known] = weakref.WeakKeyDictionary()


def state_use_of(task: Any, *, has_own_cwd: bool, calls_run: bool = True) -> tuple[StateUse, bool]:
    """Return what process-wide state a task uses, and whether it may change the working directory.

    Both are kept until a name that its code reaches is rebound.

    Args:
        task: the task.
        has_own_cwd: whether each worker thread has a working directory of its own.
        calls_run: whether the tasks that it calls run in it; those of a dynamic are nodes of their own.
    """
    function = function_of(task)
    environment = dict(getattr(task, "environment", None) or {})
    if not isinstance(function, FunctionType):
        return StateUse(frozenset({"environ"}), frozenset(), environment) if environment else NOTHING, True
    known = _of_function(function, calls_run)
    use = known.use
    writes = use.writes - {"cwd"} if has_own_cwd else use.writes
    if environment:
        use = replace(use, reads=use.reads | {"environ"}, environment=environment)
    if writes != use.writes:
        use = replace(use, writes=writes)
    return use, known.calls_libraries


def _of_function(function: FunctionType, calls_run: bool) -> _Known:
    known = _known.get(function)
    if known is None or not known.holds():
        try:
            reach = reach_of(function, calls_run=calls_run)
        except Exception:  # a module of the user's that can't be read any more
            return _Known(NOTHING, [], True)
        is_calling = any(not name.startswith("builtins.") for name in reach.names)
        known = _known[function] = _Known(_read(function, reach), list(_names_of(reach.functions)), is_calling)
    return known


def _names_of(functions: Iterable[FunctionType]) -> Iterator[tuple[dict[str, Any], str, int]]:
    for function in functions:
        scope = function.__globals__
        for code in _codes(function.__code__):
            yield from ((scope, name, id(scope[name])) for name in code.co_names if name in scope)


def _read(function: FunctionType, reach: Reach) -> StateUse:
    reads: set[str] = set()
    writes: set[str] = set(getattr(function, "__flytenb_uses__", ()))
    for name, kind in KINDS.items():
        for used in reach.names - kind.harmless:
            if _is_among(used, kind.writes):
                writes.add(name)
            elif _is_among(used, kind.reads):
                reads.add(name)
    if any(isinstance(value, sqlite3.Connection | sqlite3.Cursor) for value in reach.values):
        writes.add(MAIN_THREAD)
    assigned: set[tuple[str, str]] = set()
    for own in reach.functions:
        writes |= set(getattr(own, "__flytenb_uses__", ()))
        _read_own(own, reads, writes, assigned)
    if any(isinstance(value, _LOCKS) for value in reach.values):  # code that locks has thought of other threads
        reads, writes = ({n for n in names if not n.startswith("global ")} for names in (reads, writes))
    return StateUse(frozenset(reads - writes), frozenset(writes), assigned=frozenset(assigned))


def _is_among(used: str, names: Iterable[str]) -> bool:
    return any(used == name or (name.endswith(".") and used.startswith(name)) for name in names)


def _read_own(function: FunctionType, reads: set[str], writes: set[str], assigned: set[tuple[str, str]]) -> None:
    """Read what a function assigns: the environment, attributes of modules and of globals, globals, files by name."""
    scope = function.__globals__
    home = str(scope.get("__name__"))
    uses = uses_of(function.__code__).uses
    if "add_signal_handler" in uses_of(function.__code__).attributes:  # of an event loop, which has no name
        writes.add(MAIN_THREAD)
    read_items = {use.origin.name for use in uses if use.how in ("read", "call", "update")}
    for use in uses:
        held = scope.get(use.origin.name) if use.origin.kind == "global" else None
        if use.how in _CHANGES and ("environ" in (use.origin.name, *use.attributes) or held is os.environ):
            writes.add("environ")
        elif use.how in _CHANGES and use.attributes[-1:] == ("modules",) and held is sys:
            writes.add(EVERYTHING)
        elif use.how in _CHANGES and use.origin.kind == "global" and use.origin.name in read_items:
            # A table that is only written to, as a log is, is nothing that two tasks could mix up.
            writes.add(f"global {home}.{use.origin.name}")
    for code in _codes(function.__code__):
        for owner, name in _assigned(code, scope):
            if not isinstance(owner, ModuleType):
                writes.add(f"global {home}.{name}")
            elif (kind := _ASSIGNED.get(f"{owner.__name__}.{name}")) is not None:
                writes.add(kind)
            elif is_own_module(owner):
                writes.add(f"global {owner.__name__}.{name}")
            else:
                writes.add(EVERYTHING)
                assigned.add((owner.__name__, name))
        for name in code.co_names:
            if name in scope and not isinstance(scope[name], ModuleType | FunctionType):
                reads.add(f"global {home}.{name}")
        read, written = file_names(code, scope, _defaults(function) if code is function.__code__ else {})
        reads |= {f"file {name}" for name in read}
        writes |= {f"file {name}" for name in written}
    for use in uses:
        owner = scope.get(use.origin.name) if use.origin.kind == "global" else None
        if isinstance(owner, ModuleType) and use.attributes and is_own_module(owner):
            reads.add(f"global {owner.__name__}.{use.attributes[0]}")


_CHANGES = ("store", "delete", "update")


def _defaults(function: FunctionType) -> dict[str, Any]:
    """The defaults of a function's parameters, by name."""
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    return {**dict(zip(names[len(names) - len(values) :], values, strict=True)), **(function.__kwdefaults__ or {})}


def _assigned(code: CodeType, scope: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """Yield the modules whose attributes code assigns, each with the attribute; for a global, None and its name.

    An attribute of any other global counts as the global.
    """
    chain: list[str] = []
    is_setattr = False
    taken, before = "", ""
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            is_setattr = chain == ["setattr"] and "setattr" not in scope
            chain, taken = [name], name
        elif instruction.opname == "LOAD_CONST" and is_setattr and isinstance(name, str):
            owner = _module_of(chain, scope)
            if owner is not None:
                yield owner, name
            elif chain and chain[0] in scope:
                yield None, chain[0]
            chain, is_setattr = [], False
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and chain:
            chain.append(name)
        elif instruction.opname in ("STORE_ATTR", "DELETE_ATTR") and chain:
            owner = _module_of(chain, scope)
            if owner is not None:
                yield owner, name
            elif chain[0] in scope:
                yield None, chain[0]
            chain = []
        elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield None, name
            chain = []
        elif instruction.opname == "STORE_SLICE" or (instruction.opname == "STORE_SUBSCR" and before == "BUILD_SLICE"):
            if taken in scope:
                yield None, taken
        elif instruction.opname not in ("CACHE", "EXTENDED_ARG", "RESUME"):
            chain = []
        before = before if instruction.opname == "CACHE" else instruction.opname


def _module_of(chain: list[str], scope: Mapping[str, Any]) -> ModuleType | None:
    value = scope.get(chain[0])
    for name in chain[1:]:
        value = vars(value).get(name) if isinstance(value, ModuleType) else None
    return value if isinstance(value, ModuleType) else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
