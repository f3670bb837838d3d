"""A query on an SQLite database that another task has filled."""

import sqlite3
import tempfile
from pathlib import Path

import pandas as pd
from flytekit import kwtypes, task, workflow
from flytekit.types.structured import StructuredDataset
from flytekitplugins.sqlalchemy import SQLAlchemyConfig, SQLAlchemyTask

DATABASE = Path(tempfile.mkdtemp()) / "trips.db"


@task
def fill(rows: int) -> int:
    with sqlite3.connect(DATABASE) as database:
        database.execute("DROP TABLE IF EXISTS trips")
        database.execute("CREATE TABLE trips (distance INTEGER)")
        database.executemany("INSERT INTO trips VALUES (?)", [(n,) for n in range(rows)])
    return rows - 3


far = SQLAlchemyTask(
    name="far",
    query_template="SELECT distance FROM trips WHERE distance >= {{ .inputs.least }} ORDER BY distance",
    inputs=kwtypes(least=int),
    output_schema_type=StructuredDataset,
    task_config=SQLAlchemyConfig(uri=f"sqlite:///{DATABASE}"),
)


@task
def distances(frame: pd.DataFrame) -> list[int]:
    return frame["distance"].tolist()


@workflow
def query(rows: int) -> list[int]:
    return distances(frame=far(least=fill(rows=rows)))


ENTITY = query
INPUTS = {"rows": 10}
EXPECTED = [7, 8, 9]
