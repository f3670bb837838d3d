"""The state of a run is what its events say, whoever sends them; groups of nodes stand where their members do."""

from __future__ import annotations

import pytest
from flytekit import conditional, task, workflow

import flytenb
from flytenb.display.runs.counts import counts_text, node_counts
from flytenb.display.runs.run_card import run_facts
from flytenb.display.runs.run_state import RunState
from flytenb.model import CacheStatus, NodeState, Phase, RunEvent
from flytenb.notebook.live.messages import box_message, box_messages, run_message
from flytenb.notebook.live.page_controller import PageController
from flytenb.notebook.live.page_layout import PageLayout
from flytenb.render.drawing import draw
from flytenb.render.group_states import drawn_states, merge_states
from flytenb.runner.run import Run
from tests.flows import FLOWS
from tests.waiting import PATIENCE, wait_for


@pytest.fixture(autouse=True)
def every_event_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run wait for its listeners as long as they need."""
    monkeypatch.setattr("flytenb.runner.run._GRACE", PATIENCE)


NAMES = ["chain", "diamond", "branch", "map_simple", "dynamic_simple", "eager_simple", "subworkflow", "retries"]


@pytest.mark.parametrize("name", NAMES)
def test_the_events_of_a_run_tell_where_each_of_its_nodes_stands(name: str) -> None:
    flow = FLOWS[name]
    state = RunState()
    run = flytenb.options(listeners=(state.take,)).run(flow.entity, **flow.inputs)
    state.read()
    reported = state.entries
    assert {p: reported[p].phase for p in run.nodes} == {p: n.phase for p, n in run.nodes.items()}
    assert {p: reported[p].attempts for p in run.nodes} == {p: n.attempts for p, n in run.nodes.items()}
    assert {p: (reported[p].done, reported[p].total) for p in run.nodes} == {
        p: (n._state.done, n._state.total) for p, n in run.nodes.items()
    }
    assert reported[""].phase is run.phase is Phase.SUCCEEDED


def test_who_listens_late_is_told_the_past_first() -> None:
    flow = FLOWS["chain"]
    run = flytenb.run(flow.entity, **flow.inputs)
    late = RunState()
    run.listen(late.take)
    run.wait()
    late.read()
    assert late.run.phase is Phase.SUCCEEDED
    assert {p for p in late.entries if p} == set(run.nodes)


def test_a_listener_that_is_taken_back_hears_no_more() -> None:
    flow = FLOWS["gate_approve"]
    run = flytenb.start(flow.entity, **flow.inputs)
    heard: list[RunEvent] = []
    remove = run.listen(heard.append)
    remove()
    before = len(run.events)
    run.cancel().wait()
    assert len(run.events) > before >= len(heard)


def test_a_gate_waits_until_it_ends() -> None:
    state = RunState()
    state.take(RunEvent(1.0, "phase", "n0", Phase.RUNNING))
    state.take(RunEvent(2.0, "gate", "n0", text="go on?"))
    state.read()
    assert state.waiting == {"n0": "go on?"}
    state.take(RunEvent(3.0, "phase", "n0", Phase.SUCCEEDED))
    state.read()
    assert state.waiting == {}


def test_what_a_node_prints_is_no_change_of_its_state() -> None:
    state = RunState()
    state.take(RunEvent(1.0, "phase", "n0", Phase.RUNNING))
    state.take(RunEvent(1.5, "log", "n0", text="hello"))
    assert state.read() == ({"n0"}, {"n0"})
    assert state.read() == (set(), set())


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        ([Phase.QUEUED, Phase.QUEUED], Phase.QUEUED),
        ([Phase.SUCCEEDED, Phase.QUEUED], Phase.RUNNING),
        ([Phase.RUNNING, Phase.SUCCEEDED], Phase.RUNNING),
        ([Phase.RUNNING, Phase.FAILED], Phase.FAILED),
        ([Phase.TIMED_OUT, Phase.SUCCEEDED], Phase.TIMED_OUT),
        ([Phase.SUCCEEDED, Phase.SKIPPED], Phase.SUCCEEDED),
        ([Phase.SKIPPED, Phase.SKIPPED], Phase.SKIPPED),
        ([Phase.SUCCEEDED, Phase.ABORTED], Phase.ABORTED),
    ],
)
def test_a_group_stands_where_the_worst_of_its_members_does(phases: list[Phase], expected: Phase) -> None:
    state = merge_states(NodeState(phase) for phase in phases)
    assert state.phase is expected
    assert (state.done, state.total) == (sum(p.is_terminal for p in phases), len(phases))


def test_a_closed_container_keeps_its_own_phase_and_counts_those_inside() -> None:
    states = {
        "n1": NodeState(Phase.RUNNING),
        "n1/n0": NodeState(Phase.SUCCEEDED),
        "n1/n1": NodeState(Phase.QUEUED),
    }
    shown = drawn_states(states, {"n1/n0": "n1", "n1/n1": "n1"})
    assert shown["n1"] == NodeState(Phase.RUNNING, done=1, total=2)


def test_every_node_of_a_picture_is_told_of_before_anything_has_happened() -> None:
    graph = flytenb.graph(FLOWS["subworkflow"].entity)
    news = box_messages(RunState(), PageLayout.of(graph), graph.nodes)
    assert set(news) == {p for p, n in graph.nodes.items() if not n.is_pseudo}
    assert {reported[0] for reported in news.values()} == {"QUEUED"}


def test_a_node_inside_a_closed_container_is_told_of_by_the_container() -> None:
    graph = flytenb.graph(FLOWS["subworkflow"].entity)
    container = next(p for p, n in graph.nodes.items() if n.children)
    inside = next(p for p in graph.nodes[container].children if not graph.nodes[p].is_pseudo)
    state = RunState()
    for path in (container, inside):
        state.take(RunEvent(5.0, "phase", path, Phase.RUNNING))
    state.take(RunEvent(6.0, "phase", inside, Phase.SUCCEEDED))
    changed, _ = state.read()
    news = box_messages(state, PageLayout.of(graph, frozenset({container})), changed)
    assert set(news) == {container}
    assert news[container][1].startswith("running · 1/")


def test_the_start_is_told_only_of_what_runs_and_a_hit_only_of_what_succeeded() -> None:
    assert box_message(NodeState(Phase.RUNNING), 12.0)[3] == 12.0
    assert box_message(NodeState(Phase.SUCCEEDED, cache=CacheStatus.HIT), 12.0)[2:4] == ["HIT", None]
    assert box_message(NodeState(Phase.RUNNING, cache=CacheStatus.HIT), 12.0)[2] == ""


def test_the_last_frame_of_a_view_has_the_end_of_the_run_also_if_its_listener_heard_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Run, "listen", lambda run, listener: lambda: None)
    flow = FLOWS["chain"]
    run = flytenb.run(flow.entity, **flow.inputs)
    controller = PageController(run)
    widget = controller.open()
    assert widget.frame["run"]["phase"] == "QUEUED"
    controller.close()
    assert widget.frame["run"]["phase"] == "SUCCEEDED"
    assert widget.frame["run"]["facts"] == run_facts(run)


def test_the_elements_of_a_map_are_no_nodes() -> None:
    flow = FLOWS["map_simple"]
    state = RunState()
    run = flytenb.options(listeners=(state.take,)).run(flow.entity, **flow.inputs)
    state.read()
    counts = node_counts(state, run.graph)
    assert counts.total() == sum(not n.is_pseudo for n in run.graph.nodes.values()) < len(run.nodes)
    assert counts_text(counts) == f"{counts.total()} node{'s' if counts.total() > 1 else ''}"


@task
def plus_one(x: int) -> int:
    return x + 1


@workflow
def guarded(x: int) -> int:
    return conditional("check").if_(x > 0).then(plus_one(x=x)).else_().fail("useless")  # type: ignore[no-any-return]


@pytest.mark.parametrize(("x", "phase"), [(1, Phase.SKIPPED), (-1, Phase.FAILED)])
def test_the_failing_case_of_a_branch_has_a_state_in_every_form_of_the_picture(x: int, phase: Phase) -> None:
    state = RunState()
    run = flytenb.options(listeners=(state.take,)).start(guarded, x=x).wait()
    state.read()
    drawing = draw(run.graph, states=run._states)
    assert f'data-path="n0/@else" data-phase="{phase}"' in drawing.svg and ">useless</text>" in drawing.svg
    [arrow] = [line for line in drawing.svg.splitlines() if 'data-target="n0/@else"' in line]
    assert ('data-phase="SKIPPED"' in arrow) == (phase is Phase.SKIPPED)
    assert f"fails: useless  ({phase.lower()})" in drawing.text
    messages = box_messages(state, PageLayout.of(run.graph), run.graph.nodes)
    assert messages["n0/@else"][0] == phase


@task
def passes_unless_one(x: int) -> int:
    if x == 1:
        raise ValueError(x)
    return x


@workflow
def stops() -> int:
    return passes_unless_one(x=passes_unless_one(x=1))  # type: ignore[no-any-return]


def test_the_counts_have_the_words_of_the_finished_run_while_it_goes_on() -> None:
    state = RunState()
    run = flytenb.options(listeners=(state.take,)).start(stops).wait()
    state.read()
    assert counts_text(node_counts(state, run.graph)) == "2 nodes · 1 failed · 1 did not run"
    assert "(1 failed, 1 did not run)" in run_facts(run)


def test_the_run_says_its_phase_its_counts_and_what_its_gates_ask() -> None:
    flow = FLOWS["gate_input"]
    state = RunState()
    run = flytenb.options(listeners=(state.take,)).start(flow.entity, **flow.inputs)

    def is_asked() -> bool:
        state.read()
        return bool(state.waiting)

    wait_for(is_asked)
    news, waiting = run_message(state, run.graph, now=99.0), run.waiting
    run.cancel()
    assert (news["phase"], news["now"], news["took"]) == ("RUNNING", 99.0, None)
    assert "running" in news["facts"]
    [gate] = news["gates"]
    assert (gate["path"], gate["kind"]) == (*waiting, "input")
    assert gate["type"] in gate["question"]
