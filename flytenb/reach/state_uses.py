"""Process-wide state, files and objects that a task's code uses, to keep tasks of one process apart.

On a cluster each task has a process of its own. Here many share one: a task that seeds `random`, replaces `sys.stdout`
or changes `os.environ` does so for all. What a task uses is found in its own code and all own code that it reaches;
what an installed library does by itself is not seen, and can be declared with `uses`.
"""

from __future__ import annotations

import inspect
import queue
import sqlite3
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeVar

from flytenb.bridge.entities.kind import function_of
from flytenb.bridge.execution.files import may_hold_files
from flytenb.errors import UsageError
from flytenb.reach.abstract_values import (
    OWN,
    PLAIN,
    AbstractValue,
    Instance,
    LibraryResult,
    Shared,
    number_input,
    text_input,
)
from flytenb.reach.bytecode import uses_of
from flytenb.reach.file_names import FileName, files_of_script, working_directory
from flytenb.reach.ownership import is_own_class
from flytenb.reach.process_state import Assigned
from flytenb.reach.reached_names import Reach
from flytenb.reach.reached_objects import shared_object
from flytenb.reach.state_effects import StateEffects
from flytenb.reach.state_kinds import EVERYTHING, KINDS, MAIN_THREAD, PRIVATE

F = TypeVar("F", bound=Callable[..., Any])

_LOCKS = (
    type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Semaphore, threading.Barrier,
    threading.Event, queue.Queue, queue.SimpleQueue,
)  # fmt: skip

_HOOKS = ("pre_execute", "execute", "post_execute")
"""The methods of a task that its call runs, in this order."""


@dataclass(frozen=True, slots=True)
class StateUse:
    """The process-wide state that one task uses: kinds by name, files, objects and variables that tasks share.

    Attributes:
        reads: what must not change while it runs.
        writes: what it changes.
        environment: the variables that it declares to be set for it.
        assigned: the attributes of installed modules, classes and objects that it assigns, by owner and name.
        of_threads: the `threading.local`s that it reaches, which are restored after it.
        is_peaceful: whether it conflicts with no other use that is.
        saved: the kinds of state that are restored after the task.
        inputs: the inputs of the task that the names of its files are made of.
    """

    reads: frozenset[Any] = frozenset()
    writes: frozenset[Any] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    assigned: frozenset[Assigned] = frozenset()
    of_threads: tuple[threading.local, ...] = field(default=(), compare=False, repr=False)
    is_peaceful: bool = field(init=False, repr=False, compare=False)
    saved: frozenset[Any] = field(init=False, repr=False, compare=False)
    inputs: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Each node asks for these, and a use is made once for all nodes of a task.
        files = [name for name in self.reads | self.writes if isinstance(name, FileName)]
        object.__setattr__(self, "is_peaceful", not self.writes and not self.environment)
        saved = (name for name in self.writes | self.reads & PRIVATE if type(name) is str and name in KINDS)
        object.__setattr__(self, "saved", frozenset(saved))
        object.__setattr__(self, "inputs", frozenset(name for file in files for name in file.inputs()))

    def __bool__(self) -> bool:
        """Whether any state is used."""
        return bool(self.reads or self.writes or self.environment or self.of_threads)

    def with_inputs(self, inputs: Mapping[str, str | int]) -> StateUse:
        """Return the use of a task that is given these inputs."""
        reads, writes = (
            frozenset(filter(None, (n.with_inputs(inputs) if isinstance(n, FileName) else n for n in names)))
            for names in (self.reads, self.writes)
        )
        return replace(self, reads=reads - writes, writes=writes)

    def on_disk(self) -> StateUse:
        """Return the part that separate processes share: files."""
        reads, writes = (frozenset(n for n in names if isinstance(n, FileName)) for names in (self.reads, self.writes))
        return StateUse(reads, writes)

    def conflict_with(self, other: StateUse) -> str | None:
        """Return the state that prevents both from running at the same time, or None."""
        if self.is_peaceful and other.is_peaceful:
            return None
        for one, another in ((self, other), (other, self)):
            if EVERYTHING in one.writes:
                return KINDS[EVERYTHING].label
            if not one.writes:
                continue
            used = another.reads | another.writes
            both = one.writes & used
            if both:
                return min(map(label_of, both))
            files = [name for name in used if isinstance(name, FileName)]
            for name in one.writes if files else ():
                if isinstance(name, FileName) and any(name.meets(file) for file in files):
                    return str(name)
        if "environ" in self.reads and "environ" in other.reads and self.environment != other.environment:
            return label_of("environ")
        return None


NOTHING = StateUse()


