"""Notebooks with the outputs that a shell of this process gives, as they are saved."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from serving import Measured

CELL = """
from flytekit import conditional, map_task, task, workflow

@task
def load_users(day: str, region: str) -> list[int]: ...
@task
def load_events(day: str, region: str) -> list[int]: ...
@task
def clean(rows: list[int]) -> list[int]: ...
@task
def join(users: list[int], events: list[int]) -> list[int]: ...
@task(retries=2)
def embed(row: int) -> float: ...
@task
def split(rows: list[float], share: float) -> tuple[list[float], list[float]]: ...
@task
def fit(rows: list[float], depth: int) -> float: ...
@task
def score(model: float, rows: list[float]) -> float: ...
@task
def release(model: float) -> str: ...
@task
def report(auc: float) -> str: ...

@workflow
def features(day: str, region: str) -> list[int]:
    users = clean(rows=load_users(day=day, region=region))
    return join(users=users, events=load_events(day=day, region=region))

@workflow
def train(rows: list[float], depth: int) -> tuple[float, float]:
    seen, unseen = split(rows=rows, share=0.8)
    model = fit(rows=seen, depth=depth)
    return model, score(model=model, rows=unseen)

@workflow
def churn(day: str, region: str = "eu", depth: int = 4, threshold: float = 0.9) -> str:
    rows = map_task(embed)(row=features(day=day, region=region))
    model, auc = train(rows=rows, depth=depth)
    return conditional("good").if_(auc > threshold).then(release(model=model)).else_().then(report(auc=auc))
"""


FRAMES = """
import pandas as pd
from flytekit import task, workflow

@task
def load(day: str) -> pd.DataFrame:
    print("loaded", day)
    names = [f"customer {i}" for i in range(40)]
    return pd.DataFrame({"customer": names, "day": day, "spent": [10.5 * i for i in range(40)], "orders": range(40)})
@task
def scale(rows: pd.DataFrame, by: float) -> pd.DataFrame:
    return rows.assign(spent=rows["spent"] * by)
@task
def join(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    return left.assign(orders=left["orders"] + right["orders"])
@task
def total(rows: pd.DataFrame) -> float:
    return float(rows["spent"].sum())

@workflow
def prepare(rows: pd.DataFrame) -> pd.DataFrame:
    return scale(rows=scale(rows=rows, by=2.0), by=3.0)

@workflow
def spending(day: str = "2024-02-29") -> float:
    both = join(left=scale(rows=load(day=day), by=1.1), right=scale(rows=load(day=day), by=1.2))
    return total(rows=scale(rows=join(left=scale(rows=prepare(rows=both), by=1.3), right=both), by=1.4))
"""


def saved(size: int) -> Callable[[], Measured]:
    """Return the drawing and saving of a notebook; its size is a further figure."""
    shell = _shell_with(CELL)
    return _saving(CELL, "churn", size, lambda: shell.display_formatter.format(shell.user_ns["churn"]))


def saved_runs(size: int) -> Callable[[], Measured]:
    """Return the saving of a notebook with finished runs, which aren't timed; its size is a further figure."""
    from flytenb.display.runs.run_card import run_bundle
    from flytenb.display.show import show

    shell = _shell_with(FRAMES)
    shell.run_cell("run = flytenb.start(spending).wait()").raise_error()
    run = shell.user_ns["run"]
    return _saving(FRAMES, "flytenb.run(spending)", size, lambda: (run_bundle(run, show), {}))


def _shell_with(cell: str) -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for source in ("%load_ext flytenb", "import flytenb", cell):
        shell.run_cell(source).raise_error()
    return shell


def _saving(define: str, source: str, size: int, shown: Callable[[], Any]) -> Callable[[], Measured]:
    """Return what shows the same as often as there are cells, and saves it."""
    import nbformat
    from nbformat import v4

    def once() -> Measured:
        began = time.perf_counter()
        cells = [v4.new_code_cell(define)]
        for number in range(1, size + 1):
            data, metadata = shown()
            made = v4.new_output("execute_result", data, metadata=metadata, execution_count=number)
            cells.append(v4.new_code_cell(source, outputs=[made], execution_count=number))
        text = nbformat.writes(v4.new_notebook(cells=cells))
        pictures = sum("svg" in str(cell.outputs) for cell in cells)
        return Measured(time.perf_counter() - began, pictures, {"megabytes": len(text.encode()) / 1e6})

    return once
