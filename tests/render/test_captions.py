"""The words that every format shares."""

from __future__ import annotations

import pytest

from flytenb.model import CacheStatus, Interface, Kind, Node, NodeState, Phase, Port
from flytenb.render import captions
from tests import render_samples as samples


def node(kind: Kind = Kind.TASK, name: str = "f", **settings: str | int | float | bool) -> Node:
    return Node("n0", kind, name, Interface(), settings)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (node(), "task"),
        (node(retries=1), "task · 1 retry"),
        (node(retries=2, cache="1.0"), "task · 2 retries · cached 1.0"),
        (node(cache="0123456789abcdef", cache_serialize=True), "task · cached, one at a time"),
        (node(timeout=90.0, interruptible=True), "task · timeout 1 min 30 s · interruptible"),
        (node(interruptible=False, retries=0), "task"),
        (node(cpu="2", mem="4Gi", gpu="1", image="r:4"), "task · 2 cpu · 4Gi mem · 1 gpu · r:4"),
        (
            node(Kind.MAP, of="task", concurrency=8, min_success_ratio=0.5),
            "map of task · 8 at a time · ≥ 50% must succeed",
        ),
        (node(Kind.MAP, min_success_ratio=1.0, min_successes=3), "map · ≥ 3 must succeed"),
        (node(Kind.GATE, gate="sleep", duration=30), "gate · sleep · 30 s"),
        (node(Kind.REFERENCE, of="task", project="p", domain="d", version="v3"), "reference task · p/d · version v3"),
        (node(Kind.LAUNCH_PLAN), "launch plan"),
        (node(Kind.FAILURE, of="task"), "failure handler · task"),
        (
            node(Kind.SUBWORKFLOW, inside=12, failure_policy="FAIL_IMMEDIATELY"),
            "subworkflow · 12 nodes inside · fail immediately",
        ),
        (node(Kind.CONTAINER, language="r", task_type="raw-container"), "container · r · raw-container"),
        (node(alias="first"), "task · as first"),
    ],
)
def test_a_caption_says_what_a_node_is_and_what_is_special(shown: Node, expected: str) -> None:
    assert captions.caption(shown) == expected


@pytest.mark.parametrize(
    ("state", "expected", "sign"),
    [
        (NodeState(Phase.QUEUED), "queued", "○"),
        (NodeState(Phase.RUNNING, 1.3, 1, None, 37, 100), "running · 37/100 · 1.3 s", "▶"),
        (NodeState(Phase.SUCCEEDED), "succeeded", "✓"),
        (NodeState(Phase.SUCCEEDED, 1.3, 1, CacheStatus.HIT), "1.3 s · hit", "⚡"),
        (NodeState(Phase.SUCCEEDED, 3.2, 2, CacheStatus.MISS), "3.2 s · 2 attempts", "✓"),
        (NodeState(Phase.FAILED, 65.0, 3), "failed · 1 min 5 s · 3 attempts", "✕"),
        (NodeState(Phase.TIMED_OUT, 7200.0), "timed out · 2 h", "◷"),
        (NodeState(Phase.ABORTED, 2.0), "stopped · 2 s", "■"),
        (NodeState(Phase.ABORTED), "did not run", "■"),
        (NodeState(Phase.SKIPPED, 0.0), "skipped", "–"),
    ],
)
def test_a_state_is_told_in_words_and_as_a_sign(state: NodeState, expected: str, sign: str) -> None:
    assert captions.state_caption(state) == expected
    assert captions.sign(state) == sign


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (NodeState(Phase.QUEUED), "queued"),
        (NodeState(Phase.RUNNING), "running"),
        (NodeState(Phase.RUNNING, 1.3, 1, None, 37, 100), "37/100 · 1.3 s"),
        (NodeState(Phase.SUCCEEDED, 1.3, 1, CacheStatus.HIT), "1.3 s · hit"),
        (NodeState(Phase.FAILED, 65.0, 3), "1 min 5 s · 3 attempts"),
        (NodeState(Phase.TIMED_OUT, 7200.0), "2 h"),
        (NodeState(Phase.ABORTED, 2.0), "2 s"),
        (NodeState(Phase.ABORTED), "did not run"),
        (NodeState(Phase.SKIPPED, 0.0), "skipped"),
    ],
)
def test_a_short_caption_leaves_the_phase_to_the_mark_where_more_follows(state: NodeState, expected: str) -> None:
    assert captions.state_caption(state, is_short=True) == expected


def test_an_edge_is_labelled_only_where_a_reader_would_have_to_guess() -> None:
    def labels(graph_name: str) -> dict[tuple[str, str], str]:
        graph = samples.SAMPLES[graph_name]()
        return {(f"{e.source}.{e.output}", f"{e.target}.{e.input}"): captions.edge_label(graph, e) for e in graph.edges}

    chain, diamond, lists = labels("chain"), labels("diamond"), labels("bindings")
    assert set(chain.values()) == {""}
    assert diamond["n0.train", "n1.frame"] == "train"  # one of several, all of one type
    assert diamond["n1.o0", "n3.model"] == ""
    assert lists["n0.o0", "n2.xs[0]"] == "xs[0]"
    assert lists["n1.o0.first", "n2.xs[2]"] == "o0.first → xs[2]"
    assert lists["n2.o0", "n3.xs"] == "list[int] → list[float]"
    assert labels("pipeline")["n8.model", "n9.model"] == "model: FlyteFile"  # of several types
    assert labels("nested")["n1.model", "n2.model"] == ""  # the pill that it leaves names it


def test_an_alternative_that_is_only_added_is_no_change_of_type() -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "f", "", "int")
    b.task("n1", "g", "x: int | None", "")
    b.feed("n0.o0 -> n1.x")
    graph = b.graph()
    assert captions.edge_label(graph, graph.edges[0]) == ""


def test_a_signature_reads_as_python_does() -> None:
    interface = Interface((Port("x", "int"), Port("y", "float", "0.5")), (Port("o0", "list[int]"),))
    assert captions.signature("f", interface) == "f(x: int, y: float = 0.5) -> list[int]"
    assert captions.signature("f", Interface()) == "f() -> None"
    named = Interface((), (Port("mean", "float"), Port("n", "int")))
    assert captions.signature("f", named) == "f() -> (mean: float, n: int)"


def test_a_box_tells_the_type_of_what_comes_out_where_no_edge_does() -> None:
    b = samples.GraphBuilder("g")
    b.task("n0", "one", "", "list[int]")
    b.task("n1", "alike", "", "train: Frame; test: Frame")
    b.task("n2", "mixed", "", "model: Model; loss: float")
    b.task("n3", "none", "x: float", "")
    b.feed("n2.loss -> n3.x")
    graph = b.graph()
    reported = [captions.result(graph.nodes[f"n{i}"]) for i in range(4)]
    assert reported == ["→ list[int]", "→ 2 × Frame", "", ""]
    assert captions.edge_label(graph, graph.edges[0]) == "loss: float"
