"""Details of a node: what the inspector of a run shows of its attempts and its error."""

from __future__ import annotations

import re

import pytest
from flytekit import task
from flytekit.exceptions.user import FlyteRecoverableException

import flytenb
from flytenb.display.entity_card import entity_bundle
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.runs.run_card import run_bundle, run_facts
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


def test_each_attempt_that_failed_before_a_success_has_a_line() -> None:
    tried.clear()
    details = NodeDetails.of(flytenb.start(shaky, x=1).wait(), "n0", show)
    assert details.phase == "SUCCEEDED"
    assert details.earlier == ("attempt 1 failed: FlyteRecoverableException: connection reset",)
    assert details.state.startswith("succeeded · ") and details.state.endswith(" · 2 attempts")
    said = [details.path, "task", *details.state.split(" · ")]
    assert not [fact for fact in details.facts if fact in said[:1] or fact in said[2:] or fact.startswith("took")]


@task(retries=2)
def hopeless(x: int) -> int:
    raise FlyteRecoverableException(f"attempt at {x}")
    return x


def test_each_attempt_before_the_last_failure_has_a_line_in_the_inspector_and_in_the_saved_page() -> None:
    run = flytenb.start(hopeless, x=4).wait()
    details = NodeDetails.of(run, "n0", show)
    expected = [f"attempt {number} failed: FlyteRecoverableException: attempt at 4" for number in (1, 2)]
    assert list(details.earlier) == expected
    assert "earlier" not in details.error
    page = run_bundle(run, show)["text/html"]
    assert [page.count(f'<div class="ft-note">{line}</div>') for line in expected] == [1, 1]


@task
def embed(documents: list[str], threshold: float, model: str, size: int) -> int:
    return len(documents)


def test_the_first_line_of_a_run_cuts_long_inputs_and_counts_those_left_out() -> None:
    inputs = {"documents": ["a long document"] * 30, "threshold": 0.5, "model": "x" * 30, "size": 32}
    facts = run_facts(flytenb.start(embed, **inputs).wait()).split(" · ")[2:]
    assert facts == ["documents ['a long document', …", "threshold 0.5", "and 2 more"]
    facts = run_facts(flytenb.start(embed, **(inputs | {"documents": ["a"], "model": "m"})).wait()).split(" · ")[2:]
    assert facts == ["documents ['a']", "threshold 0.5", "model 'm'", "size 32"]


def test_frames_of_cells_are_named_by_their_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    run = flytenb.start(wrong, x=1).wait()
    assert "test_node_details.py, line " in NodeDetails.of(run, "n0", show).error
    monkeypatch.setattr(code_parts, "cell_finders", [lambda file: 8 if file == __file__ else None])
    lines = NodeDetails.of(run, "n0", show).error.splitlines()
    assert any(line.startswith("  Cell In[8], line ") for line in lines)
    assert not any("test_node_details.py, line" in line for line in lines)
    assert run.error is not None
    assert "  Cell In[8], line " in run.error.full()
    assert __file__ not in run.error.full()
    card = entity_bundle(wrong)[0]["text/plain"]
    assert re.search(r"defined in +Cell In\[8\], line \d+", card)
    assert "about" not in card
    assert "default" not in card
