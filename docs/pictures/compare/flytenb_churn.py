"""The compared pipeline in Flyte, written as a page by flytenb."""

from __future__ import annotations

import sys
from functools import partial
from typing import NamedTuple

import flytekit
from flytekit import conditional, map_task, task, workflow

import flytenb


class Halves(NamedTuple):
    train: list[float]
    test: list[float]


class Best(NamedTuple):
    model: str
    auc: float


@task
def load_users(day: str) -> list[str]:
    return [day]


@task
def load_events(day: str) -> list[str]:
    return [day]


@task
def join(users: list[str], events: list[str]) -> list[str]:
    return users + events


@task(retries=2, requests=flytekit.Resources(mem="8Gi"))
def features(part: str, scale: float) -> float:
    return len(part) * scale


@task
def split(rows: list[float], share: float) -> Halves:
    return Halves(rows[: int(share * len(rows))], rows)


@task(cache=True, cache_version="1")
def train_forest(rows: list[float], trees: int) -> str:
    return "forest"


@task(cache=True, cache_version="1")
def train_linear(rows: list[float]) -> str:
    return "linear"


@task
def pick(forest: str, linear: str, rows: list[float]) -> Best:
    return Best(forest, 0.9)


@task
def publish(model: str) -> str:
    return model


@task
def report(auc: float) -> str:
    return str(auc)


@workflow
def churn(day: str, trees: int = 200) -> str:
    parts = join(users=load_users(day=day), events=load_events(day=day))
    rows = map_task(partial(features, scale=0.5), concurrency=4)(part=parts)
    halves = split(rows=rows, share=0.8)
    forest = train_forest(rows=halves.train, trees=trees)
    best = pick(forest=forest, linear=train_linear(rows=halves.train), rows=halves.test)
    good = conditional("good enough").if_(best.auc > 0.8)
    return good.then(publish(model=best.model)).else_().then(report(auc=best.auc))


if __name__ == "__main__":
    flytenb.draw(churn).save(sys.argv[1])
