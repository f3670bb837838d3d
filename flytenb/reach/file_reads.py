"""Files that a task reads while it runs, observed through audit events, and whether they are unchanged later.

No analysis of code can tell which file `open(f"{folder}/{name}")` reads. So the files that a body opened, and the
directories that it listed, are stored with its answer, and an answer counts only while they are what they were.
Not among them are the task's own inputs and what it wrote itself, installed code, and files of the kernel such as
`/proc`. Of a program that it starts, the files named in its command line count.

C libraries open files without an event; `variables_and_files` finds the tasks that use them.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from flytenb.reach.ownership import is_installed, is_own_module
from flytenb.reach.read_results import FileRead, find, stamp_of

_IGNORED = ("/proc/", "/sys/", "/dev/")
_RUN_DIRECTORY = "/flytenb-run-"
"""Part of the paths of input copies, whose content belongs to the inputs."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class ChangedFileError(Exception):
    """A file changed during the task that read it, so it is unknown which content the task read."""


class FileReads:
    """The reads of one call, recorded while the call is observed.

    Args:
        inputs: the paths of the files that the call is given: the key holds what they say.
        is_wide: whether threads that run other nodes belong to the call too, as in a dynamic or an eager.
    """

    def __init__(self, inputs: Iterable[str] = (), *, is_wide: bool = False) -> None:
        self._inputs = tuple(os.path.realpath(path) for path in inputs)
        self._is_wide = is_wide
        self._cwd = ""
        self._threads: set[int] = set()
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._found: dict[tuple[str, str, str], bytes] = {}
        self._named: dict[str, tuple[int, ...]] = {}
        self._written: set[str] = set()
        self._is_below = False
        self._elsewhere: list[tuple[FileRead, ...] | ChangedFileError] = []

    def watch(self) -> FileWatch:
        """Record the reads of this thread, of what takes its context, and of threads that belong to no other call."""
        return FileWatch(self)

    def begin(self) -> None:
        """Start recording; `end` must be called afterwards."""
        _listen()
        self._cwd = _cwd()
        self._threads.add(threading.get_ident())
        _watching[id(self)] = self

    def end(self) -> None:
        """Stop recording."""
        _watching.pop(id(self), None)

    def take(self, reads: tuple[FileRead, ...] | ChangedFileError) -> None:
        """Add the outcome of a call in another process."""
        self._elsewhere.append(reads)

    def outcome(self) -> tuple[FileRead, ...] | ChangedFileError:
        """Return the reads, or why they aren't known."""
        try:
            return self.all()
        except ChangedFileError as e:
            return e

    def all(self) -> tuple[FileRead, ...]:
        """Return the reads of files that the call didn't write itself.

        Raises:
            ChangedFileError: if one of the files isn't any more what it was when it was read.
        """
        made = {
            FileRead(*key, found): None
            for key, found in [*self._found.items()]
            if key[0] == "code" or not self._is_own(key[1])
        }
        for path, stamp in self._stamps.items():
            if self._is_own(path):
                continue
            if stamp_of(path) != stamp:
                raise ChangedFileError(f"{path!r} changed while the task that reads it ran")
            made[FileRead("file", path, "", find("file", path, ""))] = None
        for path, stamp in self._named.items():
            if not self._is_own(path) and stamp_of(path) == stamp:  # else the program wrote it
                made[FileRead("file", path, "", find("file", path, ""))] = None
        if self._is_below:
            made[FileRead("cwd", self._cwd, "", find("cwd", self._cwd, ""))] = None
        for outcome in self._elsewhere:
            if isinstance(outcome, ChangedFileError):
                raise outcome
            made.update((read, None) for read in outcome if not self._is_own(read.name))
        return tuple(made)

    def ask(self, path: Any) -> None:
        """Record a path whose file may be queried; queries have no audit event."""
        if (name := self._name(path)) is not None:
            self._add("facts", name, "")

    # --- noting, on any thread ---

    def belongs_to(self, thread: int, is_free: bool) -> bool:
        """Return whether the reads of a thread belong to the call."""
        return self._is_wide or is_free or thread in self._threads or _call.get() is self

    def opened(self, path: Any, mode: str | None, flags: int) -> None:
        """Record an opened file: as read if the call didn't write it before, as written if its mode allows it."""
        name = self._name(path)
        if name is None or (flags == 0 and mode == "rb"):  # code that is imported is known by the key
            return
        if mode is not None:
            is_written, is_read = bool(set(mode) & set("wxa+")), "r" in mode or mode.startswith("a+")
        else:
            is_written, is_read = bool(flags & _WRITING), not flags & (os.O_WRONLY | os.O_TRUNC | os.O_EXCL)
        if is_read and name not in self._written:
            self._stamps.setdefault(name, stamp_of(name))
        if is_written and name not in self._stamps:
            self._written.add(name)

    def listed(self, path: Any) -> None:
        """Record a listed directory."""
        name = self._name("." if path is None else path)
        if name is not None and name not in self._written:
            self._add("folder", name, "")

    def globbed(self, pattern: Any, below: Any) -> None:
        """Record a glob pattern."""
        name = os.fsdecode(pattern)
        root = self._name("/" if name.startswith("/") else below or ".")
        if root is not None and not is_installed(name):
            self._add("glob", name, root)

    def written(self, path: Any) -> None:
        """Record a file or directory that the call creates."""
        name = self._name(path)
        if name is not None and name not in self._stamps:
            self._written.add(name)

    def started(self, executable: Any, words: Iterable[Any], cwd: Any = None) -> None:
        """Record a started program: its file, and the files in its command line."""
        self._add("program", os.fsdecode(executable), "")
        for word in words:
            for part in _words(os.fsdecode(word)):
                name = self._name(Path(os.fsdecode(cwd)) / part if cwd else part)
                if name is not None and name not in self._written and Path(name).is_file():
                    self._named.setdefault(name, stamp_of(name))

    def unpickled(self, module: str, name: str) -> None:
        """Record an own function or class that is looked up by name."""
        held = sys.modules.get(module)
        if held is not None and is_own_module(held):
            self._add("code", name, module)

    def _add(self, how: str, name: str, below: str) -> None:
        if (how, name, below) not in self._found:
            self._found[how, name, below] = find(how, name, below)

    def _name(self, path: Any) -> str | None:
        """Return a path for later look-ups: relative to the working directory at the start of the call."""
        if isinstance(path, int):
            return None
        name = os.path.normpath(os.fsdecode(path))
        if not name.startswith("/") and (base := self._base()):
            name = f"{base}/{name}"
        if name.startswith(_IGNORED) or is_installed(name):
            return None
        # The code may have made it of a relative path: it would be another one elsewhere.
        self._is_below = self._is_below or (bool(self._cwd) and name.startswith(f"{self._cwd}/"))
        return name

    def _base(self) -> str:
        """The working directory, `""` if it is the one at the start of the call."""
        cwd = _cwd()
        return "" if cwd == self._cwd else cwd

    def _is_own(self, name: str) -> bool:
        if _RUN_DIRECTORY in name:
            return True
        real = os.path.realpath(name)
        places = (*self._inputs, *(os.path.realpath(path) for path in self._written)) if name else ()
        return any(real == place or real.startswith(f"{place}/") for place in places)


