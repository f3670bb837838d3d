"""How many examples hypothesis tries: all of them in the whole suite, a share of them in the quick set."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

SHARE = 10
is_quick = False
"""Whether `-m "not slow"` was asked for: set before the tests are collected."""


def examples(number: int, **more: Any) -> settings:
    """Return the settings for a number of examples; a machine that is busy has no time limit for one."""
    return settings(max_examples=max(1, number // SHARE) if is_quick else number, deadline=None, **more)
