"""What is rehearsed is what the plugins send: over HTTP to moto and fakesnow, and to BigQuery's client.

Each plugin is installed in an environment of its own, by uv: their dependencies exclude each other's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def send(folder: Path, script: str, *packages: str) -> dict[str, Any]:
    """Run a script in an environment with packages and return what it printed."""
    python = folder / "bin" / "python"
    subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = [find_uv_bin(), "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, f"{ROOT}[frames]", *packages], check=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, ROOT / "tests" / "backends" / script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_sagemaker_gets_the_calls_that_were_rehearsed(tmp_path: Path) -> None:
    packages = ("flytekitplugins-awssagemaker>=1.16.31,<1.17", "moto[sagemaker,server]>=5")
    found = send(tmp_path / "env", "send_to_sagemaker.py", *packages)
    rehearsed = [
        {"method": call["method"].title().replace("_", ""), "config": call["config"]} for call in found["rehearsed"]
    ]
    assert len(rehearsed) == 10
    in_order = partial(json.dumps, sort_keys=True)  # training and deployment run at the same time
    assert sorted(rehearsed, key=in_order) == sorted(found["sent"], key=in_order)
    # With the first run's names the second run would have made no endpoint.
    assert [result["EndpointArn"].rpartition("/")[2] for result in found["results"]] == ["first", "second"]
    # A function in a container: only the job's name and the paths differ, which are of the run.
    expected, sent = found["rehearsed_function"], found["sent_function"]
    prefix = sent["AlgorithmSpecification"]["ContainerEntrypoint"][4]
    assert expected.pop("TrainingJobName").startswith("flyte-")
    assert sent.pop("TrainingJobName").startswith("flyte-")
    assert json.loads(json.dumps(sent).replace(prefix, "s3://rehearsal/n0")) == expected
    assert "without producing Flyte outputs.pb" in found["why"]


def test_snowflake_gets_the_statements_that_were_rehearsed(tmp_path: Path) -> None:
    packages = (
        "flytekitplugins-snowflake>=1.16.31,<1.17", "fakesnow[server]>=0.12", "snowflake-connector-python<4", "duckdb",
    )  # fmt: skip
    found = send(tmp_path / "env", "send_to_snowflake.py", *packages)
    assert [call["sql"] for call in found["sent"]] == found["as_sent"]
    assert all(call["is_async"] for call in found["sent"])
    assert found["rehearsed"][0]["sql"] == "INSERT INTO sales VALUES (%(region)s, %(n)s, '2030-01-31')"
    assert found["rehearsed"][0]["parameters"] == {"region": "it's", "n": 3}
    assert found["rehearsed"][0]["config"]["warehouse"] == "small"
    assert found["uri"].startswith("snowflake://ada:fakesnow/small/shop/raw/")
    assert "Snowflake Query Details: https://app.snowflake.com/" in found["log"]
    # The names that DuckDB returns are those of the service.
    assert (
        found["rows_of_duckdb"] == found["rows_of_service"] == {"columns": ["REGION", "UNITS"], "data": [["it's", 3]]}
    )
    # The plugin's fault, which the rehearsal names.
    assert (found["as_sent"][-1], found["phase"]) == ("SELECT {{ .inputs.n }} AS n", "FAILED")
    assert "write %(n)s" in found["rehearsed"][-1]["notes"][0]


def test_the_client_of_bigquery_gets_the_statements_that_were_rehearsed(tmp_path: Path) -> None:
    # The plugin needs numpy 1, which later versions of pyarrow don't work with.
    packages = ("flytekitplugins-bigquery>=1.16.31,<1.17", "pyarrow<21")
    found = send(tmp_path / "env", "send_to_bigquery.py", *packages)
    assert [request["sql"] for request in found["rehearsed"]] == [call["sql"] for call in found["sent"]]
    assert found["same_parameters"]
    assert found["sent"][0]["types"] == {"n": "INT64", "f": "FLOAT64", "b": "BOOL", "d": "DATETIME"}
    assert {request["custom"]["ProjectID"] for request in found["rehearsed"]} == {found["sent"][0]["project"]}
    assert found["uris"] == ["bq://shop:raw.answer"] * 2
    assert "BigQuery Console: https://console.cloud.google.com/" in found["log"]
    # What the connector can't send fails in a rehearsal too.
    assert "KeyError" in found["failures"][0]
    assert "can't send input 'l' of type list[int]" in found["failures"][1]
