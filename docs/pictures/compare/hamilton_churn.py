"""The compared pipeline in Hamilton, written as an SVG: a map is Parallelizable and Collect, a branch it can't say."""

import sys
from pathlib import Path

from hamilton import ad_hoc_utils, driver
from hamilton.function_modifiers import extract_fields
from hamilton.htypes import Collect, Parallelizable


def load_users(day: str) -> list[str]:
    return [day]


def load_events(day: str) -> list[str]:
    return [day]


def join(load_users: list[str], load_events: list[str]) -> Parallelizable[str]:
    yield from load_users + load_events


def features(join: str, scale: float = 0.5) -> float:
    return len(join) * scale


@extract_fields({"train": list[float], "test": list[float]})
def split(features: Collect[float], share: float = 0.8) -> dict:
    rows = list(features)
    return {"train": rows[: int(share * len(rows))], "test": rows}


def train_forest(train: list[float], trees: int = 200) -> str:
    return "forest"


def train_linear(train: list[float]) -> str:
    return "linear"


@extract_fields({"model": str, "auc": float})
def pick(train_forest: str, train_linear: str, test: list[float]) -> dict:
    return {"model": train_forest, "auc": 0.9}


def publish(model: str) -> str:
    return model


def report(auc: float) -> str:
    return str(auc)


if __name__ == "__main__":
    steps = (load_users, load_events, join, features, split, train_forest, train_linear, pick, publish, report)
    module = ad_hoc_utils.create_temporary_module(*steps, module_name="churn")
    built = driver.Builder().with_modules(module).enable_dynamic_execution(allow_experimental_mode=True).build()
    drawn = built.display_all_functions()
    Path(sys.argv[1]).write_bytes(drawn.pipe(format="svg"))
