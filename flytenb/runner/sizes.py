"""Sizes in settings: bytes, texts such as `2 GB`, shares of the machine's memory."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B", re.IGNORECASE)
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_UNKNOWN = 8 * 1000**3
"""The memory of a machine that doesn't say how much it has."""


def read_size(value: Any) -> int | None:
    """Return a size in bytes from an integer or a text such as `512 MB`; None for anything else."""
    if type(value) is int:
        return value if value >= 0 else None
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return None if found is None else int(float(found[1]) * 1000 ** _POWER[found[2].lower()])


def read_share(value: Any) -> float | None:
    """Return a share such as `25%` as a number from 0 to 1; None for anything else."""
    found = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
    return None if found is None or float(found[1]) > 100 else float(found[1]) / 100


def memory_limit(value: Any) -> int:
    """Return a checked setting in bytes: a size, or a share of the memory that this process may use."""
    share = read_share(value)
    return (read_size(value) or 0) if share is None else int(share * machine_memory())


@lru_cache(maxsize=1)
def machine_memory(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the memory of the machine in bytes, or the smaller limit of a control group of this process.

    Args:
        root: where control groups are mounted.
        own: the file that names those of this process.
    """
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        found = [_UNKNOWN]
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, kinds, group = line.split(":", 2)
        if kinds in ("", "memory") or "memory" in kinds.split(","):
            base, name = (root, "memory.max") if not kinds else (root / "memory", "memory.limit_in_bytes")
            at = Path(group.lstrip("/"))
            found += filter(None, (_limit(base / each / name) for each in (at, *at.parents)))
    return min(found)


def _limit(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None  # `max` means without a limit
