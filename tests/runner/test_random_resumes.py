"""Random programs that are edited and resumed run what has changed, and answer as plain Python says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flytenb.runner.past import Past
from tests.random_workflows.resumes import try_resume, try_resumes
from tests.random_workflows.trial import own_home

QUICK, SLOW, AT_ONCE = 20, 480, 80
KEPT = range(23, 30)
OF_AN_EDITED_TASK = 1
"""A seed with which one task is edited."""

pytestmark = [
    # flytekit itself makes coroutines that it drops, and event loops that it never closes.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def home() -> Iterator[None]:
    """A temporary directory of these tests' own."""
    with own_home():
        yield


def test_what_has_changed_runs() -> None:
    assert try_resumes(range(QUICK)) == ""


def test_what_has_changed_since_a_kept_run_runs() -> None:
    assert try_resumes(KEPT, is_kept=True) == ""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, QUICK + SLOW, AT_ONCE))
def test_what_has_changed_runs_in_many_programs(first: int) -> None:
    assert try_resumes(range(first, first + AT_ONCE)) == ""


@pytest.mark.parametrize(("why", "words"), [("", "outputs: "), ("it has changed", "ran needlessly: {'")])
def test_what_is_wrong_would_be_noticed(why: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Past, "_compare_code", lambda *_: why)
    assert words in (try_resume(OF_AN_EDITED_TASK) or "")
