"""Every exception that flytenb raises: a message and the way out; showing them is left to whoever shows."""

from __future__ import annotations

import difflib
import importlib.util
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from flytenb.wording.text import LateError, class_name, clean, in_time, message_of

LONGEST_TRACEBACK = 1_000_000
"""Characters of a whole traceback that are shown."""


class FlytenbError(Exception):
    """A mistake that the user can correct: what is wrong, with the bad value, and how to go on.

    Args:
        message: one lower-case sentence that holds the bad value.
        hint: what to do instead, with the closest names.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        # Both quote what users gave: no control character of it reaches a terminal.
        super().__init__(clean(message))
        self.message = clean(message)
        self.hint = clean(hint)

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Show two lines in IPython; the frames between a cell and this message explain nothing."""
        lines = [f"{class_name(self)}: {self.message}"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return lines


class UnknownNameError(FlytenbError, LookupError):
    """A name that the session or the notebook doesn't have."""


class InputError(FlytenbError, ValueError):
    """One or more inputs are missing, unknown or of the wrong type; lists all of them."""


class DefinitionError(FlytenbError, ValueError):
    """A cell that can't become a task or a workflow."""


class NotAnEntityError(FlytenbError, TypeError):
    """Something that is neither task, workflow nor launch plan was given where one is needed."""


class RemoteEntityError(FlytenbError, TypeError):
    """Something that was fetched from a cluster was to run here."""


class UsageError(FlytenbError, ValueError):
    """A magic line that can't be read."""


class StubError(FlytenbError, NotImplementedError):
    """A task or workflow that has no body yet was run."""


class SaveError(FlytenbError, OSError):
    """A file could not be written."""


class LayoutError(FlytenbError, RuntimeError):
    """No layout engine could lay the drawing out."""


class LayoutTimeoutError(LayoutError, TimeoutError):
    """A layout took longer than its time limit."""


class TravelError(FlytenbError, TypeError):
    """Something that can't be sent to another process."""


class ContainerError(FlytenbError, RuntimeError):
    """A container that could not be started, or did not do what its task promises."""


class FlytekitError(FlytenbError, ImportError):
    """flytekit can't be imported."""


class WorkerLostError(FlytenbError, RuntimeError):
    """A process died while it ran a task."""


class RunCancelledError(FlytenbError):
    """A run was cancelled before it ended."""


class UnholdableError(FlytenbError, OverflowError, ValueError):
    """A number or text that no literal can hold, and that no cluster could carry therefore."""


class NodeTimeoutError(FlytenbError, TimeoutError):
    """A node took longer than its timeout."""


def closest(name: str, known: Iterable[Any], *, limit: int = 3) -> str:
    """Return `did you mean 'a' or 'b'?` with the nearest known names, or all of them when few, or ''."""
    names = [str(k) for k in known]
    near = difflib.get_close_matches(name, names, n=limit, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if not names:
        return ""
    shown = ", ".join(map(repr, names[:8]))
    return f"known: {shown}{', …' if len(names) > 8 else ''}"


MAGIC_LINE = "<%flyte>"
"""The file of an expression in a magic line."""
_OURS = (f"{Path(__file__).parent}{os.sep}", MAGIC_LINE)
INSTALLED = tuple({f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib")})
"""Where packages are installed."""
STANDARD = (*{f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")}, "<frozen ", "<string>")
"""Where Python itself is, and what it makes up: a dataclass's methods."""
_CALLS_BODIES = ("/bridge/execution/calls.py", "/core/python_function_task.py", "/core/workflow.py")
"""Whose frames call a user's function, which may be one of an installed package."""


def is_foreign(filename: str) -> bool:
    """Tell whether a frame belongs to us or to flytekit, and so tells the user nothing."""
    return filename.startswith((*_OURS, *package_roots("flytekit")))


def package_roots(name: str) -> tuple[str, ...]:
    """Return where the files of an installed package are, each with a separator at its end; it isn't imported.

    A project of the user's in a folder of the same name is somewhere else.
    """
    module = sys.modules.get(name)
    if module is not None:
        return _roots_of(tuple(getattr(module, "__path__", ())))
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ()
    return _roots_of(tuple(spec.submodule_search_locations or ())) if spec is not None else ()


@lru_cache(maxsize=16)
def _roots_of(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{root}{os.sep}" for folder in folders for root in dict.fromkeys((folder, os.path.realpath(folder))))


def is_library(filename: str) -> bool:
    """Tell whether a frame belongs to Python or to an installed package."""
    return filename.startswith((*INSTALLED, *STANDARD))


def own_frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """Return the frames that are neither ours nor flytekit's nor of libraries that those call, outermost first."""
    found = []
    is_called_by_us = False
    for frame in traceback.extract_tb(trace):
        if is_foreign(frame.filename):
            is_called_by_us = not frame.filename.replace("\\", "/").endswith(_CALLS_BODIES)
        elif not (is_called_by_us and is_library(frame.filename)):
            is_called_by_us = False
            found.append(frame)
    return found


def say(error: BaseException) -> str:
    """Return what an exception says, without control characters, bounded in length and in time.

    One whose own words fail or take too long says so.
    """
    try:
        return message_of(error)
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt | GeneratorExit):
            raise
        return f"(its message can't be read: {say(e) if isinstance(e, LateError) else class_name(e)})"


def headline(error: BaseException) -> str:
    """Return `ValueError: what it says`, as `say` does; only the name for one that says nothing."""
    message = say(error)
    return f"{class_name(error)}: {message}" if message else class_name(error)


def full_traceback(error: BaseException) -> str:
    """Return the whole traceback, with every frame, cause and context: cleaned, bounded in length and in time."""
    try:
        # By a class of its own: which of the exceptions in the chain is slow isn't known.
        kind = type("Traceback", (), {})
        text = in_time(kind, lambda: "".join(traceback.format_exception(error))[: LONGEST_TRACEBACK + 1])
    except Exception:
        text = "".join(traceback.format_tb(error.__traceback__)) + headline(error)
    return clean(text if len(text) <= LONGEST_TRACEBACK else f"{text[:LONGEST_TRACEBACK]}…")


def has_group(error: BaseException | None) -> bool:
    """Tell whether an exception is a group, or came about while one was handled."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BaseExceptionGroup):
            return True
        seen.add(id(error))
        error = error.__context__
    return False
