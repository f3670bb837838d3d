"""Mounted directories: where a path in a container is on this machine, and access to what a command wrote."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flytenb.engines.engine import Mount


def with_sources(word: str, mounts: Sequence[Mount]) -> str:
    """Replace the paths of mounted directories in a word by those on this machine."""
    sources = {mount.target.rstrip("/"): str(mount.source) for mount in mounts}
    if not sources:
        return word
    targets = "|".join(map(re.escape, sorted(sources, key=len, reverse=True)))
    return re.sub(rf"(?<![\w./-])({targets})(?![\w-]|\.\w)", lambda found: sources[found[1]], word)


def give_access(mounts: Sequence[Mount]) -> None:
    """Let this user read and remove what a command wrote, whatever permissions it has set."""
    for mount in mounts:
        if mount.is_writable:
            _open(mount.source)


def _open(path: Path) -> None:
    with suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            if mode & 0o700 != 0o700:
                path.chmod(stat.S_IMODE(mode) | 0o700)
            with os.scandir(path) as entries:
                found = [Path(entry) for entry in entries]
            for entry in found:
                _open(entry)
        elif stat.S_ISREG(mode) and mode & 0o600 != 0o600:
            path.chmod(stat.S_IMODE(mode) | 0o600)