def label_of(state: Any) -> str:
    """Return the name of a state in messages."""
    kind = KINDS.get(state) if isinstance(state, str) else None
    return str(state) if kind is None else kind.label


def uses(*names: str) -> Callable[[F], F]:
    """Declare, under `@task`, process-wide state that a function uses and that its code doesn't show.

    Tasks that use the same state never run at the same time in one process. A name is one of flytenb's (`random`,
    `environ`, `stdout`, `pyplot`, …; `main thread`: the task runs there; `everything`: the task runs alone) or your
    own, for example the name of a device.

    Raises:
        UsageError: for a name that isn't a text.
    """
    for name in names:
        if not isinstance(name, str) or not name:
            raise UsageError(f"a name of state must be a text, got {name!r}", hint="@flytenb.uses('random')")

    def declare(function: F) -> F:
        function.__flytenb_uses__ = (*getattr(function, "__flytenb_uses__", ()), *names)  # type: ignore[attr-defined]
        return function

    return declare


class _Known(NamedTuple):
    use: StateUse
    calls_libraries: bool
    names: tuple[tuple[dict[str, Any], str, int], ...] = ()
    cwd: str = ""

    def holds(self) -> bool:
        return all(id(scope.get(name)) == found for scope, name, found in self.names)


_known: weakref.WeakKeyDictionary[Any, _Known] = weakref.WeakKeyDictionary()


def state_use_of(task: Any, *, has_own_cwd: bool, calls_run: bool = True) -> tuple[StateUse, bool]:
    """Return the process-wide state that a task uses, and whether it may change the working directory.

    Both are kept until a name that its code reaches is rebound.

    Args:
        task: the task.
        has_own_cwd: whether each worker thread has a working directory of its own.
        calls_run: whether the tasks that it calls run in it; those of a dynamic are nodes of their own.
    """
    function, hooks = function_of(task), _hooks_of(task)
    environment = dict(getattr(task, "environment", None) or {})
    if function is None and not hooks:
        files = _files_of_shell(task)
        use = StateUse(frozenset({"environ"}) if environment else frozenset(), files, environment)
        return use if use else NOTHING, True
    known = _of_functions(function, hooks, task, calls_run)
    use = known.use
    writes = use.writes - {"cwd"} if has_own_cwd else use.writes
    if any(map(_is_filled_here, use.of_threads)):
        writes |= {MAIN_THREAD}
    if environment:
        use = replace(use, reads=use.reads | {"environ"}, environment=environment)
    if writes != use.writes:
        use = replace(use, writes=writes)
    return use, known.calls_libraries


def _hooks_of(task: Any) -> tuple[FunctionType, ...]:
    """The methods of a task's class that run around its function or instead of one, without those of flytekit."""
    found = (getattr(type(task), name, None) for name in _HOOKS)
    return tuple(
        hook for hook in found if type(hook) is FunctionType and not str(hook.__module__).startswith("flytekit.")
    )


def _own_class_of(task: Any) -> tuple[type, ...]:
    """The class of a task if it is the user's: its hooks may call its other methods."""
    return (type(task),) if is_own_class(type(task)) else ()


def _files_of_shell(task: Any) -> frozenset[FileName]:
    """The files that the script of a shell task may change."""
    script = getattr(task, "script", None)
    return files_of_script(script).written if isinstance(script, str) else frozenset()


def _of_functions(
    function: Callable[..., Any] | None, hooks: tuple[FunctionType, ...], task: Any, calls_run: bool
) -> _Known:
    key = function if isinstance(function, FunctionType) and not hooks else task  # a class decorator may have no hash
    known = _known.get(key)
    cwd = working_directory()
    if known is None or known.cwd != cwd or not known.holds():
        try:
            reach = Reach((function, *hooks, *_own_class_of(task)) if hooks else function, calls_run=calls_run)
        except Exception:  # an object of the user's that can't even be looked at
            return _Known(NOTHING, True)
        is_calling = any(not name.startswith("builtins.") for name in reach.names)
        use = _read(function, reach, _parameters(task), calls_run)
        known = _known[key] = _Known(use, is_calling, reach.watched_names(), cwd)
    return known


def _parameters(task: Any) -> dict[str, AbstractValue]:
    """Return what is known of a task's inputs: files are copies of its own; numbers and tables aren't file names."""
    types = getattr(getattr(task, "python_interface", None), "inputs", None) or {}
    known: dict[str, AbstractValue] = {}
    for name, declared in types.items():
        if may_hold_files(declared):
            known[name] = OWN
        elif declared is str:
            known[name] = text_input(name)
        elif declared in (int, bool):
            known[name] = number_input(name)
        elif declared is float:
            known[name] = PLAIN
        elif isinstance(declared, type) and declared.__module__.partition(".")[0] in ("pandas", "polars", "numpy"):
            known[name] = frozenset([LibraryResult(f"{declared.__module__}.{declared.__qualname__}")])
    return known


