"""`mlflow_autolog` under another decorator, in an environment of its own, with MLflow's store in SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.backends.test_sent_requests import send

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script printed; it writes its store beside the environment."""
    folder: Path = tmp_path_factory.mktemp("mlflow") / "env"
    return send(folder, "run_with_mlflow.py", "flytekitplugins-mlflow>=1.16.31,<1.17", "scikit-learn")


def test_stacked_under_another_decorator_it_logs_what_the_task_did(found: dict[str, Any]) -> None:
    shown = "@noted('first') @mlflow_autolog(framework=WithoutModels, experiment_name='slopes')"
    assert found["decorators"].replace('"', "'") == shown
    assert found["result"] == 3.0
    first = found["first"]
    assert first["log"].startswith("noted first\n")
    assert (first["experiment"], first["status"], first["model"]) == ("slopes", "FINISHED", "True")
    assert first["metric"] == pytest.approx(3.0)


def test_each_node_links_to_its_own_run(found: dict[str, Any]) -> None:
    nodes = [found["first"], *found["mapped"], found["apart"], found["failed"]]
    assert [round(node["metric"]) for node in nodes[:-1]] == [3, 1, 2, 5]
    assert len({node["address"] for node in nodes}) == len(nodes)
    assert all(node["is_name"] and node["is_shown"] for node in nodes)
    assert all(f"{node['name']}: {node['address']}\n" in node["log"] for node in nodes)
    assert found["plain"] == []


def test_a_task_that_fails_links_to_its_run_too(found: dict[str, Any]) -> None:
    assert found["error"] == "no data for 3"
    assert (found["failed"]["experiment"], found["failed"]["status"]) == ("failures", "FAILED")
