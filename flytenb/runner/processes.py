"""Plain Python tasks in processes: several can compute at once, and each can be ended.

Values that can't be sent to a process are named before they are sent.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import io
import multiprocessing
import os
import pickle
import re
import signal
import sys
import threading
import time
import traceback
from collections import ChainMap
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import cloudpickle
from loky.process_executor import TerminatedWorkerError

from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import CrossingValue
from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.calls import Call, body_of, is_async, is_plain, plain_decks
from flytenb.bridge.execution.files import keep_files, may_hold_copies, own_files
from flytenb.bridge.execution.packing import build_packing
from flytenb.bridge.patches import during_runs
from flytenb.bridge.private import expect_pickled_tasks
from flytenb.bridge.stopping import Attempt, check_stopped, current_attempt, set_attempt
from flytenb.errors import TravelError, WorkerLostError, headline
from flytenb.reach.code_parts import ImportedParts
from flytenb.reach.file_reads import ChangedFileError, FileReads, current_reads
from flytenb.reach.process_state import save_state
from flytenb.reach.state_kinds import KINDS
from flytenb.reach.working_directory import Place, current_place, move_to
from flytenb.runner import own_modules
from flytenb.runner.capture import write_captured
from flytenb.runner.journal import LOG_LIMIT
from flytenb.runner.resources import resources
from flytenb.runner.tracked_runs import MLFLOW, mlflow_links
from flytenb.wording.text import class_name

_LOOK_EVERY = 0.05
_START_METHOD = multiprocessing.get_start_method()
_PARENT_EVERY = 1.0
"""Seconds between two checks whether the parent process still exists."""


def can_travel(task: Any) -> bool:
    """Tell whether a task is a plain Python function that may run in a process."""
    cls = type(task)
    return is_plain(task) and not is_async(task) and not task.enable_deck and cls.__name__ == "PythonFunctionTask"


@dataclass(frozen=True)
class _Start:
    """The initial state of a task in a process: that of the kernel, whatever ran in the process before.

    Attributes:
        root: the run's directory.
        place: the working directory and the umask.
        environ: the environment.
        path: where modules are searched for.
        modules: the user's own modules, each with the number of times that it was loaded.
        checkpoints: the checkpoint directories of earlier attempts.
        gives_files: whether its outputs may hold files.
        is_watched: whether the files that the task reads are recorded.
    """

    root: Path
    place: Place
    environ: dict[str, str]
    path: list[str]
    modules: dict[str, int]
    checkpoints: list[str]
    gives_files: bool
    is_watched: bool = False

    def take(self) -> None:
        """Install it, in the process."""
        move_to(self.place)
        if os.environ != self.environ:
            os.environ.clear()
            os.environ.update(self.environ)
        if sys.path != self.path:
            sys.path[:] = self.path


def process_call(task: Any, *, strict: bool) -> Call:
    """Prepare the call of a task that runs in a process."""
    body = body_of(task)
    pack = build_packing(task, strict=strict)
    own = own_files(task.python_interface.inputs)
    gives_files = any(may_hold_copies(declared) for declared in task.python_interface.outputs.values())
    name = short_name(task)
    environment = dict(getattr(task, "environment", None) or {})

    def call(workspace: Workspace, inputs: dict[str, Any]) -> dict[str, CrossingValue]:
        workspace.enter()
        if own is not None:
            own(workspace, inputs)
        attempt = current_attempt()
        reads = current_reads()
        start = _Start(
            workspace.root,
            current_place(),
            {**os.environ, **environment},
            [*sys.path],
            own_modules.loads(),
            attempt.checkpoints or [],
            gives_files,
            is_watched=bool(reads),
        )
        sent = _pack_up(name, body, inputs, start)
        with resources.processes.lease(_prepare_process) as executor:
            future = executor.submit(_work, sent)
            answer = None
            while answer is None:
                check_stopped()
                with contextlib.suppress(NotYet):
                    try:
                        answer = future.result(timeout=_LOOK_EVERY)
                    except TerminatedWorkerError as e:
                        raise WorkerLostError(
                            f"the process that ran {name!r} died before it answered{_exit_of(e)}",
                            hint="it may have run out of memory, called os._exit or crashed in native code",
                        ) from e
        box = [_unpack(answer, body, attempt, reads)]
        workspace.enter_to_pack()
        return pack(box)

    return call


def _exit_of(error: TerminatedWorkerError) -> str:
    """Return ` (exit code 3)` or ` (SIGKILL)`, from loky's message."""
    found = re.search(r"exit codes of the workers are \{(\w+)\((-?\d+)\)\}", str(error))
    if found is None:
        return ""
    return f" (exit code {found[2]})" if found[1] == "EXIT" else f" ({found[1]})"


