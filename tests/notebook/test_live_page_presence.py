"""When the kernel calls for a page that may have been loaded anew."""

from __future__ import annotations

import pytest

from flytenb.notebook.live.page_presence import PagePresence


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def calls(presence: PagePresence, clock: Clock, seconds: int, size: int = 100_000) -> list[float]:
    """Let so many seconds go by and return when somebody called."""
    found = []
    for _ in range(seconds * 10):
        clock.now = round(clock.now + 0.1, 1)
        if presence.is_due():
            presence.announced(size)
            found.append(clock.now)
    return found


def test_a_page_that_never_spoke_is_never_called(clock: Clock) -> None:
    assert calls(PagePresence(clock), clock, 1000) == []


def test_a_page_that_says_so_in_time_is_not_called(clock: Clock) -> None:
    presence = PagePresence(clock)
    for _ in range(20):
        presence.page_seen()
        assert calls(presence, clock, 60) == []


def test_a_page_that_goes_is_called_soon_and_then_ever_less(clock: Clock) -> None:
    presence = PagePresence(clock)
    presence.page_seen()
    presence.page_left()
    found = calls(presence, clock, 200)
    assert found[:5] == [2, 4, 8, 16, 32]
    assert found[-1] - found[-2] == 64


def test_a_page_that_fell_silent_is_called(clock: Clock) -> None:
    presence = PagePresence(clock)
    presence.page_seen()
    assert calls(presence, clock, 110)[:2] == [100, 102]


def test_a_page_that_answers_is_not_called_any_more(clock: Clock) -> None:
    presence = PagePresence(clock)
    presence.page_left()
    assert len(calls(presence, clock, 10)) == 3
    presence.page_seen()
    assert calls(presence, clock, 60) == []
    presence.page_left()
    assert len(calls(presence, clock, 3)) == 1


def test_large_pictures_are_not_sent_for_ever(clock: Clock) -> None:
    presence = PagePresence(clock)
    presence.page_left()
    assert len(calls(presence, clock, 100_000, size=1_000_000)) == 8
