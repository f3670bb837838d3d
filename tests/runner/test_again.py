"""Nothing that a run finds out is in the way of the next one: what was redefined, other settings, both at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flytekit import Cache, reference_task, task, workflow
from flytekit.core.local_cache import LocalTaskCache
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.errors import FlytenbError, UsageError
from flytenb.model import CacheStatus, Phase
from tests.waiting import PATIENCE

together, may_end = threading.Barrier(2), threading.Event()


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from diskcache import Cache as Store

    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path)), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)
    yield
    together.reset()
    may_end.set()


@task
def grow(x: int) -> int:
    return x + 1


@task
def shrink(x: int) -> int:
    return x - 1


@task(cache=Cache(version="1"))
def grow_kept(x: int) -> int:
    return x + 1


@reference_task(project="p", domain="d", name="elsewhere", version="1")
def elsewhere(x: int) -> int: ...


change, seconds, far = grow, 3600.0, elsewhere


@workflow
def changed(x: int) -> int:
    return change(x=x)


@workflow
def outer(x: int) -> int:
    return changed(x=changed(x=x))


@task
def waits(x: int) -> int:
    may_end.wait(PATIENCE)
    return x


@workflow
def overridden(x: int) -> int:
    return waits(x=x).with_overrides(timeout=timedelta(seconds=seconds))


@workflow
def kept(x: int) -> int:
    return grow_kept(x=x)


@workflow
def referring(x: int) -> int:
    return far(x=x)


@task
def meets(x: int) -> int:
    together.wait(PATIENCE)
    return x * 10


@workflow
def meeting(x: int) -> list[int]:
    return [meets(x=x), grow(x=x)]


@pytest.mark.parametrize("entity", [changed, outer], ids=["inside", "deep inside"])
def test_a_redefined_task_is_what_the_next_run_uses(entity: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    times = 2 if entity is outer else 1
    assert flytenb.run(entity, x=5).result == 5 + times
    monkeypatch.setitem(globals(), "change", shrink)
    assert flytenb.run(entity, x=5).result == 5 - times
    monkeypatch.setitem(globals(), "change", grow)
    assert flytenb.run(entity, x=5).result == 5 + times


@pytest.mark.parametrize(("entity", "path"), [(changed, "n0"), (outer, "n1/n0")], ids=["inside", "deep inside"])
def test_a_run_keeps_the_graph_of_what_it_ran_although_nobody_asked_for_it(
    entity: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = flytenb.run(entity, x=5)
    monkeypatch.setitem(globals(), "change", shrink)
    second = flytenb.run(entity, x=5)
    monkeypatch.setitem(globals(), "change", grow_kept)
    third = flytenb.run(entity, x=5)
    names = [run.graph.nodes[path].name for run in (first, second, third)]
    assert names == ["grow", "shrink", "grow_kept"]


def test_changed_overrides_are_what_the_next_run_keeps_to(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end.set()
    assert flytenb.run(overridden, x=5).result == 5
    may_end.clear()
    monkeypatch.setitem(globals(), "seconds", 0.05)
    assert flytenb.start(overridden, x=5).wait(PATIENCE).phase is Phase.FAILED


def test_settings_are_those_of_each_run() -> None:
    def status(**settings: Any) -> CacheStatus:
        return flytenb.options(**settings).run(kept, x=1).nodes["n0"].cache_status

    for _ in range(2):
        assert status(cache="overwrite") is CacheStatus.POPULATED
        assert status(cache=False) is CacheStatus.DISABLED
        assert status() is CacheStatus.HIT
        assert status(strict=True) is CacheStatus.HIT


@task
def where(x: int) -> int:
    return os.getpid()


@workflow
def places(x: int) -> list[int]:
    return [where(x=x), where(x=x)]


def test_whether_tasks_run_in_processes_is_for_each_run_to_say() -> None:
    here = os.getpid()
    for _ in range(2):
        assert flytenb.run(places, x=1).result == [here, here]
        assert here not in flytenb.options(processes=True).run(places, x=1).result
    both = [flytenb.options(processes=processes).start(places, x=1) for processes in (True, False)]
    assert [here in run.wait(PATIENCE).result for run in both] == [False, True]


@task(cache=Cache(version="1"))
def hand_on(file: FlyteFile) -> FlyteFile:
    return file


@task
def read(file: FlyteFile) -> str:
    return Path(file).read_text()


@workflow
def handed_on(file: FlyteFile) -> str:
    return read(file=hand_on(file=file))


def test_a_file_that_was_handed_on_and_has_changed_since_is_no_hit(tmp_path: Path) -> None:
    one, other = tmp_path / "one" / "name", tmp_path / "other" / "name"
    for path in (one, other):
        path.parent.mkdir()
        path.write_text("content")
    assert flytenb.run(handed_on, file=str(one)).result == "content"
    assert flytenb.run(handed_on, file=str(other)).nodes["n0"].cache_status is CacheStatus.HIT
    one.write_text("changed")
    again = flytenb.run(handed_on, file=str(other))
    assert (again.result, again.nodes["n0"].cache_status) == ("content", CacheStatus.POPULATED)


def test_stand_ins_are_those_of_each_run() -> None:
    assert flytenb.options(stand_ins={"elsewhere": lambda x: x + 7}).run(referring, x=1).result == 8
    assert flytenb.options(stand_ins={"elsewhere": lambda x: x + 9}).run(referring, x=1).result == 10
    with pytest.raises(FlytenbError, match="nothing to run here"):
        flytenb.run(referring, x=1)
    assert flytenb.options(stand_ins={grow.name: lambda x: x * 100}).run(meeting_free, x=2).result == 200
    assert flytenb.run(meeting_free, x=2).result == 3


@workflow
def meeting_free(x: int) -> int:
    return grow(x=x)


def test_two_runs_of_one_workflow_at_the_same_time_know_nothing_of_each_other() -> None:
    runs = [flytenb.start(meeting, x=x) for x in (1, 2)]
    assert [run.wait(PATIENCE).result for run in runs] == [[10, 2], [20, 3]]
    assert [run.nodes["n0"].inputs for run in runs] == [{"x": 1}, {"x": 2}]


@pytest.mark.parametrize(
    "settings", [{"workers": 0}, {"workers": -1}, {"workers": "4"}, {"workers": True}, {"cache": "yes"}], ids=str
)
def test_settings_that_no_run_could_be_done_with_are_refused_at_once(settings: dict[str, Any]) -> None:
    [(name, value)] = settings.items()
    with pytest.raises(UsageError, match=f"{name} must be .*, got {value!r}"):
        flytenb.options(**settings)
