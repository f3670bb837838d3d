"""Lists of dataclasses, as in the document that this project exists for."""

from dataclasses import dataclass, field

from flytekit import task, workflow


@dataclass
class Coordinate:
    """A point with metadata."""

    x: float
    y: float
    metadata: dict[str, float] = field(default_factory=dict)


@task
def generate(num: int) -> list[Coordinate]:
    """Generate some coordinates."""
    return [Coordinate(x=float(i), y=i / 2, metadata={"i": float(i)}) for i in range(num)]


@task
def subset(coordinates: list[Coordinate], x_min: float, x_max: float) -> list[Coordinate]:
    """Select coordinates within a range."""
    return [c for c in coordinates if x_min <= c.x <= x_max]


@workflow
def dataclasses_list(num: int, x_min: float, x_max: float) -> list[Coordinate]:
    return subset(coordinates=generate(num=num), x_min=x_min, x_max=x_max)


ENTITY = dataclasses_list
INPUTS = {"num": 10, "x_min": 2.0, "x_max": 3.0}
EXPECTED = [Coordinate(2.0, 1.0, {"i": 2.0}), Coordinate(3.0, 1.5, {"i": 3.0})]
