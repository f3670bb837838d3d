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
        requirements: what it needs, or the sample, and doesn't declare.
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
    Plugin("airflow", "task", "operators of Airflow"),
    Plugin("async-fsspec", "file system", "fast copies from and to S3", shared=True),
    Plugin("athena", "task", "queries of Athena", needs="an AWS account", shared=True),
    Plugin("awsbatch", "task", "functions that run on AWS Batch", shared=True),
    Plugin(
        "awssagemaker",
        "connector",
        "calls of SageMaker and other services of AWS",
        package="awssagemaker_inference",
        needs="an AWS account",
    ),
    Plugin(
        "bigquery", "connector", "queries of BigQuery", requirements=("pyarrow<22",), needs="a Google Cloud account"
    ),
    Plugin("comet-ml", "decorator", "experiments of Comet", needs="a Comet account"),
    Plugin("dask", "task", "functions that run on a Dask cluster", shared=True),
    Plugin("data-fsspec", "file system", "files behind the protocols of fsspec", package="fsspec", shared=True),
    Plugin("dbt", "task", "projects of dbt", needs="a dbt project and its database"),
    Plugin("deck-standard", "renderer", "decks of frames and pictures", "deck", ("pillow", "plotly"), shared=True),
    Plugin("dgxc-lepton", "connector", "endpoints of DGX Cloud Lepton", needs="a Lepton account"),
    Plugin("dolt", "type", "tables of Dolt", needs="the program dolt"),
    Plugin("duckdb", "task", "queries by DuckDB", shared=True),
    Plugin("envd", "image builder", "images built by envd"),
    Plugin("flyteinteractive", "decorator", "editors and notebooks in tasks"),
    Plugin("geopandas", "type", "geo frames", shared=True),
    Plugin("great-expectations", "task", "checks by Great Expectations", needs="a data context of Great Expectations"),
    Plugin("hive", "task", "queries of Hive", needs="a Qubole account", shared=True),
    Plugin("huggingface", "type", "data sets of Hugging Face", shared=True),
    Plugin("identity-aware-proxy", "command", "tokens for Identity Aware Proxy"),
    Plugin("inference", "pod template", "model servers beside a task", requirements=("kubernetes<37",)),
    Plugin("k8sdataservice", "connector", "data services in Kubernetes", needs="a Kubernetes cluster"),
    Plugin("kfmpi", "task", "functions that run as MPI jobs of Kubeflow", shared=True),
    Plugin("kfpytorch", "task", "functions that run as PyTorch jobs of Kubeflow", shared=True),
    Plugin("kftensorflow", "task", "functions that run as TensorFlow jobs of Kubeflow", shared=True),
    Plugin("memray", "decorator", "profiles of memory", shared=True),
    Plugin("mlflow", "decorator", "runs of MLflow"),
    Plugin("mmcloud", "connector", "functions that run on Memory Machine Cloud"),
    Plugin("modin", "type", "frames of Modin", requirements=("modin",)),
    Plugin("neptune", "decorator", "runs of Neptune", needs="a Neptune account"),
    Plugin("omegaconf", "type", "configurations of OmegaConf", shared=True),
    Plugin("onnxpytorch", "type", "models of PyTorch as ONNX files", requirements=("pyarrow<22",)),
    Plugin("onnxscikitlearn", "type", "models of scikit-learn as ONNX files", shared=True),
    Plugin("onnxtensorflow", "type", "models of TensorFlow as ONNX files"),
    Plugin("openai", "connector", "questions to models of OpenAI", needs="an OpenAI account", shared=True),
    Plugin("optuna", "decorator", "studies of Optuna", shared=True),
    Plugin("pandera", "type", "frames checked by a schema", shared=True),
    Plugin("papermill", "task", "notebooks as tasks", shared=True),
    Plugin("perian-job", "connector", "functions that run on PERIAN", needs="a PERIAN account"),
    Plugin("pod", "task", "functions that run in a pod of their own", shared=True),
    Plugin("polars", "type", "polars frames", shared=True),
    Plugin("ray", "task", "functions that run on a Ray cluster"),
    Plugin("slurm", "connector", "functions that run with Slurm", needs="a Slurm cluster"),
    Plugin("snowflake", "connector", "queries of Snowflake", needs="a Snowflake account"),
    Plugin("spark", "task", "functions that run on Spark, and its frames"),
    Plugin("sqlalchemy", "task", "queries by SQLAlchemy", shared=True),
    Plugin("vaex", "type", "frames of Vaex"),
    Plugin("wandb", "decorator", "runs of Weights & Biases", shared=True),
    Plugin("whylogs", "type", "profiles by whylogs", requirements=("pandas<3",)),
    Plugin("xarray-zarr", "type", "arrays of xarray", package="xarray"),
)
PLUGINS: dict[str, Plugin] = {plugin.name: plugin for plugin in _ALL}
"""Every plugin by its name."""
