"""Statements of other databases answered by DuckDB and SQLite, translated by sqlglot."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pandas as pd
import pytest
from flytekit import kwtypes, workflow

import flytenb
from flytenb.errors import FlytenbError, InputError
from tests.backends.tasks import PrestoTask, QueryTask

SINCE = datetime.datetime(2030, 1, 15, tzinfo=datetime.UTC)


@pytest.fixture
def shop() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE sales AS SELECT * FROM (VALUES ('north', 3), ('south', 4)) t(region, units)")
        yield connection


def rows(task: Any, answer: Any, **inputs: Any) -> list[dict[str, Any]]:
    found = flytenb.rehearse(task, **inputs, with_=answer).result.open(pd.DataFrame).all()
    return found.to_dict("records")


@pytest.mark.parametrize(
    ("dialect", "sql", "inputs", "expected"),
    [
        ("bigquery_query_job_task", "SELECT `units` + @n AS more, '@n' AS text FROM sales WHERE units > @n -- @n",
         {"n": 3}, [{"more": 7, "text": "@n"}]),
        ("bigquery_query_job_task", "SELECT SAFE_CAST(region AS INT64) IS NULL AS x, SUM(units) AS total FROM sales "
         "WHERE units = 3 GROUP BY region", {}, [{"x": True, "total": 3}]),
        ("bigquery_query_job_task", "SELECT DATETIME_DIFF(DATETIME '2030-01-16', @at, DAY) AS days",
         {"at": SINCE}, [{"days": 1}]),
        ("bigquery_query_job_task", "CREATE TEMP TABLE t AS SELECT @n AS a; SELECT a FROM t", {"n": 5}, [{"a": 5}]),
        ("snowflake", "SELECT IFF(units > %(n)s, 'many', 'few') AS much, region ILIKE 'N%%' AS \"is North\" FROM sales",
         {"n": 3}, [{"MUCH": "few", "is North": True}, {"MUCH": "many", "is North": False}]),
        ("snowflake", "SELECT %(s)s AS s, %(b)s AS b, %(f)s AS f", {"s": "it's", "b": True, "f": 0.5},
         [{"S": "it's", "B": True, "F": 0.5}]),
        ("snowflake", "SELECT PARSE_JSON('{\"a\": 1}'):a::INT AS a", {}, [{"A": 1}]),
        ("snowflake", "SELECT TO_CHAR(DATE '2030-01-05', 'YYYY-MM') AS a, "
         "TO_VARCHAR(DATE '2030-01-05', 'DD MON') AS b, TO_CHAR(TIMESTAMP '2030-01-05 17:04:09', 'HH24:MI:SS') AS c, "
         "TO_CHAR(units) AS d FROM sales WHERE units = 3",
         {}, [{"A": "2030-01", "B": "05 Jan", "C": "17:04:09", "D": "3"}]),
        ("warehouse", "SELECT units FROM sales WHERE region = :r", {"r": "north"}, [{"units": 3}]),
    ],
)  # fmt: skip
def test_duckdb_answers_in_the_dialect_of_the_task(
    shop: duckdb.DuckDBPyConnection, dialect: str, sql: str, inputs: dict[str, Any], expected: list[dict[str, Any]]
) -> None:
    types = {name: type(value) for name, value in inputs.items()}
    assert rows(QueryTask("q", sql, dialect, inputs=types), shop, **inputs) == expected


def test_a_rendered_statement_is_translated_too(shop: duckdb.DuckDBPyConnection) -> None:
    task = PrestoTask("q", "SELECT approx_distinct(region) AS n FROM sales WHERE units > {{ .inputs.n }}",
                      inputs=kwtypes(n=int))  # fmt: skip
    assert rows(task, shop, n=0) == [{"n": 2}]


def test_frames_that_are_registered_and_tables_of_a_project_are_seen(shop: duckdb.DuckDBPyConnection) -> None:
    shop.register("frame", pd.DataFrame({"x": [1]}))
    shop.execute("ATTACH ':memory:' AS project; CREATE SCHEMA project.raw; CREATE TABLE project.raw.t AS SELECT 2 AS y")
    task = QueryTask("q", "SELECT x, y FROM frame, `project.raw.t`", "bigquery_query_job_task")
    assert rows(task, shop) == [{"x": 1, "y": 2}]


def test_several_nodes_share_a_connection(shop: duckdb.DuckDBPyConnection) -> None:
    one = QueryTask("q", "SELECT sum(units) + %(n)s AS total FROM sales", "snowflake",
                    inputs=kwtypes(n=int), outputs=kwtypes(total=int))  # fmt: skip

    @workflow
    def many() -> list[int]:
        return [one(n=i) for i in range(20)]

    assert flytenb.rehearse(many, with_=shop).result == [7 + i for i in range(20)]


def test_sqlite_answers_and_the_differences_are_named() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE sales (region, day); INSERT INTO sales VALUES ('north', '2030-02-01')")
    task = QueryTask("q", "SELECT IFF(day > %(d)s, 'new', 'old') AS age FROM sales", "snowflake",
                     inputs=kwtypes(d=datetime.datetime))  # fmt: skip
    rehearsal = flytenb.rehearse(task, d=SINCE, with_=connection)
    assert rehearsal.result.open(pd.DataFrame).all().to_dict("records") == [{"AGE": "new"}]
    assert rehearsal.notes == (
        "n0: SQLite executed SELECT IIF(day > :d, 'new', 'old') AS age FROM sales",
        "n0: SQLite has no dates, times, truth values or decimals: they are text and numbers",
    )


@pytest.mark.parametrize(
    ("task", "inputs", "words"),
    [
        (QueryTask("q", "SELECT * FORM x", "bigquery_query_job_task"), {}, "isn't valid bigquery.*line 1, column"),
        (QueryTask("q", "SELECT a FROM `p.s.t`", "bigquery_query_job_task"), {}, "can't execute.*ATTACH.*it executed"),
        (QueryTask("q", "SELECT @l AS l", "bigquery_query_job_task", inputs=kwtypes(l=list[int])), {"l": [1]},
         r"can't send input 'l' of type list\[int\]"),
    ],
)  # fmt: skip
def test_a_statement_that_cannot_be_answered_says_why(
    shop: duckdb.DuckDBPyConnection, task: Any, inputs: dict[str, Any], words: str
) -> None:
    with pytest.raises((FlytenbError, InputError), match=f"(?s){words}"):
        flytenb.rehearse(task, **inputs, with_=shop)


# --- mistakes in statements -------------------------------------------------------------------------------------------


def notes(task_type: str, sql: str, names: Sequence[str]) -> tuple[str, ...]:
    inputs = dict.fromkeys(names, "x")
    task = QueryTask("q", sql, task_type, inputs=dict.fromkeys(names, str), outputs={})
    return flytenb.rehearse(task, **inputs).requests[0].notes


@pytest.mark.parametrize("task_type", ["snowflake", "warehouse"])
@pytest.mark.parametrize(
    "sql",
    [
        "a = %(n)s",
        "a = %(n)s AND b LIKE 'x%%'",
        "a = %(n)s AND b LIKE 'x%'",
        "a = %(n)s AND b %% 2 = 0",
        "a = %(n)s AND b % 2 = 0",
        "a = %(n)s AND b LIKE '%s%%'",
        "a = %(n)s AND b LIKE '%%s%%'",
        "a = %(n)s -- all of it: 100%",
        "a = %(n)s AND b = %%(m)s",
        "a = %(n)s AND b = %(m)s",
        "a = %(n)s AND b = '%(m)s'",
        "a = %(n)d",
        "a = %(n)s AND b = %(n) s",
        "a = %%%(n)s",
        "a = %(n)s %%%",
    ],
)
def test_what_python_can_t_format_is_noted(task_type: str, sql: str) -> None:
    """The drivers of Snowflake, PostgreSQL and MySQL replace parameters by Python's `%`, in texts and comments too."""
    value = "<value>"
    try:
        sent = sql % {"n": value}
        is_right = sent == sql.replace("%%", "\0").replace("%(n)s", value).replace("\0", "%")
    except (KeyError, TypeError, ValueError):
        is_right = False
    assert (not notes(task_type, sql, "n")) is is_right


