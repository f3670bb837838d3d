"""Run tasks under `mlflow_autolog` with a store in SQLite, and print what the runs and the store hold."""

from __future__ import annotations

import functools
import json
from typing import Any

import mlflow
import numpy
from flytekit import map_task, task, workflow
from flytekitplugins.mlflow import mlflow_autolog
from sklearn.linear_model import LinearRegression

import flytenb
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.show import show

STORE = "sqlite:///runs.db"
mlflow.set_tracking_uri(STORE)


def noted(label: str) -> Any:
    """Print a label before the function."""

    def decorate(fn: Any) -> Any:
        @functools.wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            print("noted", label)
            return fn(*args, **kwargs)

        return wrapper

    return decorate


class WithoutModels:
    """What MLflow logs of scikit-learn by itself, without the models, whose packages it asks pip for."""

    autolog = staticmethod(functools.partial(mlflow.sklearn.autolog, log_models=False, silent=True))


@task
@noted("first")
@mlflow_autolog(framework=WithoutModels, experiment_name="slopes")
def fit(slope: float) -> float:
    mlflow.set_tracking_uri(STORE)
    xs = numpy.arange(10.0).reshape(-1, 1)
    model = LinearRegression().fit(xs, slope * xs.ravel())
    mlflow.log_metric("slope", float(model.coef_[0]))
    return round(float(model.coef_[0]), 6)


@task
@mlflow_autolog(framework=WithoutModels, experiment_name="failures")
def fails(x: int) -> int:
    if x:
        raise ValueError(f"no data for {x}")
    return x


@task
def plain(x: float) -> float:
    return x


@workflow
def flow(slope: float) -> float:
    return plain(x=fit(slope=slope))


def described(run: Any, path: str) -> dict[str, Any]:
    """What a node shows, and what the store holds of the run that it links to."""
    node = run.nodes[path]
    ((name, address),) = node.links
    found = mlflow.get_run(address.rpartition("/")[2])
    return {
        "log": node.log,
        "name": name,
        "is_name": name == f"MLflow run {found.info.run_name}",
        "address": address,
        "is_shown": f"{name}: {address}" in NodeDetails.of(run, path, show).facts,
        "experiment": mlflow.get_experiment(found.info.experiment_id).name,
        "metric": found.data.metrics.get("slope"),
        "model": found.data.params.get("fit_intercept"),
        "status": found.info.status,
    }


def main() -> None:
    first = flytenb.options(workers=1).run(flow, slope=3.0)
    mapped = flytenb.run(map_task(fit), slope=[1.0, 2.0])
    apart = flytenb.options(processes=True).run(fit, slope=5.0)
    failed = flytenb.start(fails, x=3).wait()
    print(json.dumps({
        "decorators": flytenb.graph(fit).settings["decorators"],
        "result": first.result,
        "first": described(first, "n0"),
        "plain": first.nodes["n1"].links,
        "mapped": [described(mapped, f"n0/{i}") for i in range(2)],
        "apart": described(apart, "n0"),
        "failed": described(failed, "n0"),
        "error": str(failed.error.exception),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
