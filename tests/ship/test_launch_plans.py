"""Launch plans and their schedules on the double of a cluster: registered, activated, listed, deactivated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import flytenb
from flytenb.errors import ClusterError, UnknownNameError, UsageError
from flytenb.session.cluster_choice import Cluster as Choice
from flytenb.session.host import host
from tests.cluster.cluster import Cluster
from tests.ship.notebooks import Notebook, open_notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::ResourceWarning",  # of event loops that IPython leaves
)

CELL = """
from datetime import UTC, datetime, timedelta

from flytekit import CronSchedule, FixedRate, LaunchPlan, task, workflow

@task
def add(x: int, n: int, at: datetime) -> int:
    return x + n

@workflow
def wf(x: int, n: int = 1, at: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> int:
    return add(x=x, n=n, at=at)

nightly = LaunchPlan.get_or_create(
    wf,
    "nightly",
    schedule=CronSchedule(schedule="0 2 * * *", kickoff_time_input_arg="at"),
    fixed_inputs={"n": 3},
    default_inputs={"x": 1},
)
often = LaunchPlan.get_or_create(
    wf, "often", schedule=FixedRate(timedelta(minutes=10)), default_inputs={"x": 5}, auto_activate=True
)
daily = LaunchPlan.get_or_create(wf, "daily", schedule=FixedRate(timedelta(days=1)), default_inputs={"x": 5})
""".strip()


@pytest.fixture(scope="module")
def notebook() -> Iterator[Notebook]:
    with open_notebook() as opened, pytest.MonkeyPatch.context() as patch:
        opened.run(CELL, "%flyte runs")
        patch.setattr(host, "watchers", [])  # nothing is shown
        yield opened


@pytest.fixture(scope="module")
def choice(double: Cluster, notebook: Notebook) -> Choice:
    """A cluster with the plans of the cell; only `often` asks to be activated."""
    chosen = flytenb.cluster(double.config())
    assert repr(chosen.plans()) == "no launch plan is active or has a schedule"
    for name in ("nightly", "often", "daily"):
        chosen.register(notebook.names[name])
    return chosen


def states(listing: Any) -> dict[str, str]:
    return {row[0]: row[1] for row in listing.rows}


def test_plans_are_listed_with_their_schedules_and_inputs(choice: Choice) -> None:
    rows = {row[0]: row for row in choice.plans().rows}
    assert set(rows) == {"nightly", "often", "daily"}  # not that of each workflow's name
    assert [rows[name][2] for name in ("nightly", "often", "daily")] == [
        "cron 0 2 * * *",
        "every 10 minutes",
        "every day",
    ]
    assert rows["nightly"][4] == "n=3 fixed, at: the time of the schedule, x=1"
    assert rows["often"][4] == "at=2024-01-01 00:00:00+00:00, n=1, x=5"
    assert states(choice.plans()) == {"nightly": "inactive", "often": "active", "daily": "inactive"}


def test_a_plan_is_activated_and_deactivated(choice: Choice, double: Cluster, notebook: Notebook) -> None:
    assert states(choice.activate(notebook.names["nightly"]))["nightly"] == "active"
    assert states(choice.deactivate("nightly"))["nightly"] == "inactive"
    assert states(choice.activate("nightly"))["nightly"] == "active"
    assert states(choice.deactivate(notebook.names["nightly"]))["nightly"] == "inactive"
    with pytest.raises(ClusterError, match="No active launch plan could be found"):
        choice.deactivate("nightly")


def test_activating_a_changed_plan_registers_it_and_replaces_the_version(
    choice: Choice, double: Cluster, notebook: Notebook
) -> None:
    choice.activate(notebook.names["daily"])
    [before] = [plan for plan in choice.plans() if plan.name == "daily"]
    notebook.run(
        'daily = LaunchPlan.get_or_create(wf, "daily", schedule=FixedRate(timedelta(days=2)), default_inputs={"x": 6})'
    )
    [after] = [plan for plan in choice.activate(notebook.names["daily"]) if plan.name == "daily"]
    assert (before.is_active, after.is_active) == (True, True)
    assert (before.rate, after.rate) == ((1, "day"), (2, "day"))
    assert before.version != after.version
    choice.deactivate("daily")
    [inactive] = [plan for plan in choice.plans() if plan.name == "daily"]
    assert (inactive.is_active, inactive.version) == (False, after.version)  # the latest one


def test_what_is_no_plan_is_refused(choice: Choice, notebook: Notebook) -> None:
    with pytest.raises(UsageError, match=r"expected a launch plan or a workflow, got task 'add\.add'"):
        choice.activate(notebook.names["add"])
    with pytest.raises(UnknownNameError, match="no launch plan 'nowhere'"):
        choice.activate("nowhere")


def test_the_magic_lists_and_changes(
    choice: Choice, double: Cluster, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in double.environment().items():
        monkeypatch.setenv(name, value)
    assert states(notebook.run("%flyte plans --activate nightly"))["nightly"] == "active"
    assert states(notebook.run("%flyte plans --deactivate nightly"))["nightly"] == "inactive"
    assert "every 10 minutes" in repr(notebook.run("%flyte plans"))
