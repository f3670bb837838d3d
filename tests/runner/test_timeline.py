"""A run along the clock."""

from __future__ import annotations

import time
from dataclasses import replace

from flytekit import Cache, dynamic, map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException

import flytenb
from flytenb.bridge.workflow.graph import read_graph
from flytenb.display.show import show
from flytenb.runner.critical_path import critical_path
from flytenb.runner.timeline import Bar, Timeline
from tests.runner.test_comparison import run


def test_a_timeline_has_each_node_that_started_in_that_order() -> None:
    done = run(x=5, y=1)
    timeline = done.timeline()
    assert {bar.path for bar in timeline.bars} == {"n0", "n1", "n2"}
    assert [bar.start for bar in timeline.bars] == sorted(bar.start for bar in timeline.bars)
    starts = {bar.path: bar for bar in timeline.bars}
    assert starts["n1"].start >= starts["n0"].start + starts["n0"].duration
    assert all(bar.start + bar.duration <= timeline.total for bar in timeline.bars)
    text = repr(timeline)
    assert all(f"{path} half" in text for path in ("n0", "n1"))
    assert "total" in text


def spans(**ended: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return {path.replace("_", "/"): span for path, span in ended.items()}


@task
def one(n: int) -> int:
    return n


@workflow
def inner(n: int) -> int:
    return one(n=one(n=n))


@workflow
def outer(n: int) -> int:
    first = inner(n=n)
    other = one(n=n)
    last = one(n=other)
    first >> last
    return last


def test_the_critical_path_crosses_the_borders_of_subworkflows() -> None:
    graph = read_graph(outer)
    times = spans(n0=(0, 5), n0_n0=(0, 2), n0_n1=(2, 5), n1=(0, 1), n2=(5, 6))
    assert critical_path(graph, times) == ("n0/n0", "n0/n1", "n2")


def test_the_critical_path_follows_what_ended_last() -> None:
    graph = read_graph(outer)
    times = spans(n0=(0, 2), n0_n0=(0, 1), n0_n1=(1, 2), n1=(0, 4), n2=(4, 6))
    assert critical_path(graph, times) == ("n1", "n2")


def test_the_critical_path_of_a_run_that_has_just_begun() -> None:
    assert critical_path(read_graph(outer), {}) == ()
    assert critical_path(read_graph(outer), spans(n0=(0, 1), n0_n0=(0, 1))) == ("n0/n0",)


def test_a_long_chain_is_its_own_critical_path() -> None:
    @workflow
    def long(n: int) -> int:
        for _ in range(1000):
            n = one(n=n)
        return n

    graph = read_graph(long)
    times = {f"n{i}": (float(i), i + 1.0) for i in range(1000)}
    assert critical_path(graph, times) == tuple(f"n{i}" for i in range(1000))


def test_text_and_html_mark_the_same_nodes() -> None:
    done = run(x=5, y=1)
    critical = [bar.path for bar in done.timeline().bars if bar.is_critical]
    shown = show(done.timeline())
    assert critical in (["n0", "n1"], ["n2"])
    assert [line.split()[0] for line in shown.text.splitlines()[3:] if "•" in line] == critical
    assert shown.fragment.count(" •</td>") == len(critical) and shown.fragment.count("<svg") == 3


def test_nodes_and_comparisons_are_tables() -> None:
    done = run(x=5, y=1)
    comparison = done.compare(run(x=10, y=1))
    nodes, compared = show(done.nodes), show(comparison)
    assert nodes.fragment.count("<tr>") == 4
    assert '<td>half</td><td class="ft-succeeded">✓ succeeded</td>' in nodes.fragment
    assert compared.fragment.count("<tr>") == 1 + len(comparison.differences) == 1 + len(compared.text.splitlines()[3:])


@task
def each(n: int) -> int:
    return n


@workflow
def mapped(ns: list[int]) -> list[int]:
    return map_task(each)(n=ns)


def test_all_nodes_of_a_workflow_and_the_elements_of_a_map_are_named() -> None:
    done = flytenb.run(mapped, ns=[*range(20)])
    names = [f"each[{n}]" for n in range(20)]
    timeline = done.timeline()
    assert {bar.name for bar in timeline.bars} == {"each", *names}
    for text in (show(done.nodes).text, show(done.nodes).fragment):
        assert [name for name in names if name not in text] == []
        assert "more row" not in text
    assert "SUCCEEDED" not in repr(timeline)


@task(cache=Cache(version="1"))
def stored(n: int) -> int:
    return n


@task(retries=1)
def unsteady(n: int) -> int:
    attempts.append(n)
    if len(attempts) == 1:
        raise FlyteRecoverableException("the server didn't answer")
    return n


@dynamic
def spawning(n: int) -> int:
    return stored(n=unsteady(n=n))


@workflow
def spawns_first(n: int = 1) -> int:
    return each(n=spawning(n=n))


attempts: list[int] = []


def test_a_lane_says_that_its_node_was_tried_again_or_is_from_the_cache() -> None:
    attempts.clear()
    number = time.time_ns()  # which no earlier run has stored
    first, second = flytenb.run(spawns_first, n=number), flytenb.run(spawns_first, n=number)
    for done, path, more in ((first, "n0/dn0", "2 attempts"), (second, "n0/dn1", "hit")):
        timeline = done.timeline()
        assert {bar.path: bar.more for bar in timeline.bars if bar.more} == {path: more}
        for text in (repr(timeline), show(timeline).text, show(timeline).fragment):
            assert f"✓ succeeded · {more}" in text


def test_nodes_are_listed_after_the_node_that_they_are_in() -> None:
    done = flytenb.run(spawns_first)
    listed = [line.split()[0] for line in show(done.nodes).text.splitlines() if line.strip().startswith("n")]
    assert listed[1:] == ["n0", "n0/dn0", "n0/dn1", "n1"]
    assert repr(done.nodes["n0/dn1"]).startswith("<NodeRun n0/dn1 (stored) succeeded, ")


def test_the_elements_of_a_map_have_one_lane_with_their_number_their_range_and_the_slowest() -> None:
    elements = [Bar(f"n0/{at}", f"fit[{at}]", "SUCCEEDED", 0.1 * at, 1.0 + at) for at in range(3)]
    elements[1] = replace(elements[1], phase="FAILED")
    timeline = Timeline((Bar("n0", "fit", "FAILED", 0.0, 3.2), *elements), 3.2)
    shown = show(timeline)
    for text in (repr(timeline), shown.text, shown.fragment):
        assert "fit × 3, slowest fit[2]" in text and "1 s – 3 s" in text
        assert text.count("✕ failed") == 2 and "n0/*" in text and "n0/0" not in text
    assert [(lane.start, lane.duration) for lane in timeline.lanes] == [(0.0, 3.2), (0.0, 3.2)]


def test_of_many_bars_the_critical_and_the_longest_are_shown() -> None:
    short = [Bar(f"n{at}", "short", "SUCCEEDED", at / 100, 0.05) for at in range(60)]
    last = Bar("n60", "last", "SUCCEEDED", 3.0, 9.0, is_critical=True)
    shown = show(Timeline((*short, last), 12.0)).text
    assert "last •" in shown
    assert "21 more rows" in shown
