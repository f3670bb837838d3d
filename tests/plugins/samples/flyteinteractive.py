"""Tasks that a cluster opens in an editor or a notebook; here their functions run."""

from flytekit import task, workflow
from flytekitplugins.flyteinteractive import jupyter, vscode


@task
@vscode
def double(n: int) -> int:
    return 2 * n


@task
@jupyter
def add_one(n: int) -> int:
    return n + 1


@workflow
def computed(n: int) -> int:
    return add_one(n=double(n=n))


ENTITY = computed
INPUTS = {"n": 3}
EXPECTED = 7
