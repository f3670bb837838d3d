"""Retries, time limits, dying pods, the cache and failure handlers of launched workflows, as the run shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from diskcache import Cache as Store
from flyteidl.event import event_pb2
from flytekit.core.local_cache import LocalTaskCache

import flytenb
from flytenb.display.runs.error_card import card_lines
from flytenb.model import CacheStatus, Phase
from flytenb.notebook.failures.error_cards import cell_names
from flytenb.session.cluster_choice import Cluster as Choice
from flytenb.session.host import host
from tests.cluster.cluster import Cluster
from tests.cluster.settings import Settings
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import PATIENCE, wait_for

pytestmark = [
    pytest.mark.slow,  # pods are processes
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning",
        "ignore::ResourceWarning",  # of event loops that IPython leaves
    ),
]
SETTINGS = Settings(reservation=0.0)
"""Of the cluster."""

CELL = """
import os
import pathlib
import signal
import time
from datetime import timedelta

from flytekit import map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.types.error import FlyteError

def attempt():
    return int(os.environ["FLYTE_ATTEMPT_NUMBER"])

@task(retries=2)
def flaky(x: int) -> int:
    if attempt() < 2:
        raise FlyteRecoverableException(f"attempt {attempt()} failed")
    return x

@task(retries=1)
def hopeless(x: int) -> int:
    if x:
        raise FlyteRecoverableException(f"attempt {attempt()} failed")
    return x

@task(retries=2)
def wrong(x: int) -> int:
    if x:
        raise ValueError("not again")
    return x

@task(retries=1, timeout=timedelta(milliseconds=300))
def slow(x: int) -> int:
    time.sleep(6000)
    return x

@task(interruptible=True)
def interrupted(x: int) -> int:
    if attempt() == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return x

@task(cache=True, cache_version="1", cache_serialize=True)
def cached(x: int) -> int:
    return x + 1

@task(cache=True, cache_version="1", cache_serialize=True)
def held(folder: str, x: int) -> int:
    mine = pathlib.Path(folder, f"{os.getpid()}-{attempt()}")
    mine.touch()
    while not pathlib.Path(folder, "go").exists():
        time.sleep(0.01)
    if pathlib.Path(folder, "fail").exists():
        raise ValueError("no result")
    return x

