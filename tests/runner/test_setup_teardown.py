"""Set-up and tear-down run in order around what they are for, and after a failure where the workflow says so."""

from __future__ import annotations

from typing import Any

import pytest

import flytenb
from flytenb.model import Phase
from flytenb.runner.run import Run
from tests.flows import FLOWS

WAYS: list[dict[str, Any]] = [{}, {"strict": True}, {"workers": 1}, {"processes": True}]


def order(run: Run) -> list[str]:
    """The names of the tasks that ran, in the order of their starts."""
    paths = [e.path for e in run.events if e.kind == "phase" and e.phase is Phase.RUNNING and e.path]
    nodes = run.graph.nodes
    return [nodes[p].name for p in paths if not nodes[p].children]


def run(name: str, settings: dict[str, Any]) -> Run:
    flow = FLOWS[name]
    return flytenb.options(**settings).start(flow.entity, **flow.inputs).wait()


@pytest.mark.parametrize("settings", WAYS, ids=str)
def test_stacked_decorators_run_from_the_outermost_in_and_out_again(settings: dict[str, Any]) -> None:
    done = run("setup_teardown_nested", settings)
    inside = ["start_server", "open_connection", "query", "close_connection", "stop_server"]
    for session in ("n0", "n1"):
        started = [done.nodes[f"{session}/n{i}"] for i in range(5)]
        assert [node.entity.name.rpartition(".")[2] for node in started] == inside
        assert [node.started for node in started] == sorted(node.started or 0 for node in started)
    assert order(done).count("query") == 2
    assert order(done)[-1] == "add"


@pytest.mark.parametrize("settings", WAYS, ids=str)
def test_what_does_not_depend_on_the_failure_completes_with_its_tear_down(settings: dict[str, Any]) -> None:
    done = run("setup_teardown_fails", settings)
    ran = order(done)
    assert sorted(ran) == ["close_connection", "open_connection", "query", "write_report"]
    assert ran[0] == "open_connection"
    assert ran.index("write_report") < ran.index("close_connection")
    phases = {done.graph.nodes[path].name: node.phase for path, node in done.nodes.items()}
    assert phases["close_connection"] is Phase.SUCCEEDED
    assert phases["query"] is Phase.FAILED


@pytest.mark.parametrize("settings", WAYS, ids=str)
def test_a_tear_down_after_the_failed_node_is_the_handlers_work(settings: dict[str, Any]) -> None:
    done = run("setup_teardown_handler", settings)
    assert order(done) == ["open_connection", "query", "close_after_failure"]
    phases = {done.graph.nodes[path].name: node.phase for path, node in done.nodes.items()}
    assert phases["close_connection"] is not Phase.SUCCEEDED
    assert "close after select 1" in next(n.log for n in done.nodes.values() if n.path.endswith("fn0"))


@pytest.mark.parametrize("settings", WAYS, ids=str)
def test_the_handler_stays_away_from_a_workflow_that_succeeds(settings: dict[str, Any]) -> None:
    done = flytenb.options(**settings).run(FLOWS["setup_teardown_handler"].entity, text="")
    assert order(done) == ["open_connection", "query", "close_connection"]


@pytest.mark.parametrize("settings", WAYS, ids=str)
def test_what_a_dynamic_makes_is_set_up_and_torn_down(settings: dict[str, Any]) -> None:
    ran = order(run("setup_teardown_dynamic", settings))
    assert ran.index("open_connection") < ran.index("total")
    assert ran[-1] == "close_connection"
