"""The plugins of flytekit's own repository: what each one adds, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plugin:
    """One plugin.

    Attributes:
        name: the distribution without `flytekitplugins-`; with `_` for `-`, the sample's module.
        adds: what it adds to flytekit: "type", "decorator", "task", "connector", "container", …
        purpose: what a user installs it for.
        package: the package to import without `flytekitplugins.`, where it isn't the sample's name.
        requirements: what must be installed besides, for the plugin to be imported or for the sample.
        needs: what no package installs, an account or a program; without it the sample is serialised and not run.
        shared: whether it installs beside the others of its kind and the newest releases of what flytenb depends on.
    """

    name: str
    adds: str
    purpose: str
    package: str = ""
    requirements: tuple[str, ...] = ()
    needs: str = ""
    shared: bool = False

    @property
    def distribution(self) -> str:
        return f"flytekitplugins-{self.name}"

    @property
    def sample(self) -> str:
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        return f"flytekitplugins.{self.package or self.sample}"


_ALL = (
    Plugin("awsbatch", "task", "functions that run on AWS Batch", shared=True),
    Plugin("dask", "task", "functions that run on a Dask cluster", shared=True),
    Plugin("deck-standard", "renderer", "decks of frames, text and pictures", package="deck", shared=True),
    Plugin("duckdb", "task", "queries by DuckDB", shared=True),
    Plugin("geopandas", "type", "geo frames", shared=True),
    Plugin("huggingface", "type", "data sets of Hugging Face", shared=True),
    Plugin("kfmpi", "task", "functions that run as MPI jobs of Kubeflow", shared=True),
    Plugin("kfpytorch", "task", "functions that run as PyTorch jobs of Kubeflow", shared=True),
    Plugin("kftensorflow", "task", "functions that run as TensorFlow jobs of Kubeflow", shared=True),
    Plugin("memray", "decorator", "profiles of memory", shared=True),
    Plugin("mlflow", "decorator", "runs of MLflow", shared=True),
    Plugin("omegaconf", "type", "configurations of OmegaConf", shared=True),
    Plugin("onnxscikitlearn", "type", "models of scikit-learn as ONNX files", shared=True),
    Plugin("optuna", "decorator", "studies of Optuna", shared=True),
    Plugin("pandera", "type", "frames checked by a schema", shared=True),
    Plugin("papermill", "task", "notebooks as tasks", shared=True),
    Plugin("pod", "task", "functions that run in a pod of their own", shared=True),
    Plugin("polars", "type", "polars frames", shared=True),
    Plugin("sqlalchemy", "task", "queries by SQLAlchemy", shared=True),
    Plugin("wandb", "decorator", "runs of Weights & Biases", shared=True),
)
PLUGINS: dict[str, Plugin] = {plugin.name: plugin for plugin in _ALL}
"""Every plugin by its name."""
