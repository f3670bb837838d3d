"""Details of a node: what the inspector of a run shows of its attempts and its error."""

from __future__ import annotations

import pytest
from flytekit import task
from flytekit.exceptions.user import FlyteRecoverableException

import flytenb
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.show import show
from flytenb.reach import code_parts

tried: list[int] = []


@task(retries=2)
def shaky(x: int) -> int:
    tried.append(x)
    if len(tried) % 2:
        raise FlyteRecoverableException("connection reset\nby peer")
    return x


@task
def wrong(x: int) -> int:
    return 1 // (x - x)


def test_attempts_that_failed_before_a_success_are_among_the_facts() -> None:
    tried.clear()
    details = NodeDetails.of(flytenb.start(shaky, x=1).wait(), "n0", show)
    assert details.phase == "SUCCEEDED"
    [line] = [fact for fact in details.facts if fact.startswith("attempt 1 failed: ")]
    assert line.endswith("FlyteRecoverableException: connection reset")
    assert details.state.startswith("succeeded · ") and details.state.endswith(" · 2 attempts")
    said = [details.path, "task", *details.state.split(" · ")]
    assert not [fact for fact in details.facts if fact in said[:1] or fact in said[2:] or fact.startswith("took")]


def test_frames_of_cells_are_named_by_their_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    run = flytenb.start(wrong, x=1).wait()
    assert "test_node_details.py, line " in NodeDetails.of(run, "n0", show).error
    monkeypatch.setattr(code_parts, "cell_finders", [lambda file: 8 if file == __file__ else None])
    monkeypatch.setattr("flytenb.display.runs.node_details.cell_finders", code_parts.cell_finders)
    lines = NodeDetails.of(run, "n0", show).error.splitlines()
    assert any(line.startswith("  Cell In[8], line ") for line in lines)
    assert not any("test_node_details.py, line" in line for line in lines)
