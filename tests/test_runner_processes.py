"""What a process of its own can't hand back is told in words."""

from __future__ import annotations

import pytest
from flytekit import task

import flytenb
from flytenb.errors import TravelError


class StaysError(Exception):
    def __reduce__(self) -> str:
        raise RuntimeError("no pickle")


@task
def raises(x: int) -> int:
    if x:
        raise StaysError("the disk is red")
    return x


def test_an_error_that_cannot_travel_back_is_told_with_its_own_words_and_lines() -> None:
    with pytest.raises(TravelError, match="StaysError: the disk is red") as caught:
        flytenb.options(processes=True).run(raises, x=1)
    assert ", in raises" in str(caught.value.__cause__)
    assert "no pickle" in str(caught.value.hint)
