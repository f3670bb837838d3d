"""The picture and the text of a run: its inputs as they were given."""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flytekit import LaunchPlan, Workflow, conditional, dynamic, map_task, task, workflow
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.notebook.live.page_layout import PageLayout
from flytenb.runner.run import Run


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Options:
    depth: int = 3
    names: list[str] = field(default_factory=list)


@task
def keep(x: float = 0.11, y: int = 7777) -> float:
    return x


@workflow
def inner(threshold: float = 0.75, count: int = 8888) -> float:
    return keep(x=threshold, y=count)


@workflow
def outer(threshold: float = 0.75, count: int = 9999) -> float:
    return inner(threshold=threshold, count=count)


plan = LaunchPlan.get_or_create(outer, "plan_given", default_inputs={"threshold": 0.66}, fixed_inputs={"count": 5151})


@dynamic
def spread(threshold: float = 0.75) -> float:
    return inner(threshold=threshold, count=6)


@workflow
def holds_dynamic(threshold: float = 0.75) -> float:
    return spread(threshold=threshold)


@workflow
def chooses(threshold: float = 0.75) -> float:
    return conditional("c").if_(threshold > 0.9).then(keep(x=threshold, y=1)).else_().then(keep(x=threshold, y=2))


@task
def doubled(x: int = 4242) -> int:
    return 2 * x


@workflow
def maps(xs: list[int] = [4141]) -> list[int]:  # noqa: B006
    return map_task(doubled)(x=xs)


by_hand = Workflow(name="by_hand_given")
by_hand.add_workflow_input("threshold", float)
by_hand.add_workflow_output("o", by_hand.add_entity(keep, x=by_hand.inputs["threshold"], y=1).outputs["o0"], float)


def reported(run: Run) -> list[str]:
    """Everything that shows a run: the drawing, the live view's picture, and what a saved notebook keeps."""
    drawn = flytenb.draw(run)
    frozen = run_bundle(run, show)
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', frozen["text/html"])
    picture = base64.b64decode(data).decode()
    live = PageLayout.of(run.graph)
    return [drawn.text, drawn.svg, drawn.mermaid, live.text, live.svg, frozen["text/plain"], picture]


@pytest.mark.parametrize(
    ("entity", "given", "shown", "hidden"),
    [
        (outer, {"threshold": 0.5}, ["threshold: float = 0.5", "count: int = 9999"], ["0.75", "8888", "7777", "0.11"]),
        (outer, {}, ["threshold: float = 0.75", "count: int = 9999"], ["8888", "7777"]),
        (outer, {"threshold": 0.5, "count": 1}, ["threshold: float = 0.5", "count: int = 1"], ["9999", "0.75"]),
        (plan, {}, ["threshold: float = 0.66", "count: int = 5151"], ["0.75", "9999"]),
        (plan, {"threshold": 0.5}, ["threshold: float = 0.5", "count: int = 5151"], ["0.75", "0.66"]),
        (keep, {"x": 0.5}, ["x: float = 0.5", "y: int = 7777"], ["0.11"]),
        (spread, {"threshold": 0.5}, ["threshold: float = 0.5"], ["0.75", "8888"]),
        (holds_dynamic, {"threshold": 0.5}, ["threshold: float = 0.5"], ["0.75", "8888"]),
        (chooses, {"threshold": 0.5}, ["threshold: float = 0.5"], ["0.75", "7777"]),
        (maps, {"xs": [1, 2]}, ["1, 2"], ["4141", "4242"]),
        (by_hand, {"threshold": 0.5}, ["threshold: float = 0.5"], ["7777"]),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_a_run_shows_what_it_was_given_and_no_default_in_its_place(
    entity: Any, given: dict[str, Any], shown: list[str], hidden: list[str]
) -> None:
    run = flytenb.run(entity, **given)
    for text in reported(run):
        plain = " ".join(re.sub("<[^>]*>|: ", " ", text).split())
        assert [wrong for wrong in hidden if wrong in text] == []
        assert [missing for missing in shown if missing.replace(": ", " ") not in plain and missing not in text] == []


def test_the_entity_itself_is_still_drawn_with_its_defaults() -> None:
    flytenb.run(outer, threshold=0.5)
    assert "threshold: float = 0.75" in flytenb.draw(outer).text
    assert "threshold: float = 0.66" in flytenb.draw(plan).text
    assert "0.75" not in flytenb.draw(plan).text


def test_a_run_that_is_on_and_one_that_failed_show_it_too() -> None:
    run = flytenb.start(fails, threshold=0.5).wait()
    assert "threshold: float = 0.5" in flytenb.draw(run).text


@task
def raises(x: float) -> float:
    if x:
        raise ValueError("by the user")
    return x


@workflow
def fails(threshold: float = 0.75) -> float:
    return raises(x=threshold)


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@task
def anything(x: Any = None) -> int:
    return 1


@task
def of_options(x: Options) -> int:
    return 1


@task
def of_color(x: Color = Color.RED) -> int:
    return 1


@task
def of_text(x: str = "default") -> int:
    return 1


@task
def of_frame(x: pd.DataFrame) -> int:
    return 1


@task
def of_file(x: FlyteFile) -> int:
    return 1


@task
def of_maybe(x: int | None = 3) -> int:
    return 1


def a_file() -> str:
    path = Path(tempfile.mkdtemp()) / "a.txt"
    path.write_text("x")
    return str(path)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("entity", "make", "shown"),
    [
        (of_color, lambda: Color.BLUE, "Color.BLUE"),
        (of_options, lambda: Options(5, ["a"]), "Options(depth=5, names=['a'])"),
        (of_maybe, lambda: None, "x: int | None = None"),
        (of_text, lambda: "<script>alert(1)</script>", "<script>"),
        (of_text, lambda: "\x1b[31mred\x1b[0m\n\n<b>", "red"),
        (of_text, lambda: "x" * 1_000_000, "xxx"),
        (of_text, lambda: "\u202eevil", "evil"),
        (anything, lambda: list(range(1_000_000)), "[0, 1, 2"),
        (anything, Hostile, "Hostile"),
        (of_frame, lambda: pd.DataFrame({"a": range(1000)}), "x: DataFrame = "),
        (of_file, a_file, "x: FlyteFile = "),
    ],
)
def test_long_and_hostile_values_are_short_and_harmless(entity: Any, make: Callable[[], Any], shown: str) -> None:
    run = flytenb.run(entity, x=make())
    text, svg, *_, frozen, frozen_svg = reported(run)
    assert shown in text
    line = next(line for line in text.splitlines() if "in   x" in line)
    assert len(line) < 160
    for each in (text, svg, frozen, frozen_svg):
        assert "\x1b" not in each
        assert "\u202e" not in each
        assert len(each) < 100_000
    for each in (svg, frozen_svg):
        assert "<script>" not in each
        assert "<b>" not in each


def test_what_was_given_is_what_it_was_when_the_run_began() -> None:
    given = [1, 2]
    run = flytenb.run(maps, xs=given)
    given.append(333)
    assert "333" not in flytenb.draw(run).text


@task
def rows(frame: pd.DataFrame) -> int:
    return len(frame)


@dynamic
def counts_rows(frame: pd.DataFrame) -> int:
    return rows(frame=frame)


@task
def few() -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2]})


@workflow
def counts_few() -> int:
    return counts_rows(frame=few())


def test_a_frame_that_a_dynamic_passes_on_is_not_shown_as_a_temporary_file() -> None:
    text = flytenb.draw(flytenb.run(counts_few)).text
    assert "frame = a data frame" in text
    assert tempfile.gettempdir() not in text
