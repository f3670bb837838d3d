"""A table of Dolt."""

import pandas as pd
from flytekit import task, workflow
from flytekitplugins.dolt.schema import DoltConfig, DoltTable

CONFIG = DoltConfig(db_path="trips", tablename="trips")


@task
def fill(rows: int) -> DoltTable:
    return DoltTable(data=pd.DataFrame({"n": range(rows)}), config=CONFIG)


@task
def count(table: DoltTable) -> int:
    return len(table.data)


@workflow
def counted(rows: int) -> int:
    return count(table=fill(rows=rows))


ENTITY = counted