def _read(
    function: Callable[..., Any] | None, reach: Reach, parameters: Mapping[str, AbstractValue], calls_run: bool
) -> StateUse:
    effects = StateEffects(calls_run=calls_run)
    reads, writes = effects.reads, effects.writes
    try:
        if function is not None:
            effects.add(function if isinstance(function, FunctionType) else inspect.unwrap(function), parameters)
        _add_unseen(effects, reach)
    except Exception:  # an object of the user's that can't even be looked at
        writes.add(EVERYTHING)
    effects.finish()
    attributes = {name for own in reach.functions for name in uses_of(own.__code__).attributes}
    for name, kind in KINDS.items():
        used = reach.names - kind.harmless
        if _is_any_among(used, kind.writes) or not kind.methods.isdisjoint(attributes):
            writes.add(name)
        elif _is_any_among(used, kind.reads):
            reads.add(name)
    if any(_is_of_a_library(name) for name in reach.names):
        reads |= {"stdout", "warnings"}  # any library may print, and warn
    if any(_is_of_one_thread(value, writes) for value in reach.values):
        writes.add(MAIN_THREAD)
    writes -= {shared_object(value, "") for value in reach.values if isinstance(value, threading.local)}
    for own in (function, *reach.functions):
        writes |= set(getattr(own, "__flytenb_uses__", ()))
    if any(isinstance(value, _LOCKS) for value in reach.values):  # code that locks is made for several threads
        reads, writes = ({n for n in names if not isinstance(n, Shared)} for names in (reads, writes))
    of_threads = tuple(value for value in reach.values if isinstance(value, threading.local))
    return StateUse(frozenset(reads - writes), frozenset(writes), {}, frozenset(effects.assigned), of_threads)


def _is_filled_here(local: threading.local) -> bool:
    """Tell whether a cell has set an attribute that a task finds in the main thread only."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and type(local).__init__ is threading.local.__init__ and bool(vars(local))


def _is_of_one_thread(value: Any, writes: AbstractSet[Any]) -> bool:
    """Tell whether a value works in the thread of the cell only; a `threading.local` does unless the code fills it."""
    if isinstance(value, threading.local):
        return shared_object(value, "") not in writes
    return isinstance(value, sqlite3.Connection | sqlite3.Cursor)


def _add_unseen(effects: StateEffects, reach: Reach) -> None:
    """Add the functions whose calls aren't seen: by a library, a decorator, an operator, on an object of unknown class.

    A method counts if code that runs asks anything for an attribute of its name, or if flytekit calls it, as it does
    `execute` of a class decorator.
    """
    todo = list(_with_classes(reach))
    while True:
        asked = {*_HOOKS, *(name for code in effects.codes for name in uses_of(code).attributes)}
        found = [
            (own, first)
            for own, first in todo
            if not first or own.__name__ in asked or (own.__name__.startswith("__") and own.__name__.endswith("__"))
        ]
        if not found:
            return
        todo = [each for each in todo if each not in found]
        for own, first in found:
            if own.__code__ not in effects.codes:
                effects.add(own, first)


def _with_classes(reach: Reach) -> Iterator[tuple[FunctionType, dict[str, AbstractValue]]]:
    """The functions that are reached, each with what is known of its first parameter: of a method, its object."""
    owners: dict[CodeType, type] = {}
    for value in reach.values:
        if isinstance(value, type) and is_own_class(value):
            methods = [m for m in vars(value).values() if isinstance(m, FunctionType)]
            owners |= {method.__code__: value for method in methods}
    for own in reach.functions:
        code = own.__code__
        cls = owners.get(code)
        is_method = cls is not None and code.co_argcount > 0
        yield own, {code.co_varnames[0]: frozenset([Instance(cls)])} if is_method and cls is not None else {}


def _is_of_a_library(name: str) -> bool:
    top = name.partition(".")[0]
    return top not in sys.stdlib_module_names and top not in ("builtins", "flytekit", "flytenb")


def _is_any_among(used: AbstractSet[str], names: tuple[str, ...]) -> bool:
    exact, prefixes = _split(names)
    return not exact.isdisjoint(used) or any(each.startswith(prefixes) for each in used)


@cache
def _split(names: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    return frozenset(names), tuple(name for name in names if name.endswith("."))
