"""Nodes of a finished run in plain HTML: each opens without a kernel, within limits, also where styles are removed."""

from __future__ import annotations

import re
import threading
from html import unescape

import pandas as pd
import pytest
from flytekit import task, workflow

import flytenb
from flytenb.display.part import Value
from flytenb.display.runs import node_list
from flytenb.display.runs.node_list import NODES_LISTED
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from tests.flows import FLOWS
from tests.sanitised import sanitised_html


@task
def longer(text: str) -> str:
    print("made longer")
    return text + "x" * 20_000


@workflow
def many(text: str = "<b>") -> str:
    for _ in range(NODES_LISTED + 3):
        text = longer(text="y")
    return text


def summaries(html: str) -> list[str]:
    return re.findall(r"<details[^>]*><summary>([^<]*)</summary>", html)


@pytest.mark.parametrize("name", ["chain", "branch", "map_simple", "dynamic_simple", "subworkflow", "failure_task"])
def test_every_node_of_a_finished_run_opens_in_plain_html(name: str) -> None:
    flow = FLOWS[name]
    run = flytenb.start(flow.entity, **flow.inputs).wait()
    html = run_bundle(run, show)["text/html"]
    opened = {summary.partition(" · ")[0]: summary for summary in summaries(html)}
    nodes = {path: node for path, node in run.graph.nodes.items() if path in run._states and not node.is_pseudo}
    assert nodes
    assert {path for path, node in nodes.items() if node.name in opened.get(path, "")} == set(nodes)


def test_what_is_listed_has_limits() -> None:
    run = flytenb.run(many)
    html = run_bundle(run, show)["text/html"]
    assert len(html) < 250_000
    assert len([each for each in summaries(html) if " · longer" in each]) == NODES_LISTED
    assert "and 3 more" in html


def test_a_value_that_takes_too_long_leaves_the_state_and_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_list, "_SECONDS", 0.0)
    answer = threading.Event()

    def wait_and_show(*args: object, **options: object) -> object:
        answer.wait()
        return show(Value("late"))

    run = flytenb.start(FLOWS["chain"].entity, **FLOWS["chain"].inputs).wait()
    try:
        found = node_list.listed_nodes(run, list(run.nodes), wait_and_show)  # type: ignore[arg-type]
    finally:
        answer.set()
    assert [(each.phase, each.inputs, each.outputs) for each in found] == [("SUCCEEDED", (), ())] * len(run.nodes)


def test_without_styles_words_stay_apart_and_no_markup_of_values_is_left() -> None:
    run = flytenb.start(many).wait()
    html = sanitised_html(run_bundle(run, show)["text/html"])
    assert "<details>" in html
    assert "data:" not in html
    assert not re.search("class=|style=|<style|<script", html)
    instead = re.search(r'<pre><img alt="([^"]*)"></pre>', html)
    assert instead, "an image without its address shows the text picture"
    assert unescape(instead[1]).strip() == flytenb.draw(run).text.partition("\n")[2].strip()
    assert html.count("├─") == instead[1].count("├─"), "and a site that keeps the image shows no text picture"
    words = re.sub(r"<[^>]*>", "", sanitised_html(show([{"a": 1}] * 3, name="rows").html))
    assert re.search(r"rows\s+list\S*\s+· 3 items", words)


def test_without_styles_names_columns_and_nulls_can_be_told_apart() -> None:
    html = sanitised_html(show(pd.DataFrame({"who": ["Ada", None]}), name="rows").html)
    assert "<strong>rows</strong> <strong>DataFrame</strong> <span><span>· </span>2 rows" in html
    assert re.search(r"<span>who</span><br>\s*<small>\w+</small><br>\s*<small>1 distinct, 1 null</small></th>", html)
    assert re.search(r"<td><em>(None|nan)</em></td>", html)
    folded = sanitised_html(show(flytenb.lens(int)).html)
    assert "<summary><span>" in folded, "the name of a folded part is beside its mark"


@task
def refuses(n: int) -> int:
    if n:
        raise ValueError("no")
    return n


@task
def follows(n: int) -> int:
    return n


@workflow
def broken(n: int) -> int:
    return follows(n=refuses(n=n))


def test_all_displays_have_one_word_for_a_node_that_did_not_run() -> None:
    run, good = flytenb.start(broken, n=1).wait(), flytenb.start(broken, n=0).wait()
    words = "did not run"
    texts = [flytenb.draw(run).text, show(run.nodes).text, show(run.compare(good)).text, show(run).text]
    assert [words in text for text in texts] == [True] * 4
    assert not [text for text in texts if "aborted" in text.lower() or "stopped" in text]
    assert f'aria-label="follows, task, {words}"' in flytenb.draw(run).svg


@task
def framed(n: int) -> pd.DataFrame:
    return pd.DataFrame({"customer": [f"customer <{i}>" for i in range(n)], "spent": range(n)})


@task
def passed(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    return rows.head(n)


@workflow
def frames(n: int = 4) -> int:
    return counted(rows=passed(rows=framed(n=n), n=3), n=n)


@task
def counted(rows: pd.DataFrame, n: int) -> int:
    return len(rows)


def test_a_value_that_flows_on_is_shown_once_and_named_where_it_is_used() -> None:
    html = run_bundle(flytenb.start(frames).wait(), show)["text/html"]
    assert html.count("<table") == 2, "one for each output that is a frame"
    assert html.count('<div class="ft-note">looks the same as o0 of n0 · framed</div>') == 1
    assert html.count('<div class="ft-note">looks the same as o0 of n1 · passed</div>') == 1
    assert html.count("2 columns") == 4, "its first line is told again"
    assert html.count('<strong class="ft-name">n</strong> <code>4</code>') == 2, "a short value is told again"
