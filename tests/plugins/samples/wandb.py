"""Two runs of Weights & Biases, kept offline, of tasks that don't wait for each other."""

import os
from pathlib import Path

import wandb
from flytekit import Secret, task, workflow
from flytekitplugins.wandb import wandb_init

os.environ["WANDB_MODE"] = "offline"
SETTINGS = {"project": "flights", "entity": "team", "secret": Secret(key="wandb", group="keys"), "dir": str(Path.cwd())}


def log_losses(steps: int) -> str:
    name = Path(wandb.run.dir).parent.name
    for step in range(steps):
        wandb.log({"loss": 1 / (step + 1)})
    assert wandb.run.summary["loss"] == 1 / steps
    return name


@task
@wandb_init(id="r1", **SETTINGS)
def log(steps: int) -> str:
    return log_losses(steps)


@task
@wandb_init(id="r2", **SETTINGS)
def log_other(steps: int) -> str:
    return log_losses(steps)


@workflow
def logged(steps: int) -> tuple[str, str]:
    return log(steps=steps), log_other(steps=steps)


def check(run) -> None:
    first, second = run.result
    assert first.endswith("-r1")
    assert second.endswith("-r2")
    assert wandb.run is None, "the run wasn't finished"


ENTITY = logged
INPUTS = {"steps": 3}
