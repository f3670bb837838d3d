"""Texts in code that are paths of the user's files on this machine, which pods don't have."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_LONGEST = 4096


def find_local_paths(texts: Iterable[str]) -> Iterator[str]:
    """Yield those texts that are absolute paths of what exists below the home or the current directory.

    Other paths, such as `/usr/bin/env` and those of temporary files, may exist in a pod as well.
    """
    yield from sorted(text for text in texts if text.startswith(("/", "~/")) and _is_local(text))


def _is_local(text: str) -> bool:
    try:
        path = Path(text).expanduser()
        if len(text) > _LONGEST or not path.exists():
            return False
        here, home = Path.cwd(), Path.home()
        is_temporary = path.is_relative_to(tempfile.gettempdir())
    except (OSError, RuntimeError, ValueError):
        return False
    return _is_inside(path, here) or (not is_temporary and _is_inside(path, home))


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path is strictly below a folder, which isn't the root."""
    return folder != Path(folder.anchor) and folder in path.parents
