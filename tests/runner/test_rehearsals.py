"""Rehearsals: the request of each task is read, an answer takes the place of the service, the rest runs as usual."""

from __future__ import annotations

import datetime
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flytekit import dynamic, eager, kwtypes, map_task, task, workflow
from flytekit.core.base_task import TaskMetadata
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.types.error import FlyteError
from IPython.core.interactiveshell import InteractiveShell

import flytenb
from flytenb.display.runs.hints import hint_for
from flytenb.errors import FlytenbError, InputError
from flytenb.model import Phase
from flytenb.notebook.magics.flyte import FlyteMagics
from flytenb.session import Session
from tests.backends.tasks import JobTask, PrestoTask, QueryTask, UrlTask

GOLDEN = Path(__file__).parents[1] / "golden" / "requests"
FRAME = pd.DataFrame({"region": ["north", "south"], "units": [3, 4]})

query = QueryTask("query", "SELECT * FROM sales WHERE units > %(n)s", inputs=kwtypes(n=int))
rendered = PrestoTask("rendered", "SELECT * FROM sales WHERE units > {{ .inputs.n }}", inputs=kwtypes(n=int))
by_url = UrlTask(
    "by url", "SELECT * FROM sales WHERE region = '{{ .inputs.r }}'", "postgresql+psycopg2://me:pw@db/shop",
    inputs=kwtypes(r=str),
)  # fmt: skip
unfilled = QueryTask("unfilled", "SELECT {{ .inputs.n }} AS n", "snowflake", inputs=kwtypes(n=int))
count = QueryTask("count", "SELECT count(*) AS total FROM sales", outputs=kwtypes(total=int))
insert = QueryTask("insert", "INSERT INTO sales VALUES ('west', @n)", "bigquery_query_job_task",
                   inputs=kwtypes(n=int), outputs={})  # fmt: skip
train = JobTask(
    "train", {"rate": 0.5, "rounds": 3}, kwtypes(model=str, score=float), inputs=kwtypes(at=datetime.datetime)
)
retried = JobTask("retried", {}, kwtypes(model=str), metadata=TaskMetadata(retries=2))


@task
def total(frame: pd.DataFrame) -> int:
    return int(frame["units"].sum())


@workflow
def report(n: int) -> int:
    insert(n=n) >> query(n=n)
    return total(frame=query(n=n))


@dynamic
def several(n: int) -> list[int]:
    return [total(frame=query(n=i)) for i in range(n)]


@eager
async def eagerly(n: int) -> int:
    return total(frame=query(n=n))


@task
def clean_up(n: int, err: FlyteError | None = None) -> None:
    seen.append(err.message if err else "")


@workflow(on_failure=clean_up)
def guarded(n: int) -> int:
    return total(frame=query(n=n))


seen: list[str] = []


@pytest.fixture
def shop() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    FRAME.to_sql("sales", connection, index=False)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("entity", "inputs", "sql", "parameters"),
    [
        (query, {"n": 3}, "SELECT * FROM sales WHERE units > %(n)s", {"n": 3}),
        (rendered, {"n": 3}, "SELECT * FROM sales WHERE units > 3", {}),
        (by_url, {"r": "north"}, "SELECT * FROM sales WHERE region = 'north'", {}),
        (insert, {"n": 3}, "INSERT INTO sales VALUES ('west', @n)", {"n": 3}),
    ],
)
def test_the_statement_is_the_one_that_the_service_gets(
    entity: Any, inputs: dict[str, Any], sql: str, parameters: dict[str, Any]
) -> None:
    request = flytenb.rehearse(entity, **inputs, with_=FRAME).requests[0]
    assert (request.sql, request.parameters, request.task) == (sql, parameters, entity.name)


def test_a_request_is_the_same_plain_data_in_each_rehearsal() -> None:
    at = datetime.datetime(2030, 1, 2, tzinfo=datetime.UTC)
    first, second = (flytenb.rehearse(train, at=at, with_={"model": "m", "score": 0.5}) for _ in range(2))
    assert first.requests[0].to_dict() == second.requests[0].to_dict() == {
        "node": "n0", "attempt": 1, "task": "train", "task_type": "training", "task_version": 0,
        "custom": {"rate": 0.5, "rounds": 3},
        "inputs": {"at": {"scalar": {"primitive": {"datetime": "2030-01-02T00:00:00Z"}}}},
    }  # fmt: skip


def test_stored_inputs_have_stable_names_and_urls_no_passwords() -> None:
    takes_frame = JobTask("frame", {}, {}, inputs=kwtypes(frame=pd.DataFrame))
    inputs = flytenb.rehearse(takes_frame, frame=FRAME).requests[0].inputs
    assert inputs["frame"]["scalar"]["structuredDataset"]["uri"] == "stored file 1"
    rehearsal = flytenb.rehearse(by_url, r="x", with_=FRAME)
    assert rehearsal.requests[0].custom["uri"] == "postgresql+psycopg2://me:pw@db/shop"
    assert rehearsal.requests[0].to_dict()["custom"]["uri"] == "postgresql+psycopg2://me:***@db/shop"
    assert ":pw@" not in repr(rehearsal)


