"""Sizes in settings: bytes, and texts such as `2 GB`."""

from __future__ import annotations

import re
from typing import Any

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B", re.IGNORECASE)
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def read_size(value: Any) -> int | None:
    """Return a size in bytes from an integer or a text such as `512 MB`; None for anything else."""
    if type(value) is int:
        return value if value >= 0 else None
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return None if found is None else int(float(found[1]) * 1000 ** _POWER[found[2].lower()])
