"""A subworkflow that is only sketched, between two tasks."""

from flytekit import task, workflow

from flytenb.bridge.patches.applied import Patches

patches = Patches()
patches.apply("stubs", "compile")


@task
def load(n: int) -> list[int]:
    return list(range(n))


@workflow
def clean(xs: list[int]) -> list[int]:
    """Throw out what doesn't belong there."""
    ...  # noqa: PIE790


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def stub_workflow(n: int) -> int:
    return total(xs=clean(xs=load(n=n)))


stub_workflow.compile()
patches.undo()

ENTITY = stub_workflow
INPUTS = {"n": 3}
RAISES = (NotImplementedError, "clean")
FLYTEKIT_LOCAL = "a workflow that returns None breaks its promise of an output"