@pytest.mark.parametrize(
    ("task_type", "sql", "names", "words"),
    [
        ("snowflake", "a = %(reigon)s", ["region", "units"], "reigon)s, which isn't an input; did you mean 'region'?"),
        ("bigquery_query_job_task", "a = @reigon", ["region"], "@reigon, which isn't an input; did you mean 'region'?"),
        ("warehouse", "a = :reigon", ["region"], "parameter :reigon, which isn't an input; did you mean 'region'?"),
        ("snowflake", "a = %(n)s", [], "parameter %(n)s, which isn't an input; the task has no inputs"),
        ("snowflake", "a = '%(n)s'", ["n"], "%(n)s is inside quotes; write it without them"),
        ("snowflake", "a LIKE 'x%'", ["n"], "because of the % in \"a LIKE 'x%'\"; write %% for a %"),
    ],
)  # fmt: skip
def test_a_likely_mistake_in_a_statement_is_named(task_type: str, sql: str, names: list[str], words: str) -> None:
    (note,) = notes(task_type, sql, names)
    assert words in note


@pytest.mark.parametrize(
    ("task_type", "sql", "names"),
    [
        ("snowflake", "SELECT $1, $region, a:b::INT FROM t", ["regions"]),
        ("snowflake", "a LIKE 'x%' AND b = '%(n)s'", []),
        ("bigquery_query_job_task", "SELECT @@time_zone, '@reigon', 7 % 2 -- @reigon", ["region"]),
        ("warehouse", "SELECT a:b, x[1:n], 'it''s 12:n' FROM t", ["region"]),
        ("warehouse", "SELECT 7 % 2 WHERE a = :n", ["n"]),
    ],
)
def test_what_is_no_mistake_is_not_noted(task_type: str, sql: str, names: list[str]) -> None:
    assert notes(task_type, sql, names) == ()


def test_a_percent_sign_is_one_wherever_the_driver_formats(shop: duckdb.DuckDBPyConnection) -> None:
    task = QueryTask("q", "SELECT 7 %% 4 AS a", "snowflake", inputs=kwtypes(n=int))
    assert rows(task, shop, n=3) == [{"A": 3}]
