"""Notebooks with the outputs that a shell of this process gives, as they are saved."""

from __future__ import annotations

import time
from collections.abc import Callable

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


def saved(size: int) -> Callable[[], Measured]:
    """Return the drawing and saving of a notebook; its size is a further figure."""
    import nbformat
    from IPython.core.interactiveshell import InteractiveShell
    from nbformat import v4

    shell = InteractiveShell.instance()
    shell.run_cell("%load_ext flytenb").raise_error()
    shell.run_cell(CELL).raise_error()

    def once() -> Measured:
        began = time.perf_counter()
        cells = [v4.new_code_cell(CELL)]
        for number in range(1, size + 1):
            data, metadata = shell.display_formatter.format(shell.user_ns["churn"])
            made = v4.new_output("execute_result", data, metadata=metadata, execution_count=number)
            cells.append(v4.new_code_cell("churn", outputs=[made], execution_count=number))
        text = nbformat.writes(v4.new_notebook(cells=cells))
        pictures = sum("svg" in str(cell.outputs) for cell in cells)
        return Measured(time.perf_counter() - began, pictures, {"megabytes": len(text.encode()) / 1e6})

    return once