def _prepare_process() -> None:
    """Prepare a new process: let flytekit accept tasks of modules that aren't imported in it, and ignore interrupts."""
    expect_pickled_tasks()
    _ignore_interrupts()
    multiprocessing.set_start_method(_START_METHOD, force=True)  # loky installs its own, which tasks don't expect
    threading.Thread(target=_end_with, args=(os.getppid(),), name="flytenb-parent", daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process after its parent has been killed."""
    while os.getppid() == parent:
        time.sleep(_PARENT_EVERY)
    os._exit(1)


def _ignore_interrupts() -> None:
    """Ignore interrupts: those of the kernel reach its processes too, and the run decides whether a task ends.

    Done by a handler, since a process that the task starts would inherit an ignored signal.
    """
    signal.signal(signal.SIGINT, lambda *_: None)


def _remake(make: Callable[..., CodeType], parts: tuple[Any, ...], filename: str) -> CodeType:
    return make(*parts).replace(co_filename=filename)


def _named_code(code: CodeType) -> tuple[Callable[..., CodeType], tuple[Any, ...]]:
    make, parts = cloudpickle.Pickler.dispatch_table[CodeType](code)
    return _remake, (make, parts, code.co_filename)


def _cached(function: Any) -> str | tuple[Any, ...]:
    """Send a function with a cache by its name where that leads to it, else without what the cache holds."""
    found: Any = None if function.__module__ == "__main__" else sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    if found is function:
        return str(function.__qualname__)
    return _cache_again, (function.__wrapped__, function.cache_parameters()), vars(function)


def _cache_again(function: Callable[..., Any], parameters: dict[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)


def _unentered(manager: Any) -> tuple[Any, ...]:
    """Send a context manager of a generator that decorates a function; each call enters a new one."""
    return type(manager), (manager.func, manager.args, manager.kwds)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Sends code with the name of its cell or file, which cloudpickle removes, for tracebacks, and decorators."""

    dispatch_table = ChainMap(
        {
            CodeType: _named_code,
            functools._lru_cache_wrapper: _cached,
            contextlib._GeneratorContextManager: _unentered,
            contextlib._AsyncGeneratorContextManager: _unentered,
        },
        cloudpickle.Pickler.dispatch_table,
    )

    def reducer_override(self, obj: Any) -> Any:
        """Send lazy modules by their names, as cloudpickle sends all others; refuse what only looks like a function."""
        if isinstance(obj, FunctionType) and type(obj) is not FunctionType:  # as wrapt's: pickled as what it wraps
            raise pickle.PicklingError(f"the {class_name(obj)} around {obj.__name__!r} would be lost")
        if isinstance(obj, ModuleType) and type(obj) is not ModuleType:
            return importlib.import_module, (object.__getattribute__(obj, "__dict__")["__name__"],)
        return super().reducer_override(obj)


def _pack_up(name: str, body: Callable[..., Any], inputs: dict[str, Any], start: _Start) -> bytes:
    try:
        with io.BytesIO() as file:
            _Pickler(file).dump(start)  # taken before the rest is read, which imports modules
            _Pickler(file).dump((body, inputs))
            return file.getvalue()
    except Exception as e:
        for key, value in inputs.items():
            try:
                cloudpickle.dumps(value)
            except Exception:
                raise TravelError(
                    f"input {key!r} of {name!r}, a {class_name(value)}, can't travel to a process: {e}",
                    hint="run this without --processes, or pass something that can be pickled",
                ) from e
        raise TravelError(
            f"the function of {name!r} can't travel to a process: {e}",
            hint="it holds something that can't be pickled; run it without --processes",
        ) from e


class _Head(io.StringIO):
    """The output of a task, limited to a little more than its node keeps."""

    _size = 0

    def write(self, text: str) -> int:
        room = LOG_LIMIT + 1 - self._size
        if room > 0:
            self._size += super().write(text[:room])
        return len(text)


def _work(sent: bytes) -> bytes:
    """Run the function in the process; return its result or exception, and its output."""
    printed = _Head()
    attempt = Attempt()
    set_attempt(attempt)
    began = time.time()
    reads = FileReads()
    imported: Mapping[str, str] = {}
    file = io.BytesIO(sent)
    start = cloudpickle.load(file)
    own_modules.agree(start.modules)
    restore = save_state(KINDS)  # the loaded modules are a part of it
    during_runs.begin()
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = printed
    try:
        start.take()
        body, inputs = cloudpickle.load(file)
        _show_main(body)
        imported = _imported_parts(body) if start.is_watched else {}
        attempt.checkpoints = start.checkpoints
        Workspace(start.root).enter()
        _ignore_interrupts()  # flytekit's own handler, installed with its first context, would end the process
        with reads.watch() if start.is_watched else contextlib.nullcontext():
            answer: tuple[Any, ...] = ("returned", body(**inputs))
        if start.gives_files:
            answer = (answer[0], keep_files(start.root, answer[1]))
    except BaseException as e:
        answer = ("raised", e, traceback.format_exc())
    finally:
        sys.stdout, sys.stderr = streams
        during_runs.end()
        restore()
    links = mlflow_links(began) if MLFLOW in sys.modules else ()
    rest = (
        printed.getvalue(), attempt.checkpoints, reads.outcome(), links, imported, plain_decks(attempt.decks or ())
    )  # fmt: skip
    try:
        return cloudpickle.dumps((*answer, *rest))  # type: ignore[no-any-return]
    except Exception as e:
        # The exception is replaced by its text and traceback: the user needs that, not pickle's error.
        what = (headline if answer[0] == "raised" else class_name)(answer[1])
        error = TravelError(
            f"what the task {answer[0]} can't travel back from its process: {what}",
            hint=f"pickling it failed with {headline(e)}; run this without --processes",
        )
        text = answer[2] if answer[0] == "raised" else traceback.format_exc()
        return cloudpickle.dumps(("raised", error, text, *rest))  # type: ignore[no-any-return]


def _imported_parts(body: Any) -> Mapping[str, str]:
    """Return the digests of what code takes from own modules, which a process imports from their files."""
    try:
        return ImportedParts(body).digests
    except Exception as error:  # such a task has no key
        return {"": headline(error)}


def _other_code(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return the first part of own modules that differs in a process, empty if none does; the rest was sent."""
    return min((name for name, digest in there.items() if digest != here.get(name)), default="")


class RemoteTraceback(Exception):  # noqa: N818 - the origin of an error, not an error
    """The traceback of an exception in a process, set as the cause of the exception here."""


def _show_main(body: Any) -> None:
    """Make functions of the notebook importable by name, for processes that a task starts itself."""
    function = inspect.unwrap(body)
    if getattr(function, "__module__", "") == "__main__" and isinstance(function, FunctionType):
        main = vars(sys.modules["__main__"])
        main.update({k: v for k, v in function.__globals__.items() if not k.startswith("__")})


def _unpack(answer: bytes, body: Any, attempt: Attempt, watching: list[FileReads]) -> Any:
    kind, *rest, printed, checkpoints, read, attempt.links, imported, attempt.decks = cloudpickle.loads(answer)
    if watching and (name := _other_code(imported, _imported_parts(body))):
        read = ChangedFileError(f"{name} is another one in the process that gave the answer")
    for reads in watching:
        reads.take(read)
    if attempt.checkpoints is not None:
        attempt.checkpoints[:] = checkpoints or []
    write_captured(printed)
    if kind == "returned":
        return rest[0]
    error, text = rest
    error.__cause__ = RemoteTraceback(f"\n{text}")
    raise error
