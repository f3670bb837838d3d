"""Processes of this machine."""

from __future__ import annotations

import os
from pathlib import Path


def processes_with(token: str) -> list[int]:
    """The processes of this machine, those in containers included, whose command line holds the token."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - names that may vanish
        try:
            line = Path("/proc", name, "cmdline").read_bytes() if name.isdigit() else b""
        except OSError:  # it has ended
            continue
        if token.encode() in line and name != str(os.getpid()):
            found.append(int(name))
    return found
