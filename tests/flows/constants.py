"""Constants of many types, defaults of a task and of the workflow itself."""

import datetime
from dataclasses import dataclass
from enum import Enum

from flytekit import task, workflow


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: float
    name: str = "p"


@task
def describe(
    count: int,
    ratio: float,
    text: str,
    flag: bool,
    color: Color,
    day: datetime.datetime,
    pause: datetime.timedelta,
    point: Point,
    xs: list[int],
    table: dict[str, list[int]],
    scale: int = 3,
    note: str | None = None,
) -> str:
    return f"{count} {ratio} {text} {flag} {color.name} {day:%Y-%m-%d} {pause} {point} {xs} {table} {scale} {note}"


@task
def measure(text: str, threshold: int) -> bool:
    return len(text) > threshold


@workflow
def constants(threshold: int = 10, flag: bool = True) -> tuple[str, bool]:
    text = describe(
        count=7,
        ratio=0.5,
        text="a / b",
        flag=flag,
        color=Color.BLUE,
        day=datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC),
        pause=datetime.timedelta(minutes=90),
        point=Point(x=1, y=2.5),
        xs=[1, 2, 3],
        table={"a": [1], "b": []},
    )
    return text, measure(text=text, threshold=threshold)


ENTITY = constants
INPUTS = {}
EXPECTED = (
    "7 0.5 a / b True BLUE 2024-02-29 1:30:00 Point(x=1, y=2.5, name='p') [1, 2, 3] {'a': [1], 'b': []} 3 None",
    True,
)
