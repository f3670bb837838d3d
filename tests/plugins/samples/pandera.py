"""A frame that a schema accepts between tasks, and one that it refuses, as an input and as an output."""

from typing import Any

import pandas as pd
import pandera.pandas as pa
from flytekit import task, workflow
from pandera.errors import SchemaErrors
from pandera.typing.pandas import DataFrame, Series

import flytenb


class Prices(pa.DataFrameModel):
    """Prices above 0."""

    price: Series[float] = pa.Field(gt=0)


class Doubled(Prices):
    """Prices and their doubles."""

    double: Series[float]


@task
def add_double(prices: DataFrame[Prices]) -> DataFrame[Doubled]:
    return prices.assign(double=prices["price"] * 2)


@task
def forget_double(prices: DataFrame[Prices]) -> DataFrame[Doubled]:
    return prices


@task
def total(prices: DataFrame[Doubled]) -> float:
    return float(prices["double"].sum())


@workflow
def checked(prices: DataFrame[Prices]) -> float:
    return total(prices=add_double(prices=prices))


@workflow
def forgetful(prices: DataFrame[Prices]) -> float:
    return total(prices=forget_double(prices=prices))


def refusal(entity: Any, prices: list[float]) -> str:
    try:
        flytenb.run(entity, prices=pd.DataFrame({"price": prices}))
    except (SchemaErrors, flytenb.FlytenbError) as error:
        return str(error)
    raise AssertionError(f"{entity.name} accepted {prices}")


def check(run: flytenb.Run) -> None:
    assert run.result == 6.0
    assert "greater_than" in refusal(checked, [1.0, -2.0])
    assert "double" in refusal(forgetful, [1.0])


ENTITY = checked
INPUTS = {"prices": pd.DataFrame({"price": [1.0, 2.0]})}
