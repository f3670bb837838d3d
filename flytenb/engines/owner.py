"""Which process a container belongs to, so that the containers of processes that were killed can be removed."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

MACHINE_LABEL = "flytenb.machine"
PROCESS_LABEL = "flytenb.process"


def labels() -> dict[str, str]:
    """Return the labels of this process's containers."""
    return {MACHINE_LABEL: _machine(), PROCESS_LABEL: f"{_boot()}:{os.getpid()}:{_start_of(os.getpid())}"}


def is_left_over(labels: dict[str, str]) -> bool:
    """Tell whether the process of a container ran here and has ended."""
    boot, _, process = labels.get(PROCESS_LABEL, "").rpartition(":")[0].partition(":")
    started = labels.get(PROCESS_LABEL, "").rpartition(":")[2]
    if labels.get(MACHINE_LABEL) != _machine() or not process.isdigit():
        return False
    return boot != _boot() or not _is_alive(int(process)) or _start_of(int(process)) != started


def _machine() -> str:
    """Return the name of this machine and of the set of processes that this one can see."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()} {namespace}".strip()


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _start_of(process: int) -> str:
    """Return when a process started, since numbers of processes are used again; `""` where that can't be found out."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    return ""


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
