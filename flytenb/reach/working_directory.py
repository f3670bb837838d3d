"""The working directory and the umask: of the process, and of a thread where the system lets one have its own."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

_python = ctypes.PyDLL(None) if sys.platform.startswith("linux") else None
"""The C library, called without releasing the GIL; so all threads may use one buffer."""
_SIZE = 4096
_buffer = ctypes.create_string_buffer(_SIZE)
_place = ctypes.addressof(_buffer)
if _python is not None:
    _python.getcwd.argtypes, _python.getcwd.restype = (ctypes.c_void_p, ctypes.c_size_t), ctypes.c_void_p

_encoded = lru_cache(maxsize=16)(os.fsencode)

_CLONE_FS = 0x200
"""Flag of `unshare`: a thread stops sharing its working directory, root and umask (linux/sched.h)."""


def take_own_cwd() -> bool:
    """Give this thread its own working directory, on Linux only; return whether it has one."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None, use_errno=True).unshare(_CLONE_FS) == 0)
    except (OSError, AttributeError):
        return False


def _try_on_a_thread() -> bool:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(take_own_cwd()))
    thread.start()
    thread.join()
    return found == [True]


HAS_OWN_CWD = _try_on_a_thread()
"""Whether worker threads have a working directory of their own."""


def current_cwd() -> str | None:
    """Return the working directory, None if it has been removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - asked once a run
    except OSError:
        return None


class Place(NamedTuple):
    """What a thread with a working directory of its own has besides: Linux keeps it together with the umask."""

    cwd: str | None
    umask: int


def current_place() -> Place:
    """Return the working directory and the umask of this thread."""
    umask = os.umask(0o077)  # it can only be read by setting another
    os.umask(umask)
    return Place(current_cwd(), umask)


def move_to(place: Place) -> None:
    """Give this thread a working directory and a umask."""
    go_to(place.cwd)
    os.umask(place.umask)


def go_to(cwd: str | None) -> None:
    """Make a directory this thread's working directory; ignore a removed one."""
    if cwd is not None and not _is_at(cwd):
        with suppress(OSError):
            os.chdir(cwd)


def _is_at(cwd: str) -> bool:
    """Tell whether a directory is the working directory, as far as that can be found without releasing the GIL.

    Most tasks don't move, and a thread that releases the GIL after each task waits each time for all the others.
    """
    if _python is None:
        return False
    return bool(_python.getcwd(_place, _SIZE)) and _buffer.value == _encoded(cwd)
