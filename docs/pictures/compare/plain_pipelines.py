"""One pipeline of 3, 12, 60 or 300 steps as a program for each tool, without groups."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

SIZES = (3, 12, 60, 300)
Steps = dict[str, list[str]]
"""The inputs of each step, by name; `day` is the input of the pipeline."""

_REGION: Steps = {
    "load_users": ["day"],
    "load_events": ["day"],
    "join": ["load_users", "load_events"],
    "features": ["join"],
    "split": ["features"],
    "train_forest": ["split"],
    "train_linear": ["split"],
    "evaluate": ["train_forest", "train_linear", "split"],
    "pick": ["train_forest", "train_linear", "evaluate"],
    "publish": ["pick"],
    "plot": ["evaluate"],
}


def steps_of(size: int) -> Steps:
    """Return the steps: those of a region, once for each, and steps that compare the regions."""
    if size == 3:
        return {"load": ["day"], "clean": ["load"], "report": ["clean"]}
    if size == 12:
        return {**_REGION, "report": ["publish", "plot"]}
    steps: Steps = {"calendar": ["day"]}
    regions = range(1, size // 11 + 1)
    for region in regions:
        for name, inputs in _REGION.items():
            steps[f"{name}_{region}"] = ["calendar" if each == "day" else f"{each}_{region}" for each in inputs]
    last = [f"pick_{region}" for region in regions]
    for name in ("rank", "choose", "announce", "report")[: size - len(steps)]:
        steps[name], last = last, [name]
    return steps


def _functions(steps: Steps, decorator: str = "") -> str:
    return "\n".join(
        f"{decorator}\ndef {name}({', '.join(f'{each}: str' for each in inputs)}) -> str:\n    return ''\n"
        for name, inputs in steps.items()
    )


def _calls(steps: Steps) -> str:
    """Return the body of a function that calls the steps with inputs by name."""
    value = {each: "day" if each == "day" else f"v_{each}" for inputs in steps.values() for each in inputs}
    return "\n".join(
        f"    v_{name} = {name}({', '.join(f'{each}={value[each]}' for each in inputs)})"
        for name, inputs in steps.items()
    )


def _flytenb(steps: Steps) -> str:
    return (
        "import sys\nimport flytenb\nfrom flytekit import task, workflow\n"
        f"{_functions(steps, '@task')}\n@workflow\ndef churn(day: str) -> str:\n{_calls(steps)}\n"
        f"    return v_{list(steps)[-1]}\n\nflytenb.draw(churn).save(sys.argv[1])\n"
    )


def _hamilton(steps: Steps) -> str:
    return (
        "import sys\nfrom pathlib import Path\nfrom hamilton import ad_hoc_utils, driver\n"
        f"{_functions(steps)}\n"
        f"module = ad_hoc_utils.create_temporary_module({', '.join(steps)}, module_name='churn')\n"
        "drawn = driver.Builder().with_modules(module).build().display_all_functions()\n"
        "Path(sys.argv[1]).write_bytes(drawn.pipe(format='svg'))\n"
    )


def _kedro(steps: Steps) -> str:
    nodes = ", ".join(
        f"node({name}, {['params:day' if each == 'day' else f'{each}_data' for each in inputs]}, '{name}_data')"
        for name, inputs in steps.items()
    )
    return (
        "import sys\nfrom pathlib import Path\nimport uvicorn\nfrom kedro.io import DataCatalog, MemoryDataset\n"
        "from kedro.pipeline import node, pipeline\nfrom kedro_viz.api import apps\n"
        "from kedro_viz.data_access import data_access_manager\nfrom kedro_viz.server import populate_data\n"
        f"{_functions(steps)}\ncatalog = DataCatalog({{'params:day': MemoryDataset('2026-01-01')}})\n"
        f"populate_data(data_access_manager, catalog, {{'__default__': pipeline([{nodes}])}}, {{}})\n"
        "app = apps.create_api_app_from_project(Path.cwd())\n"
        "uvicorn.run(app, host='127.0.0.1', port=int(sys.argv[1]), log_config=None)\n"
    )


def _dagster(steps: Steps) -> str:
    return (
        f"from dagster import Definitions, job, op\n{_functions(steps, '@op')}\n"
        f"@op\ndef day() -> str:\n    return ''\n\n@job\ndef churn():\n    v_day = day()\n"
        f"{_calls(steps).replace('=day', '=v_day')}\n\ndefinitions = Definitions(jobs=[churn])\n"
    )


def transitions(steps: Steps) -> Steps:
    """Return what follows each step in Metaflow, where splits are nested and a step can't both join and split.

    Each region is a branch and has three more steps: `begin` splits into its two loads, `models` joins before
    `evaluate` splits, and `done` joins at its end.
    """
    regions = [name.removeprefix("join") for name in steps if name.startswith("join")]
    following = {
        f"{name}{region}": [f"{each}{region}" for each in after]
        for region in regions
        for name, after in _NESTED.items()
    }
    trunk = [name for name in steps if name not in following and name != "calendar"]
    following |= {name: [after] for name, after in pairwise(trunk)} | {trunk[-1]: []}
    following |= {f"done{region}": [trunk[0]] for region in regions}
    return following | ({"calendar": [f"begin{region}" for region in regions]} if "calendar" in steps else {})


_NESTED: Steps = {
    "begin": ["load_users", "load_events"],
    "load_users": ["join"],
    "load_events": ["join"],
    "join": ["features"],
    "features": ["split"],
    "split": ["train_forest", "train_linear"],
    "train_forest": ["models"],
    "train_linear": ["models"],
    "models": ["evaluate"],
    "evaluate": ["pick", "plot"],
    "pick": ["publish"],
    "publish": ["done"],
    "plot": ["done"],
    "done": [],
}


def _metaflow(steps: Steps) -> str:
    following = transitions(steps)
    before = [name for after in following.values() for name in after]
    methods = []
    for name, after in following.items():
        is_join = before.count(name) > 1
        inputs = ", ".join(f"{each}=self.{'day' if each == 'day' else f'v_{each}'}" for each in steps.get(name, []))
        methods += [
            "" if name in before else "    @card",
            f"    @step({'' if name in before else 'start=True'}{'' if after else 'end=True'})".replace("()", ""),
            f"    def {name}(self{', inputs' if is_join else ''}):",
            "        self.merge_artifacts(inputs)" if is_join else "",
            f"        self.v_{name} = {name}({inputs})" if name in steps else "",
            f"        self.next({', '.join(f'self.{each}' for each in after)})" if after else "",
        ]
    body = "\n".join(line for line in methods if line)
    return (
        f"from metaflow import FlowSpec, Parameter, card, step\n{_functions(steps)}\n"
        f"class Churn(FlowSpec):\n    day = Parameter('day', default='')\n\n{body}\n\n"
        "if __name__ == '__main__':\n    Churn()\n"
    )


def _marimo(steps: Steps) -> str:
    cells = "\n".join(
        f"@app.cell\ndef {name}({', '.join(inputs)}):\n"
        f"    {name} = f'{' '.join(f'{{{each}}}' for each in inputs)}'\n    return ({name},)\n"
        for name, inputs in {"day": [], **steps}.items()
    )
    return f"import marimo\n\napp = marimo.App()\n\n{cells}\nif __name__ == '__main__':\n    app.run()\n"


def _prefect(steps: Steps) -> str:
    return (
        f"from prefect import flow, task\n{_functions(steps, '@task')}\n@flow\ndef churn(day: str = ''):\n"
        f"{_calls(steps).replace('(', '.submit(')}\n    return v_{list(steps)[-1]}.result()\n\nchurn()\n"
    )


WRITERS: dict[str, Callable[[Steps], str]] = {
    "flytenb": _flytenb,
    "hamilton": _hamilton,
    "kedro": _kedro,
    "dagster": _dagster,
    "prefect": _prefect,
    "metaflow": _metaflow,
    "marimo": _marimo,
}


def program(tool: str, size: int) -> str:
    """Return the pipeline as the source of a program, with the command line of `TOOL_churn.py`."""
    return WRITERS[tool](steps_of(size))
