"""The compared pipeline in Kedro, served by Kedro-Viz: neither a map nor a branch can be said."""

import sys
from pathlib import Path

import uvicorn
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro_viz.api import apps
from kedro_viz.data_access import data_access_manager
from kedro_viz.server import populate_data


def load_users(day: str) -> list[str]:
    return [day]


def load_events(day: str) -> list[str]:
    return [day]


def join(users: list[str], events: list[str]) -> list[str]:
    return users + events


def features(parts: list[str], scale: float) -> list[float]:
    return [len(part) * scale for part in parts]


def split(rows: list[float], share: float) -> tuple[list[float], list[float]]:
    return rows[: int(share * len(rows))], rows


def train_forest(rows: list[float], trees: int) -> str:
    return "forest"


def train_linear(rows: list[float]) -> str:
    return "linear"


def pick(forest: str, linear: str, rows: list[float]) -> tuple[str, float]:
    return forest, 0.9


def publish(model: str) -> str:
    return model


def report(auc: float) -> str:
    return str(auc)


churn = pipeline(
    [
        node(load_users, "params:day", "users"),
        node(load_events, "params:day", "events"),
        node(join, ["users", "events"], "parts"),
        node(features, ["parts", "params:scale"], "rows"),
        node(split, ["rows", "params:share"], ["train", "test"]),
        node(train_forest, ["train", "params:trees"], "forest"),
        node(train_linear, "train", "linear"),
        node(pick, ["forest", "linear", "test"], ["model", "auc"]),
        node(publish, "model", "published"),
        node(report, "auc", "reported"),
    ]
)

if __name__ == "__main__":
    values = {"day": "2026-01-01", "scale": 0.5, "share": 0.8, "trees": 200}
    catalog = DataCatalog({f"params:{name}": MemoryDataset(value) for name, value in values.items()})
    populate_data(data_access_manager, catalog, {"__default__": churn}, {})
    uvicorn.run(apps.create_api_app_from_project(Path.cwd()), host="127.0.0.1", port=int(sys.argv[1]), log_config=None)
