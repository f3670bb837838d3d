"""Displays as a site shows them that removes style sheets: words stay apart, and none is told twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flytekit import task

import flytenb
from flytenb.display.entity_card import entity_bundle
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from tests.flows import FLOWS
from tests.sanitised import sanitised_html

GLUED = re.compile(r"\w(?:</(?:span|b|strong|em|code|small)>)+(?:<(?:span|b|strong|em|code|small)\b[^>]*>)*\w")
BRANCH = FLOWS["branch"]


@task
def halved(n: int) -> float:
    if n > 2:
        raise ValueError("too large")
    return n / 2


def _run() -> Any:
    return flytenb.start(BRANCH.entity, **BRANCH.inputs).wait()


def _card(run: Any) -> str:
    return run_bundle(run, show)["text/html"]


def _html(shown: Any) -> str:
    found = shown._repr_mimebundle_()
    return str((found[0] if isinstance(found, tuple) else found)["text/html"])


DISPLAYS: dict[str, Callable[[], str]] = {
    "run": lambda: _card(_run()),
    "failed": lambda: _card(flytenb.start(halved, n=3).wait()),
    "sweep": lambda: _html(flytenb.sweep(halved, n=[1, 2, 3]).wait()),
    "timeline": lambda: _html(show(_run().timeline())),
    "nodes": lambda: _html(show(_run().nodes)),
    "comparison": lambda: _html(show(_run().compare(_run()))),
    "lens": lambda: _html(flytenb.lens(pd.DataFrame)),
    "code": lambda: _html(flytenb.code_of(halved)),
    "rehearsal": lambda: _html(flytenb.rehearse(halved, n=2)),
    "task": lambda: entity_bundle(halved, lambda graph, entity: graph)[0]["text/html"],
    "conformance": lambda: _html(flytenb.check_transformer(int)),
    "frame": lambda: show(pd.DataFrame({"who": ["Ada", None], "spent": [1.5, 2.5]}), name="rows").html,
    "numbers": lambda: show([1.5, 2.5], name="rows").html,
    "tree": lambda: show({"a": [1, {"b": None}], "c": "x"}, name="rows").html,
    "array": lambda: show(np.arange(6.0).reshape(2, 3), name="rows").html,
    "folder": lambda: show(Path(__file__).parent, name="rows").html,
}


@pytest.mark.parametrize("name", DISPLAYS)
def test_words_stay_apart(name: str) -> None:
    html = sanitised_html(DISPLAYS[name]())
    assert re.search(r"\w", re.sub("<[^>]*>", "", html))
    assert GLUED.findall(html) == []


def test_a_sweep_reads_line_by_line() -> None:
    words = re.sub("<[^>]*>", "", sanitised_html(DISPLAYS["sweep"]()))
    lines = [line.strip() for line in words.splitlines()]
    assert "sweep of halved · 3 runs: 2 succeeded, 1 failed" in lines
    assert "run n phase o0 took why" in lines
    assert any(re.fullmatch(r"1 · 2 · ✓ succeeded · 1\.0 · \S+ \S+", line) for line in lines), lines
