"""Tasks with every option that a badge can show."""

from datetime import timedelta

from flytekit import Cache, ImageSpec, Resources, task, workflow


@task(
    retries=3,
    timeout=timedelta(minutes=5),
    cache=Cache(version="1.2", serialize=True, ignored_inputs=("seed",)),
    interruptible=True,
    container_image="example.org/train:v1",
    requests=Resources(cpu="2", mem="4Gi", gpu="1", ephemeral_storage="10Gi"),
    limits=Resources(cpu="4", mem="8Gi"),
)
def train(x: float, seed: int) -> float:
    return x * 2


@task(container_image=ImageSpec(name="scorer", packages=["numpy"]), limits=Resources(mem="2Gi"))
def score(x: float) -> float:
    return x + 0.5


@task(resources=Resources(cpu=("1", "2"), mem="512Mi"), timeout=30)
def report(x: float) -> str:
    return f"score {x}"


@workflow(interruptible=True)
def badges(x: float, seed: int = 7) -> str:
    return report(x=score(x=train(x=x, seed=seed)))


ENTITY = badges
INPUTS = {"x": 2.0}
EXPECTED = "score 4.5"
