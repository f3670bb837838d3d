"""Enums and literals as types and as constants."""

from enum import Enum
from typing import Literal

from flytekit import task, workflow


class Level(Enum):
    LOW = "low"
    HIGH = "high"


@task
def raise_level(level: Level, mode: Literal["fast", "slow"]) -> Level:
    return Level.HIGH if mode == "fast" else level


@task
def tell(levels: list[Level], by_name: dict[str, Level]) -> str:
    return ",".join(x.name for x in levels) + f" {by_name['k'].value}"


@workflow
def enums_literals(level: Level = Level.LOW) -> str:
    up = raise_level(level=level, mode="fast")
    return tell(levels=[up, Level.LOW, level], by_name={"k": Level.LOW})


ENTITY = enums_literals
INPUTS = {}
EXPECTED = "HIGH,LOW,LOW low"
