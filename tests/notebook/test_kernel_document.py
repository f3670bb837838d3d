"""The document that this project exists for, alive in a kernel: as written, then filled in, drawn, run and shown."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.kernel import Kernel, Outcome, code_cells, executed

pytestmark = pytest.mark.kernel

FILLED = """
import random
from flytekit import task

@task
def generate_coordinates(num: int) -> typing.List[Coordinate]:
    generator = random.Random(num)
    return [
        Coordinate(x=generator.random(), y=generator.random(), metadata={"index": float(i)}) for i in range(num)
    ]

@task
def subset_coordinates(
    coordinates: typing.List[Coordinate], x_min: float, x_max: float,
) -> typing.List[Coordinate]:
    return [c for c in coordinates if x_min <= c.x <= x_max]
"""
WORKFLOW = """
%%workflow
def wf(num: int, x_min: float, x_max: float) -> typing.List[Coordinate]:
    return subset_coordinates(coordinates=generate_coordinates(num=num), x_min=x_min, x_max=x_max)
"""
RUN = "run = %flyte run wf(num=1000, x_min=0.25, x_max=0.5)"


def expected() -> list[tuple[float, float, dict[str, float]]]:
    """What the filled-in tasks must give, without Flyte."""
    generator = random.Random(1000)
    pairs = [(generator.random(), generator.random()) for _ in range(1000)]
    return [(x, y, {"index": float(i)}) for i, (x, y) in enumerate(pairs) if 0.25 <= x <= 0.5]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        yield kernel


@pytest.fixture(scope="module")
def as_written(kernel: Kernel) -> list[Outcome]:
    return [kernel.run(cell) for cell in code_cells()]


@pytest.fixture(scope="module")
def stubs_run(kernel: Kernel, as_written: list[Outcome]) -> list[Outcome]:
    return [kernel.run("%flyte run generate_coordinates(num=3)"), kernel.run("generate_coordinates(num=3)")]


@pytest.fixture(scope="module")
def finished(kernel: Kernel, stubs_run: list[Outcome]) -> Outcome:
    kernel.run(FILLED).ok()
    kernel.run(WORKFLOW).ok()
    return kernel.run(RUN).ok()


def test_every_code_cell_runs_as_written(as_written: list[Outcome]) -> None:
    assert [outcome.ok().error for outcome in as_written] == [None] * 4


def test_the_decorated_task_prints_both_lines_and_gives_eleven(as_written: list[Outcome]) -> None:
    assert as_written[-1].text == "do something before\ndo something after\n"
    assert as_written[-1].result == "11"


def test_running_a_stub_says_that_it_has_no_body_yet(stubs_run: list[Outcome]) -> None:
    for outcome in stubs_run:
        assert "generate_coordinates has no body yet" in outcome.fails().traceback


def test_the_filled_in_stubs_give_the_right_coordinates(kernel: Kernel, finished: Outcome) -> None:
    assert kernel.value("[(c.x, c.y, c.metadata) for c in run.result]") == expected()
    assert kernel.value("[str(run.phase), run.result == run.outputs['o0']]") == ["SUCCEEDED", True]
    assert kernel.value("type(run.result[0]) is Coordinate")


def test_a_run_gives_what_flytekit_gives(kernel: Kernel, finished: Outcome) -> None:
    assert kernel.value("run.result == wf(num=1000, x_min=0.25, x_max=0.5)")


def test_the_run_shows_a_picture_and_a_table_of_coordinates(finished: Outcome) -> None:
    assert_shows_the_workflow(finished)
    assert_is_a_table_of_coordinates(finished)


def test_a_result_is_shown_as_a_table_of_coordinates(kernel: Kernel, finished: Outcome) -> None:
    shown = kernel.run("import flytenb; flytenb.show(run.result)").ok()
    assert_is_a_table_of_coordinates(shown)
    assert f"{len(expected())} items" in shown.shown


def test_the_workflow_as_last_line_shows_its_drawing(kernel: Kernel, finished: Outcome) -> None:
    assert_shows_the_workflow(kernel.run("wf").ok())
    assert_shows_the_workflow(kernel.run("%flyte draw wf").ok())


@pytest.mark.slow
def test_the_saved_notebook_holds_the_picture_and_the_table(tmp_path: Path) -> None:
    cells = ["%load_ext flytenb", *code_cells(), FILLED, WORKFLOW, "%flyte run wf(num=1000, x_min=0.25, x_max=0.5)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c.strip("\n")) for c in cells])
    executed(notebook, tmp_path)
    nbformat.write(notebook, tmp_path / "saved.ipynb")
    saved: Any = nbformat.read(tmp_path / "saved.ipynb", as_version=4)
    nbformat.validate(saved)
    outcome = Outcome([dict(output) for output in saved.cells[-1].outputs], {"status": "ok"})
    assert_shows_the_workflow(outcome)
    assert_is_a_table_of_coordinates(outcome)


def assert_shows_the_workflow(outcome: Outcome) -> None:
    """A drawing of both tasks, and the same facts for those who see text only."""
    for task in ("generate_coordinates", "subset_coordinates"):
        assert any(task in picture for picture in outcome.pictures)
        assert task in outcome.shown


def assert_is_a_table_of_coordinates(outcome: Outcome) -> None:
    """A table with a header per field, and the same facts for those who see text only."""
    headers = re.findall(r"<th\b[^>]*>(.*?)</th>", outcome.html, flags=re.S)
    words = [re.sub(r"<[^>]*>", " ", header).split() for header in headers]
    for name in ("x", "y", "metadata"):
        assert any(name in header for header in words)
        assert name in outcome.shown.split()
