"""The exceptions of flytenb, each with a message and a hint; the text and the frames of any exception."""

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

from flytenb.wording.text import LateError, class_name, clean, clip, in_time, message_of

LONGEST_TRACEBACK = 1_000_000
"""Characters of a traceback that are shown."""


class FlytenbError(Exception):
    """Base class: an error that the user can correct.

    Args:
        message: what was expected and what was got, in lower case.
        hint: what to do instead, with the closest names.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        # Both contain text of users, which may hold control characters.
        super().__init__(clean(message))
        self.message = clean(message)
        self.hint = clean(hint)

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Return two lines for IPython, without the frames of flytenb."""
        lines = [f"{class_name(self)}: {self.message}"]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return lines


class UnknownNameError(FlytenbError, LookupError):
    """A name isn't defined in the session or the notebook."""


class InputError(FlytenbError, ValueError):
    """One or more inputs are missing, unexpected or of the wrong type; the message lists all of them."""


class DefinitionError(FlytenbError, ValueError):
    """A cell can't define a task or a workflow."""


class NotAnEntityError(FlytenbError, TypeError):
    """A task, workflow or launch plan was expected, and another object was got."""


class RemoteEntityError(FlytenbError, TypeError):
    """An entity that was fetched from a cluster can't run here."""


class CellError(FlytenbError):
    """A cell of a notebook without a kernel failed; the message names it."""


class UsageError(FlytenbError, ValueError):
    """A magic line or another text can't be parsed."""


class StubError(FlytenbError, NotImplementedError):
    """A task or workflow without a body was run."""


class SaveError(FlytenbError, OSError):
    """A file can't be written."""


class ExportError(FlytenbError, ValueError):
    """An entity can't leave the notebook; the message lists all reasons."""


class RegistrationError(FlytenbError, ValueError):
    """An entity can't be registered on a cluster."""


class ClusterError(FlytenbError, ConnectionError):
    """A cluster refuses a request, or doesn't answer.

    Attributes:
        code: the status of the answer, such as `NOT_FOUND`; `""` for an error that isn't an answer of the server.
    """

    def __init__(self, message: str, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class RemoteTaskError(FlytenbError, RuntimeError):
    """A node failed on a cluster; the message is that of its error, the cause has the traceback of its pod."""


class RemoteTraceError(FlytenbError):
    """What a cluster says about an error: the traceback in the pod, or the reason why there was none."""


class AbsentValueError(FlytenbError, LookupError):
    """A value of a run isn't held: it was dropped, or only its text was kept."""


class KeptTaskError(FlytenbError, RuntimeError):
    """A node of a kept run failed: its error's name and message; the cause has the traceback."""


class LayoutError(FlytenbError, RuntimeError):
    """No layout engine can lay out the drawing."""


class LayoutTimeoutError(LayoutError, TimeoutError):
    """A layout exceeded its time limit."""


class TravelError(FlytenbError, TypeError):
    """A value can't be sent to another process."""


class ContainerError(FlytenbError, RuntimeError):
    """A container can't be started, or doesn't write the outputs of its task."""


class ContainerExitError(ContainerError):
    """The command of a container ended with an error; a task with retries is tried again, as on a cluster."""


class FlytekitError(FlytenbError, ImportError):
    """flytekit can't be imported."""


class WorkerLostError(FlytenbError, RuntimeError):
    """A process ended while it ran a task."""


class RunCancelledError(FlytenbError):
    """A run was aborted: cancelled before it ended."""


class UnholdableError(FlytenbError, OverflowError, ValueError):
    """A number or text can't be stored in a literal, and so can't be sent on a cluster."""


class NestingError(FlytenbError, RecursionError):
    """Workflows, dynamics, eager tasks or runs are nested too deeply, as by a recursion without an end."""


class NodeTimeoutError(FlytenbError, TimeoutError):
    """A node exceeded its timeout."""


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
"""Where the modules of Python are; the last two are its generated code."""
_CALLS_BODIES = ("/bridge/execution/calls.py", "/core/python_function_task.py", "/core/workflow.py")
"""Files with the frames that call a user's function, which may be in an installed package."""


def is_foreign(filename: str) -> bool:
    """Whether a file belongs to flytenb or flytekit."""
    return filename.startswith((*_OURS, *package_roots("flytekit")))


def package_roots(name: str) -> tuple[str, ...]:
    """Return the folders of an installed package, each with a separator at its end, without importing it."""
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
    """Whether a file belongs to Python or to an installed package."""
    return filename.startswith((*INSTALLED, *STANDARD))


def own_frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """Return the frames of the user, outermost first: none of flytenb, flytekit and the libraries that they call."""
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
    """Return the message of an exception, without control characters, bounded in length and in time.

    If its `__str__` raises or takes too long, the text says so.
    """
    try:
        return message_of(error)
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt | GeneratorExit):
            raise
        return f"(its message can't be read: {say(e) if isinstance(e, LateError) else class_name(e)})"


def headline(error: BaseException) -> str:
    """Return `ValueError: message`, by `say`; only the name if there is no message."""
    message = say(error)
    return f"{class_name(error)}: {message}" if message else class_name(error)


def full_traceback(error: BaseException) -> str:
    """Return the whole traceback, with every frame, cause and context: cleaned, bounded in length and in time."""
    try:
        # A new class each time, since it isn't known which exception of the chain is slow.
        kind = type("Traceback", (), {})
        text = in_time(kind, lambda: "".join(traceback.format_exception(error))[: LONGEST_TRACEBACK + 1])
    except Exception:
        text = "".join(traceback.format_tb(error.__traceback__)) + headline(error)
    return clean(clip(text, LONGEST_TRACEBACK))


def has_group(error: BaseException | None) -> bool:
    """Whether an exception is a group, or was raised while one was handled."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BaseExceptionGroup):
            return True
        seen.add(id(error))
        error = error.__context__
    return False
