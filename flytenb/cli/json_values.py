"""Values as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from flytenb.types.plain_data import to_plain
from flytenb.wording.values import brief


def json_value(value: Any, declared: Any) -> Any:
    """Return a value as JSON can hold it: as the type engine sends it, else its short text."""
    try:
        plain = _finite(to_plain(value, declared))
        json.dumps(plain, allow_nan=False)
    except Exception:  # what a type of the user's raises
        return brief(value)
    return plain


def _finite(data: Any) -> Any:
    """Return plain data with texts in place of numbers that JSON lacks."""
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list) else data
