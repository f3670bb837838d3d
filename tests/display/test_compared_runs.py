"""Comparisons of runs: values whose short texts are the same are told apart by their first part that differs."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from flytekit import task

import flytenb
from flytenb.display.show import show


@dataclass
class Report:
    scores: list[float]
    notes: str


class Silent:
    """An object that has nothing to tell."""

    def __repr__(self) -> str:
        return "silent"

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not now")

    __hash__ = None  # type: ignore[assignment]


@task
def made(n: int) -> tuple[pd.DataFrame, Report, list[int], int]:
    frame = pd.DataFrame({"region": ["north"] * 100, "sold": [0.5] * 100})
    frame.loc[7, "sold"] = n
    return frame, Report([0.1] * 50 + [float(n)], "x" * 200), [*range(100), n], n


@task
def silent() -> Silent:
    return Silent()


def test_values_of_one_text_are_told_apart() -> None:
    compared = flytenb.start(made, n=1).wait().compare(flytenb.start(made, n=2).wait())
    rows = [line.split() for line in show(compared).text.splitlines()]
    parts = [row[1:] for row in rows if row[:1] == ["(run)"]]
    assert parts == [
        ["o0['sold'].iloc[7]", "1.0", "2.0"],
        ["o1.scores[50]", "1.0", "2.0"],
        ["o2[100]", "1", "2"],
        ["o3", "1", "2"],
    ]


def test_values_that_cant_be_compared_keep_their_short_texts() -> None:
    compared = flytenb.start(silent).wait().compare(flytenb.start(silent).wait())
    assert "silent" in show(compared).text
