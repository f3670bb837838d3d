"""Time that passes when a test says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from flytenb.runner import clock as clock_module
from flytenb.runner.clock import Clock
from flytenb.runner.resources import resources


@pytest.fixture
def an_hour_passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Let an hour pass for the clock of runs: what a node does before its timeout is not left to chance."""
    clock, hours = Clock(), [0]
    monkeypatch.setattr(clock_module, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600 * hours[0]))
    monkeypatch.setattr(resources, "clock", clock)

    def pass_an_hour() -> None:
        hours[0] += 1
        clock.call_later(-1e9, lambda: None)  # the first of all jobs, which wakes the thread

    yield pass_an_hour
    clock.close()
