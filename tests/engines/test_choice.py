"""Which engine runs a job: names, entry points, and the order of those that can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from flytenb.engines import ContainerJob, Exit, choice, choose, engine_named, engine_names
from flytenb.errors import ContainerError, UsageError
from flytenb.runner.settings import Settings

JOB = ContainerJob("boxed", "localhost/image:1", ("sh", "-c", "true"))


class Foreign:
    """An engine of another package."""

    name = "foreign"

    def why_not(self, job: ContainerJob, check: Callable[[], None]) -> str:
        return "" if job.name == "boxed" else "it only runs boxed"

    def digest(self, job: ContainerJob) -> str:
        return "1"

    def run(self, job: ContainerJob, log: Callable[[str], None], check: Callable[[], None]) -> Exit:
        return Exit(0)


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point = EntryPoint("foreign", f"{__name__}:Foreign", choice.GROUP)
    monkeypatch.setattr(choice, "entry_points", lambda **given: EntryPoints([point]).select(**given))
    engine_named.cache_clear()
    yield
    engine_named.cache_clear()


def nothing() -> None:
    """A check that stops nothing."""


@pytest.mark.usefixtures("foreign")
def test_an_entry_point_is_an_engine() -> None:
    assert engine_names() == ("docker", "bubblewrap", "host", "foreign")
    assert isinstance(choose("foreign", JOB, nothing), Foreign)
    assert Settings(engine="foreign").engine == "foreign"
    with pytest.raises(ContainerError, match="foreign: it only runs boxed"):
        choose("foreign", ContainerJob("other", "localhost/image:1"), nothing)


def test_an_unknown_engine_is_named_with_the_closest() -> None:
    with pytest.raises(ContainerError, match="unknown engine 'dokcer'") as raised:
        engine_named("dokcer")
    assert "'docker'" in raised.value.hint
    with pytest.raises(UsageError, match="engine must be"):
        Settings(engine="dokcer")


@pytest.mark.parametrize(
    ("reasons", "answers", "chosen"),
    [
        ({}, True, "docker"),
        ({"docker": "no"}, False, "bubblewrap"),
        ({"docker": "no image"}, True, "bubblewrap"),
        ({"docker": "no", "bubblewrap": "no"}, False, "host"),
        ({"docker": "no image", "bubblewrap": "no"}, True, None),
        ({"docker": "no", "bubblewrap": "no", "host": "no"}, False, None),
    ],
)
def test_the_first_that_can_is_chosen(
    reasons: dict[str, str], answers: bool, chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("docker", "bubblewrap", "host"):
        reason = reasons.get(name, "")
        monkeypatch.setattr(type(engine_named(name)), "why_not", lambda self, job, check, reason=reason: reason)
    monkeypatch.setattr(type(engine_named("docker")), "answers", lambda self: answers)
    monkeypatch.setattr(choice, "_said", set())
    said: list[str] = []

    def choose_it() -> Any:
        return choose("auto", JOB, nothing, said.append)

    if chosen is None:
        with pytest.raises(ContainerError, match="boxed") as raised:
            choose_it()
        assert all(f"{name}: {reason}" in raised.value.message for name, reason in reasons.items())
        return
    assert choose_it().name == choose_it().name == chosen
    assert len(said) == (0 if chosen == "docker" else 1)
    assert all(f"{name}: {reason}" in said[0] for name, reason in reasons.items())


def test_a_stop_is_raised_through_a_choice() -> None:
    class Stop(BaseException):
        pass

    def stop(self: Any, job: ContainerJob, check: Callable[[], None]) -> str:
        check()
        return ""

    def check() -> None:
        raise Stop

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stop):
        patch.setattr(type(engine_named("docker")), "why_not", stop)
        choose("auto", JOB, check)