@task(interruptible=True)
def unlucky(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x

@task
def steady(x: int) -> int:
    return x

@workflow(interruptible=True)
def mostly_interruptible(x: int) -> int:
    return steady(x=unlucky(x=steady(x=x).with_overrides(interruptible=False)))

@workflow
def twice(xs: list[int], x: int) -> tuple[list[int], int]:
    return map_task(cached)(x=xs), cached(x=x)

@task
def clean_up(x: int, err: FlyteError | None = None) -> None:
    print(err)

@task
def clean_badly(x: int, err: FlyteError | None = None) -> None:
    raise RuntimeError(f"the handler of {x} failed")

@workflow(on_failure=clean_up)
def handled(x: int) -> int:
    return flaky(x=wrong(x=x))

@workflow(on_failure=clean_badly)
def badly_handled(x: int) -> int:
    return wrong(x=x)
""".strip()


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened, pytest.MonkeyPatch.context() as patch:
        opened.run(CELL, "%flyte runs")
        patch.setattr(host, "watchers", [])  # nothing is shown
        yield opened


@pytest.fixture(scope="module")
def choice(double: Cluster) -> Choice:
    return flytenb.cluster(double.config())


def finished(choice: Choice, notebook: Notebook, name: str, **inputs: Any) -> Any:
    return choice.launch(notebook.names[name], **inputs).wait(PATIENCE)


def attempts_of(run: Any) -> list[tuple[str, int, str]]:
    return [(event.path, event.attempt, event.text) for event in run.events if event.kind == "attempt"]


def test_attempts_are_shown_with_their_errors(choice: Choice, notebook: Notebook) -> None:
    run = finished(choice, notebook, "flaky", x=3)
    assert (run.phase, run.outputs, run.nodes["n0"].attempts) == (Phase.SUCCEEDED, {"o0": 3}, 3)
    assert [(path, number) for path, number, _ in attempts_of(run)] == [("n0", 1), ("n0", 2)]
    for number, (_, _, text) in enumerate(attempts_of(run)):
        assert f"attempt {number} failed" in text
        assert "Traceback" not in text


def test_the_card_of_the_last_attempt_names_the_earlier_ones_and_the_cell(choice: Choice, notebook: Notebook) -> None:
    run = finished(choice, notebook, "hopeless", x=1)
    lines = card_lines(run, cell_names(notebook.shell))
    assert run.nodes["n0"].attempts == 2
    assert [line for line in lines if "earlier:" in line and "attempt 0 failed" in line]
    assert [line for line in lines if line.endswith("failed at attempt 2")]
    at = CELL.splitlines().index('        raise FlyteRecoverableException(f"attempt {attempt()} failed")', 20) + 1
    assert f"  Cell In[1], line {at}, in hopeless" in lines
    assert [text for text in lines if "/hopeless.py" in text] == []


def test_an_error_of_the_user_is_not_tried_again(choice: Choice, notebook: Notebook) -> None:
    run = finished(choice, notebook, "wrong", x=1)
    assert (run.phase, run.nodes["n0"].attempts, attempts_of(run)) == (Phase.FAILED, 1, [])


def test_a_time_limit_ends_each_attempt(choice: Choice, notebook: Notebook) -> None:
    notebook.run("@workflow\ndef limited(x: int) -> int:\n    return slow(x=x)")
    run = finished(choice, notebook, "limited", x=3)
    node = run.nodes["n0"]
    assert (node.phase, node.attempts, node.outputs) == (Phase.TIMED_OUT, 2, {})
    assert run.phase in (Phase.FAILED, Phase.TIMED_OUT)
    assert len(attempts_of(run)) == 1
    assert [line for line in card_lines(run) if "node n0 (slow) of limited timed out at attempt 2" in line]


def test_a_pod_that_dies_is_replaced(choice: Choice, notebook: Notebook) -> None:
    run = finished(choice, notebook, "interrupted", x=3)
    assert (run.phase, run.outputs, run.nodes["n0"].attempts) == (Phase.SUCCEEDED, {"o0": 3}, 2)
    [(_, number, text)] = attempts_of(run)
    assert number == 1
    assert "exit code (137)" in text


def test_a_second_execution_finds_what_the_first_one_cached(
    choice: Choice, notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)
    first, second = (finished(choice, notebook, "twice", xs=[7, 8], x=9) for _ in range(2))
    here = [flytenb.run(notebook.names["twice"], xs=[7, 8], x=9) for _ in range(2)]

    def statuses(run: Any) -> dict[str, CacheStatus]:
        return {path: node.cache_status for path, node in run.nodes.items()}

    assert statuses(first)["n1"] is statuses(first)["n0/0"] is CacheStatus.POPULATED
    assert statuses(second)["n1"] is statuses(second)["n0/0"] is CacheStatus.HIT
    assert [statuses(run) for run in (first, second)] == [statuses(run) for run in here]
    assert second.outputs == first.outputs == {"o0": [8, 9], "o1": 10}
    hits = {event.path for event in second.events if event.kind == "phase" and event.cache is CacheStatus.HIT}
    assert hits == {"n0/0", "n0/1", "n1"}


def held_runs(choice: Choice, notebook: Notebook, folder: Path) -> list[Any]:
    """Two executions of one task with the same inputs, of which one runs and the other waits for it."""
    runs = [choice.launch(notebook.names["held"], folder=str(folder), x=1) for _ in range(2)]
    wait_for(lambda: len([*folder.iterdir()]) == 1)
    wait_for(lambda: sorted(phases_of(run)["n0"] for run in runs) == [Phase.QUEUED, Phase.RUNNING])
    return runs


def phases_of(run: Any) -> dict[str, Phase]:
    return {path: node.phase for path, node in run.nodes.items()}


def test_a_serialized_cache_lets_the_second_execution_wait_for_the_first(
    choice: Choice, notebook: Notebook, tmp_path: Path
) -> None:
    runs = held_runs(choice, notebook, tmp_path)
    (tmp_path / "go").touch()
    for run in runs:
        assert run.wait(PATIENCE).outputs == {"o0": 1}
    assert {run.nodes["n0"].cache_status for run in runs} == {CacheStatus.POPULATED, CacheStatus.HIT}
    assert len([*tmp_path.iterdir()]) == 2  # one attempt, and what let it go


def test_a_reservation_whose_owner_fails_expires(choice: Choice, notebook: Notebook, tmp_path: Path) -> None:
    runs = held_runs(choice, notebook, tmp_path)
    (tmp_path / "fail").touch()
    (tmp_path / "go").touch()
    assert [run.wait(PATIENCE).phase for run in runs] == [Phase.FAILED, Phase.FAILED]
    assert len([*tmp_path.iterdir()]) == 4  # two attempts


def test_a_waiting_execution_is_cancelled_and_the_other_one_goes_on(
    choice: Choice, notebook: Notebook, tmp_path: Path
) -> None:
    runs = held_runs(choice, notebook, tmp_path)
    [waiting] = [run for run in runs if phases_of(run)["n0"] is Phase.QUEUED]
    [running] = [run for run in runs if run is not waiting]
    waiting.cancel()
    assert waiting.wait(PATIENCE).phase is Phase.ABORTED
    (tmp_path / "go").touch()
    assert running.wait(PATIENCE).outputs == {"o0": 1}


def test_the_last_attempt_of_an_interruptible_task_is_not_interruptible(
    choice: Choice, notebook: Notebook, double: Cluster
) -> None:
    """The setting of the node comes before that of its task, and that before that of the workflow."""
    run = finished(choice, notebook, "mostly_interruptible", x=1)
    assert (run.phase, run.nodes["n1"].attempts) == (Phase.FAILED, 4)
    assert len(attempts_of(run)) >= 3
    record = double.wait(run.execution.rpartition(":")[2])

    def classes(node: str) -> list[str]:
        kinds = [task.message.closure.metadata.instance_class for task in record.nodes[node].tasks.values()]
        return [event_pb2.TaskExecutionMetadata.InstanceClass.Name(kind) for kind in kinds]

    assert classes("n0") == ["DEFAULT"]
    assert classes("n1") == [*["INTERRUPTIBLE"] * 3, "DEFAULT"]


def test_a_handler_runs_and_the_error_stays(choice: Choice, notebook: Notebook) -> None:
    run, local = finished(choice, notebook, "handled", x=1), flytenb.options().start(notebook.names["handled"], x=1)
    local.wait()
    assert {path: node.phase for path, node in run.nodes.items()} == {
        path: node.phase for path, node in local.nodes.items()
    }
    assert run.nodes["fn0"].phase is Phase.SUCCEEDED
    assert (run.error.path, run.error.message) == ("n0", "ValueError: not again")
    assert run.nodes["fn0"].inputs["x"] == 1
    assert "not again" in str(run.nodes["fn0"].inputs["err"])


def test_a_handler_that_fails_is_shown_beside_the_error(choice: Choice, notebook: Notebook) -> None:
    run = finished(choice, notebook, "badly_handled", x=1)
    assert (run.phase, run.nodes["fn0"].phase) == (Phase.FAILED, Phase.FAILED)
    assert run.error.path == "n0"
    [also] = run.also_failed
    assert (also.path, also.message) == ("fn0", "RuntimeError: the handler of 1 failed")
