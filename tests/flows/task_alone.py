"""A task by itself, with docs for its inputs and outputs."""

from flytekit import task


@task(retries=1)
def scale(xs: list[float], factor: float = 2.0) -> list[float]:
    """Multiply every value.

    The order is kept.

    Args:
        xs: the values
        factor: what to multiply by

    Returns:
        as many values as were given
    """
    return [x * factor for x in xs]


ENTITY = scale
INPUTS = {"xs": [1.0, 2.5]}
EXPECTED = [2.0, 5.0]