def _words(line: str) -> list[str]:
    try:
        return [line, *shlex.split(line)] if " " in line else [line]
    except ValueError:  # a quote that isn't closed
        return [line, *line.split()]


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - asked at every event
    except OSError:
        return ""


# --- audit events ----------------------------------------------------------------------------------------------------


class FileWatch:
    """Records reads in a block. A generator would set attributes of the user's exceptions, which may forbid that."""

    def __init__(self, reads: FileReads) -> None:
        self._reads = reads

    def __enter__(self) -> None:
        self._reads.begin()
        self._token = _call.set(self._reads)

    def __exit__(self, *_: object) -> None:
        _call.reset(self._token)
        self._reads.end()


_watching: dict[int, FileReads] = {}
"""The observed calls."""
_call: ContextVar[FileReads | None] = ContextVar("flytenb-call", default=None)
"""The call in whose context code runs; a connector's methods run on other threads than their node."""
_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_SEARCHING = ("importlib/metadata/__init__.py", "pkgutil.py", "flytekit/core/tracker.py")


class _Thread(threading.local):
    is_noting = False


_thread = _Thread()
_listening: list[bool] = []


def current_reads() -> list[FileReads]:
    """Return the observed calls that this thread belongs to."""
    thread = threading.get_ident()
    return [reads for reads in [*_watching.values()] if reads.belongs_to(thread, is_free=False)]


def _listen() -> None:
    if not _listening:
        _listening.append(True)
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Record an event for the calls that it may belong to. Must not raise, since that would fail the user's code."""
    if not _watching or event not in _EVENTS or _thread.is_noting:
        return
    _thread.is_noting = True
    try:
        thread = threading.get_ident()
        is_free = thread != threading.main_thread().ident and not threading.current_thread().name.startswith("flytenb")
        for reads in [*_watching.values()]:
            if reads.belongs_to(thread, is_free) and not _is_import():
                _EVENTS[event](reads, arguments)
    except Exception:  # paths of the user's own types, directories that go away
        pass
    finally:
        _thread.is_noting = False


def _is_import() -> bool:
    """Return whether modules are searched for, which are part of the key: by Python, or by flytekit to name a task."""
    caller = sys._getframe(2).f_code.co_filename
    return caller.startswith(_IMPORTING) or caller.endswith(_SEARCHING)


def _note_path_glob(reads: FileReads, arguments: tuple[Any, ...]) -> None:
    below, pattern = arguments
    reads.globbed(pattern, below)


def _note_any_depth(reads: FileReads, arguments: tuple[Any, ...]) -> None:
    below, pattern = arguments
    reads.globbed(f"**/{pattern}", below)


def _note_program(reads: FileReads, arguments: tuple[Any, ...]) -> None:
    executable, words, *rest = arguments
    listed = [words] if isinstance(words, str | bytes | os.PathLike) else words
    reads.started(executable, listed, rest[0] if rest and not isinstance(rest[0], Mapping) else None)


_EVENTS: Mapping[str, Callable[[FileReads, tuple[Any, ...]], None]] = {
    "open": lambda reads, arguments: reads.opened(*arguments),
    "sqlite3.connect": lambda reads, arguments: reads.opened(arguments[0], "r", os.O_RDONLY | os.O_CLOEXEC),
    "os.listdir": lambda reads, arguments: reads.listed(arguments[0]),
    "os.scandir": lambda reads, arguments: reads.listed(arguments[0]),
    "glob.glob/2": lambda reads, arguments: reads.globbed(arguments[0], arguments[2]),
    "pathlib.Path.glob": _note_path_glob,
    "pathlib.Path.rglob": _note_any_depth,
    "os.mkdir": lambda reads, arguments: reads.written(arguments[0]),
    "os.rename": lambda reads, arguments: reads.written(arguments[1]),
    "tempfile.mkstemp": lambda reads, arguments: reads.written(arguments[0]),
    "tempfile.mkdtemp": lambda reads, arguments: reads.written(arguments[0]),
    "pickle.find_class": lambda reads, arguments: reads.unpickled(*arguments),
    "subprocess.Popen": _note_program,
    "os.system": lambda reads, arguments: reads.started("/bin/sh", [arguments[0]]),
    "os.posix_spawn": _note_program,
}
"""The handler of each audit event."""
