"""An experiment of Comet."""

import comet_ml
from flytekit import Secret, task, workflow
from flytekitplugins.comet_ml import comet_ml_login


@task
@comet_ml_login(project_name="flights", workspace="team", secret=Secret(key="token", group="comet"))
def log(steps: int) -> str:
    experiment = comet_ml.start()
    experiment.log_metric("steps", steps)
    return experiment.get_key()


@workflow
def logged(steps: int) -> str:
    return log(steps=steps)


ENTITY = logged
