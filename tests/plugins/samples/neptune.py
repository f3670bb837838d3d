"""A run of Neptune."""

from flytekit import Secret, current_context, task, workflow
from flytekitplugins.neptune import neptune_scale_run


@task
@neptune_scale_run(project="team/flights", secret=Secret(key="token", group="neptune"), run_id="r1")
def log(steps: int) -> bool:
    current_context().neptune_run.log_metrics({"steps": steps}, step=1)
    return True


@workflow
def logged(steps: int) -> bool:
    return log(steps=steps)


ENTITY = logged