def test_the_configuration_is_the_registered_one_and_a_fresh_copy_for_each_attempt() -> None:
    custom = {"pair": (1, 2), "whole": 2.0}
    answers = iter((FlyteRecoverableException("busy"), "m"))

    def answer(request: flytenb.Request) -> str:
        request.custom["pair"].append(3)
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    retried.custom = custom
    rehearsal = flytenb.rehearse(retried, with_=answer)
    assert [(r.attempt, r.custom) for r in rehearsal.requests] == [
        (1, {"pair": [1, 2, 3], "whole": 2}), (2, {"pair": [1, 2, 3], "whole": 2})
    ]  # fmt: skip
    assert custom == {"pair": (1, 2), "whole": 2.0}
    assert rehearsal.result == "m"


@pytest.mark.parametrize(
    "answer",
    [
        FRAME,
        {"results": FRAME},
        {"query": FRAME},
        {"query": {"results": FRAME}},
        {"warehouse": lambda request: FRAME},
        {QueryTask: lambda request: {"results": FRAME}},
        lambda request: FRAME if request.task == "query" else None,
    ],
)
def test_an_answer_has_many_forms(answer: Any) -> None:
    rehearsal = flytenb.rehearse(report, n=1, with_=answer)
    assert rehearsal.result == 7
    assert rehearsal.run.phase is Phase.SUCCEEDED
    assert [r.task for r in rehearsal.requests] == ["insert", "query", "query"]


def test_a_connection_executes_the_statement(shop: sqlite3.Connection) -> None:
    rehearsal = flytenb.rehearse(report, n=3, with_=shop)
    assert rehearsal.result == 4
    assert shop.execute("SELECT units FROM sales WHERE region = 'west'").fetchall() == [(3,)]
    assert "n1: SQLite executed SELECT * FROM sales WHERE units > :n" in rehearsal.notes
    assert flytenb.rehearse(count, with_=shop).result == 3


@pytest.mark.parametrize(("entity", "n", "result"), [(several, 2, [7, 7]), (eagerly, 2, 7)])
def test_tasks_that_are_called_later_are_answered_too(entity: Any, n: int, result: Any) -> None:
    rehearsal = flytenb.rehearse(entity, n=n, with_=FRAME)
    assert (rehearsal.result, len(rehearsal.requests)) == (result, 2 if entity is several else 1)


def test_requests_have_the_order_of_the_nodes() -> None:
    @dynamic
    def many() -> None:
        for i in range(12):
            query(n=i)

    rehearsal = flytenb.rehearse(many, with_=FRAME)
    assert [r.parameters["n"] for r in rehearsal.requests] == list(range(12))


def test_a_mapping_replaces_tasks_of_other_kinds_and_names_what_it_did_not_need() -> None:
    rehearsal = flytenb.rehearse(guarded, n=1, with_={"total": 12, "query": FRAME, "quary": FRAME})
    assert (rehearsal.result, rehearsal.notes) == (12, ("no request was answered by 'quary'",))
    mapped = flytenb.rehearse(map_task(total), frame=[FRAME, FRAME], with_={"total": 5})
    assert (mapped.result, len(mapped.requests)) == ([5, 5], 2)


def test_an_exception_rehearses_the_failure_handler() -> None:
    seen.clear()
    rehearsal = flytenb.rehearse(guarded, n=1, with_=RuntimeError("quota exceeded"))
    assert rehearsal.run.phase is Phase.FAILED
    assert len(seen) == 1
    assert "quota exceeded" in seen[0]
    with pytest.raises(RuntimeError, match="quota exceeded"):
        _ = rehearsal.result
    assert "quota exceeded" in repr(rehearsal)


