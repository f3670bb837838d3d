"""A map over pydantic models, as flytekit tasks; of its own, since few sides load pydantic."""

from __future__ import annotations

from flytekit import map_task, task, workflow
from pydantic import BaseModel


class Reading(BaseModel):
    x: float
    name: str


@task
def move(reading: Reading) -> Reading:
    return Reading(x=reading.x + 1, name=reading.name)


@task
def total_of(readings: list[Reading]) -> float:
    return sum(reading.x for reading in readings)


@workflow
def moved(readings: list[Reading]) -> float:
    return total_of(readings=map_task(move)(reading=readings))


def make_readings(size: int) -> list[Reading]:
    return [Reading(x=float(i), name=f"r{i}") for i in range(size)]
