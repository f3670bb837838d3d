"""An array of xarray handed on."""

import xarray as xr
from flytekit import task, workflow


@task
def make(count: int) -> xr.Dataset:
    return xr.Dataset({"n": ("x", list(range(count)))})


@task
def total(data: xr.Dataset) -> int:
    return int(data["n"].sum())


@workflow
def totals(count: int) -> int:
    return total(data=make(count=count))


ENTITY = totals
INPUTS = {"count": 4}
EXPECTED = 0 + 1 + 2 + 3
