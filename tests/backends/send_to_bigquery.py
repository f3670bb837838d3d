"""The BigQuery plugin with a client that records: what is rehearsed, and what the client is asked for. Prints JSON.

Run in an environment with flytekitplugins-bigquery.
"""

from __future__ import annotations

import datetime
import json
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace
from typing import Any

import flytekitplugins.bigquery.connector as plugin
from flytekit import StructuredDataset, kwtypes, workflow
from flytekitplugins.bigquery import BigQueryConfig, BigQueryTask
from google.cloud import bigquery

import flytenb

CONFIG = BigQueryConfig(
    ProjectID="shop", Location="EU", QueryJobConfig=bigquery.QueryJobConfig(maximum_bytes_billed=10**9)
)

query = BigQueryTask(
    name="query",
    query_template="SELECT region FROM `shop.raw.sales` WHERE units > @n AND share < @f AND new = @b AND day >= @d",
    inputs=kwtypes(n=int, f=float, b=bool, d=datetime.datetime), task_config=CONFIG,
    output_structured_dataset_type=StructuredDataset,
)  # fmt: skip
plain = BigQueryTask(name="plain", query_template="SELECT 1 AS one", task_config=CONFIG)
listed = BigQueryTask(name="listed", query_template="SELECT @l", inputs=kwtypes(l=list[int]), task_config=CONFIG)


@workflow
def report(n: int, d: datetime.datetime) -> StructuredDataset:
    found = query(n=n, f=0.5, b=True, d=d)
    found >> plain()
    return found


sent: list[dict[str, Any]] = []


class Client:
    """In place of `google.cloud.bigquery.Client`, which has no server without an account."""

    def __init__(self, project: str = "", location: str = "", client_info: Any = None) -> None:
        self.target = {"project": project, "location": location}

    def query(self, sql: str, job_config: Any = None) -> Any:
        found = [] if job_config is None else job_config.query_parameters
        parameters = {p.name: p.value for p in found}
        types = {p.name: p.type_ for p in found}
        sent.append({"sql": sql, "parameters": parameters, "types": types, **self.target})
        return SimpleNamespace(job_id="job")

    def get_job(self, *_: str) -> Any:
        table = SimpleNamespace(project="shop", dataset_id="raw", table_id="answer")
        return SimpleNamespace(errors=None, state="DONE", destination=table)


def main() -> dict[str, Any]:
    plugin.bigquery.Client = Client
    inputs = {"n": 3, "d": datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)}
    run = flytenb.run(report, **inputs)
    rehearsal = flytenb.rehearse(report, **inputs, with_={"query": StructuredDataset(uri="bq://shop:raw.answer")})
    failures = [str(flytenb.start(listed, l=[1]).wait().error)]
    try:
        flytenb.rehearse(listed, l=[1])
    except flytenb.FlytenbError as error:
        failures.append(str(error))
    return {
        "rehearsed": [request.to_dict() for request in rehearsal.requests],
        "sent": sent,
        "same_parameters": [dict(r.parameters) for r in rehearsal.requests] == [call["parameters"] for call in sent],
        "uris": [result.literal.uri for result in (run.result, rehearsal.result)],
        "log": run.nodes["query"].log,
        "failures": failures,
    }


if __name__ == "__main__":
    with redirect_stdout(StringIO()):
        found = main()
    print(json.dumps(found, default=str))
