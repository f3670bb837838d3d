"""Parameters and metrics of tasks that don't wait for each other, in two experiments of an SQLite store."""

import tempfile
from pathlib import Path

import mlflow
from flytekit import task, workflow
from flytekitplugins.mlflow import mlflow_autolog
from sklearn.linear_model import LinearRegression

FOLDER = Path(tempfile.mkdtemp())
STORE = f"sqlite:///{FOLDER / 'mlflow.db'}"
mlflow.set_tracking_uri(STORE)
for name in ("fits", "others"):
    mlflow.create_experiment(name, artifact_location=FOLDER.as_uri())


def slope_of(slope: float) -> float:
    model = LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, slope, 2 * slope])
    mlflow.log_metric("slope", float(model.coef_[0]))
    return round(float(model.coef_[0]), 6)


@task
@mlflow_autolog(framework=mlflow.sklearn, experiment_name="fits")
def fit(slope: float) -> float:
    return slope_of(slope)


@task
@mlflow_autolog(experiment_name="others")
def fit_other(slope: float) -> float:
    return slope_of(slope)


@workflow
def fits(slope: float) -> tuple[float, float, float]:
    return fit(slope=slope), fit_other(slope=3.0), fit(slope=4.0)


def slopes(experiment: str) -> list[float]:
    logged = mlflow.MlflowClient(STORE).search_runs([mlflow.get_experiment_by_name(experiment).experiment_id])
    assert all(found.data.params["fit_intercept"] == "True" for found in logged), "autologging was off"
    assert {found.info.status for found in logged} == {"FINISHED"}
    return sorted(round(found.data.metrics["slope"], 6) for found in logged)


def check(run) -> None:
    assert run.result == (2.0, 3.0, 4.0)
    assert slopes("fits") == [2.0, 4.0]
    assert slopes("others") == [3.0]


ENTITY = fits
INPUTS = {"slope": 2.0}
