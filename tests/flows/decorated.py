"""Decorators under `@task`: stacked, with arguments, a class of flytekit's, around a mapped task with a cache."""

import functools

from flytekit import map_task, task, workflow
from flytekit.core.utils import ClassDecorator


def scaled(factor: int):
    """Multiply the result."""

    def decorate(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            return fn(*args, **kwargs) * factor

        return wrapper

    return decorate


class shifted(ClassDecorator):
    """Add to the result."""

    def __init__(self, task_function=None, *, by=1):
        super().__init__(task_function, by=by)
        self.by = by

    def execute(self, *args, **kwargs):
        return self.task_function(*args, **kwargs) + self.by

    def get_extra_config(self):
        return {"by": str(self.by)}


@task
@shifted(by=5)
@scaled(3)
def measure(x: int) -> int:
    return x


@task
@scaled(2)
@functools.lru_cache
def double(x: int) -> int:
    return x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def decorated(x: int) -> int:
    return total(xs=map_task(double)(x=[measure(x=x), x]))


ENTITY = decorated
INPUTS = {"x": 4}
EXPECTED = 2 * (4 * 3 + 5) + 2 * 4
