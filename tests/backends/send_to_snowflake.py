"""The Snowflake plugin against fakesnow's server: what is rehearsed, and what the server got. Prints JSON.

Run in an environment with flytekitplugins-snowflake, fakesnow[server] and snowflake-connector-python<4.

Replaced, since fakesnow has no keys and doesn't serve the query status: `get_private_key` of the plugin, the address
of `snowflake.connector.connect`, and `get_query_status_throw_if_error`.
"""

from __future__ import annotations

import datetime
import gzip
import json
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any

import duckdb
import fakesnow
import flytekitplugins.snowflake.connector as plugin
import pandas as pd
from flytekit import StructuredDataset, kwtypes, workflow
from flytekitplugins.snowflake import SnowflakeConfig, SnowflakeTask
from snowflake import connector as client
from snowflake.connector.connection import SnowflakeConnection
from snowflake.connector.constants import QueryStatus

import flytenb

serve = fakesnow.server
service = import_module("fakesnow.server")  # which replaces the function of the same name

CONFIG = SnowflakeConfig(user="ada", account="fakesnow", database="shop", schema="raw", warehouse="small")
ROWS = "SELECT region, units FROM sales WHERE units > %(n)s AND region ILIKE %(like)s AND day >= %(since)s"

insert = SnowflakeTask(
    name="insert", query_template="INSERT INTO sales VALUES (%(region)s, %(n)s, '2030-01-31')", task_config=CONFIG,
    inputs=kwtypes(region=str, n=int),
)  # fmt: skip
query = SnowflakeTask(
    name="query", query_template=ROWS, task_config=CONFIG,
    inputs=kwtypes(n=int, like=str, since=datetime.datetime), output_schema_type=StructuredDataset,
)  # fmt: skip
plain = SnowflakeTask(name="plain", query_template="SELECT 1 AS one", task_config=CONFIG)
unfilled = SnowflakeTask(
    name="unfilled", query_template="SELECT {{ .inputs.n }} AS n", task_config=CONFIG, inputs=kwtypes(n=int)
)


@workflow
def report(n: int, since: datetime.datetime) -> StructuredDataset:
    inserted = insert(region="it's", n=n)
    found = query(n=2, like="%s%", since=since)
    inserted >> found
    found >> plain()
    return found


sent: list[dict[str, Any]] = []


class Recorder:
    """Keeps the statements that the server is asked to execute."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""

        async def receive_and_keep() -> Any:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body") and scope.get("path") == "/queries/v1/query-request":
                is_zipped = (b"content-encoding", b"gzip") in scope["headers"]
                found = json.loads(gzip.decompress(body) if is_zipped else body)
                sent.append({"sql": found["sqlText"], "is_async": found.get("asyncExec", False)})
            return message

        await self.app(scope, receive_and_keep, send)


def as_sent(connection: Any, request: flytenb.Request) -> str:
    """Return the statement that Snowflake's client makes of a statement and its parameters."""
    cursor = connection.cursor()
    parameters = dict(request.parameters) or None
    return cursor._preprocess_pyformat_query(request.sql, parameters) if parameters else request.sql


def answer_by_duckdb(n: int, since: datetime.datetime) -> pd.DataFrame:
    with duckdb.connect() as here:
        here.execute("CREATE TABLE sales (region TEXT, units INT, day DATE)")
        rehearsal = flytenb.rehearse(report, n=n, since=since, with_=here)
        return rehearsal.run.result.open(pd.DataFrame).all()


def rows_of(frame: pd.DataFrame) -> dict[str, Any]:
    return json.loads(frame.to_json(orient="split", index=False))


def main() -> dict[str, Any]:
    service.app = Recorder(service.app)
    with serve() as address:
        connect = partial(client.connect, **{k: v for k, v in address.items() if k not in ("user", "account")})
        plugin.get_private_key = lambda: None
        client.connect = lambda private_key=None, **options: connect(**options)
        SnowflakeConnection.get_query_status_throw_if_error = lambda *_: QueryStatus.SUCCESS
        connection = client.connect(user="ada", account="fakesnow", database="shop", schema="raw")
        connection.cursor().execute("CREATE TABLE sales (region TEXT, units INT, day DATE)")
        sent.clear()
        inputs = {"n": 3, "since": datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)}
        run = flytenb.run(report, **inputs)
        failed = flytenb.start(unfilled, n=3).wait()
        got = list(sent)
        rehearsal = flytenb.rehearse(report, **inputs, with_={"query": StructuredDataset(uri="snowflake://x")})
        requests = (*rehearsal.requests, *flytenb.rehearse(unfilled, n=3).requests)
        return {
            "rehearsed": [request.to_dict() for request in requests],
            "as_sent": [as_sent(connection, request) for request in requests],
            "sent": got,
            "uri": run.result.literal.uri,
            "phase": str(failed.phase),
            "log": run.nodes["query"].log,
            "rows_of_service": rows_of(
                connection.cursor().execute(as_sent(connection, requests[1])).fetch_pandas_all()
            ),
            "rows_of_duckdb": rows_of(answer_by_duckdb(**inputs)),
        }


if __name__ == "__main__":
    with redirect_stdout(StringIO()):
        found = main()
    print(json.dumps(found))
