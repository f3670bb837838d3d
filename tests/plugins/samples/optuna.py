"""A study whose trials are calls of a task in an eager task."""

import flytekit as fl
import optuna
from flytekitplugins.optuna import optimize, suggest


@fl.task
async def loss(x: float, offset: int) -> float:
    return (x - offset) ** 2


@fl.eager
async def search(trials: int, offset: int) -> tuple[int, float, bool]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    optimizer = optimize(loss, concurrency=2, n_trials=trials, study=study)
    await optimizer(x=suggest.float(low=-10, high=10), offset=offset)
    best = study.best_params["x"]
    return len(study.trials), study.best_value, study.best_value == (best - offset) ** 2


def check(run) -> None:
    trials, best, is_consistent = run.result
    assert trials == 6
    assert 0 <= best < 100
    assert is_consistent


ENTITY = search
INPUTS = {"trials": 6, "offset": 2}