@pytest.mark.parametrize(
    ("entity", "inputs", "answer", "error", "words"),
    [
        (query, {"n": 1}, None, FlytenbError, r"no answer was given for task 'query' \(type 'warehouse'\)"),
        (query, {"n": 1}, {"quary": FRAME}, FlytenbError, "(?s)no answer was given .*did you mean|known"),
        (query, {"n": 1}, {"query": 3}, Exception, "outputs of task 'query'"),
        (train, {"at": datetime.datetime(2030, 1, 1)}, {"train": {"model": "m"}}, FlytenbError,
         "must have the outputs 'model', 'score', got 'model'"),
        (train, {"at": datetime.datetime(2030, 1, 1)}, sqlite3.connect(":memory:"), FlytenbError, "sends no SQL"),
        (count, {}, sqlite3.connect(":memory:"), FlytenbError, "(?s)SQLite can't execute.*no such table.*it executed"),
        (unfilled, {"n": 1}, sqlite3.connect(":memory:"), FlytenbError, r"(?s)(can't|isn't).*write %\(n\)s"),
        (query, {"n": "x"}, FRAME, InputError, "expected int"),
    ],
)  # fmt: skip
def test_a_bad_answer_fails_the_node_and_says_how_to_go_on(
    entity: Any, inputs: dict[str, Any], answer: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        flytenb.rehearse(entity, **inputs, with_=answer)


def test_a_placeholder_that_a_connector_sends_as_it_is_is_named() -> None:
    rehearsal = flytenb.rehearse(unfilled, n=1, with_=FRAME)
    assert rehearsal.requests[0].sql == "SELECT {{ .inputs.n }} AS n"
    assert rehearsal.notes == (
        "n0: the connector sends {{ .inputs.n }} as it is written; write %(n)s, which is sent with its value",
    )


def test_the_display_shows_each_request_in_text_and_html() -> None:
    bundle = flytenb.rehearse(report, n=3, with_=FRAME)._repr_mimebundle_()
    for shown in ("rehearsal of report", "units &gt; %(n)s", "warehouse", "bigquery_query_job_task"):
        assert shown in bundle["text/html"]
        assert shown.replace("&gt;", ">") in bundle["text/plain"]


def test_the_log_of_a_node_has_its_request() -> None:
    run = flytenb.rehearse(report, n=3, with_=FRAME).run
    assert run.nodes["n1"].log == "SELECT * FROM sales WHERE units > %(n)s\n{'n': 3}\n"
    assert flytenb.rehearse(retried, with_="m").run.nodes["n0"].log.startswith("training: {")


@pytest.mark.parametrize("entity", [query, rendered], ids=["without its connector", "of the cluster"])
def test_a_run_of_a_task_of_a_service_names_the_rehearsal(entity: Any) -> None:
    error = flytenb.start(entity, n=3).wait().error
    assert error is not None
    assert "flytenb.rehearse(…, with_=…)" in hint_for(error.exception)


def test_answers_are_not_cached() -> None:
    cached = QueryTask(
        "cached", "SELECT 1", metadata=TaskMetadata(cache=True, cache_version="1"), outputs=kwtypes(a=int)
    )
    assert [flytenb.rehearse(cached, with_=value).result for value in (1, 2)] == [1, 2]


def test_the_verb_evaluates_the_call_and_the_answer() -> None:
    shell = InteractiveShell()
    shell.register_magics(FlyteMagics(shell, Session(), ready=lambda: None))
    shell.user_ns.update(report=report, frame=FRAME)
    rehearsal = shell.run_line_magic("flyte", "rehearse report(n=1 + 1) --with \"{'query': frame}\"")
    assert (rehearsal.result, rehearsal.requests[0].parameters) == (7, {"n": 2})


# --- requests as they are sent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "entity", "inputs", "answers"),
    [
        ("bigquery", insert, {"n": 3}, None),
        ("parameters", query, {"n": 3}, FRAME),
        ("rendered_by_cluster", rendered, {"n": 3}, FRAME),
        ("rendered_by_task", by_url, {"r": 'north\'s "é"\n<b>%s'}, FRAME),
        ("not_filled_in", unfilled, {"n": 3}, FRAME),
        ("job", train, {"at": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)}, {"model": "m", "score": 0.5}),
        ("workflow", report, {"n": -(2**53) - 1}, FRAME),
    ],
)
def test_requests_are_as_recorded(
    name: str, entity: Any, inputs: dict[str, Any], answers: Any, update_golden: bool
) -> None:
    requests = flytenb.rehearse(entity, with_=answers, **inputs).requests
    made = json.dumps([request.to_dict() for request in requests], indent=2, ensure_ascii=False) + "\n"
    path = GOLDEN / f"{name}.json"
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


def test_an_answer_may_be_given_for_the_task_itself() -> None:
    found = flytenb.rehearse(report, n=3, with_={query: FRAME, insert: None})
    assert (found.result, found.notes) == (7, ())


def test_integers_that_a_cluster_can_t_store_are_named() -> None:
    exact, lost = 2**53, 2**53 + 1
    custom = {"seed": lost, "exact": exact, "bits": 2**70, "in": [{"deep": -lost}, exact, True], "text": str(lost)}
    request = flytenb.rehearse(JobTask("seeded", custom, {})).requests[0]
    assert request.custom["seed"] == exact
    assert request.notes == (
        f"get_custom: seed is {lost} and arrives as {exact}; give it as text",
        f"get_custom: in[0].deep is -{lost} and arrives as -{exact}; give it as text",
    )
