"""A run in a real kernel: what its handle tells, what its nodes print, and that independent nodes run together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import Kernel

pytestmark = pytest.mark.kernel

DEFINITIONS = """
import asyncio, sys, threading, time, typing
import flytenb
from flytekit import task, workflow

class Pair(typing.NamedTuple):
    total: int
    label: str

@task
def loud(x: int) -> int:
    print(f"loud {x}")
    print(f"warning {x}", file=sys.stderr)
    return x + 1

@task
def labelled(x: int, y: int) -> Pair:
    print("labelling")
    return Pair(x + y, f"{x}+{y}")

@workflow
def diamond(x: int) -> Pair:
    start = loud(x=x)
    left, right = loud(x=start), loud(x=start)
    return labelled(x=left, y=right)
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run(DEFINITIONS).ok()
        kernel.run("before = time.time(); run = flytenb.run(diamond, x=1); after = time.time()").ok()
        yield kernel


def test_the_handle_tells_phase_result_and_outputs(kernel: Kernel) -> None:
    assert kernel.value("[str(run.phase), run.error]") == ["SUCCEEDED", None]
    assert kernel.value("[run.result.total, run.result.label, tuple(run.result)]") == [6, "3+3", (6, "3+3")]
    assert kernel.value("run.result == diamond(x=1)")
    assert kernel.value("run.outputs") == {"total": 6, "label": "3+3"}


def test_each_node_tells_its_story(kernel: Kernel) -> None:
    assert kernel.value("list(run.nodes)") == ["n0", "n1", "n2", "n3"]
    assert kernel.value("[str(n.phase) for n in run.nodes.values()]") == ["SUCCEEDED"] * 4
    assert kernel.value("[run.nodes['n0'].inputs, run.nodes['n0'].outputs]") == [{"x": 1}, {"o0": 2}]
    assert kernel.value("[run.nodes['n3'].inputs, run.nodes['n3'].outputs]") == [
        {"x": 3, "y": 3},
        {"total": 6, "label": "3+3"},
    ]
    assert kernel.value("[n.attempts for n in run.nodes.values()]") == [1] * 4
    assert kernel.value("[n.error for n in run.nodes.values()]") == [None] * 4
    assert kernel.value("all(before <= n.started and 0 <= n.duration <= after - before for n in run.nodes.values())")
    assert kernel.value("run.nodes['n3'].started >= run.nodes['n0'].started + run.nodes['n0'].duration - 1e-3")


def test_a_nodes_values_are_copies(kernel: Kernel) -> None:
    kernel.run("""
        @task
        def listed(xs: list[int]) -> list[int]:
            xs.append(99)
            return xs

        mine = [1]
        lists = flytenb.run(listed, xs=mine)
        lists.outputs["o0"].append(7)
        lists.nodes["n0"].outputs["o0"].append(8)
        lists.result.append(9)
    """).ok()
    assert kernel.value("[mine, lists.outputs, lists.nodes['n0'].inputs, lists.result]") == [
        [1],
        {"o0": [1, 99]},
        {"xs": [1]},
        [1, 99],
    ]


def test_what_a_node_prints_is_kept_by_node_and_stays_out_of_other_cells(kernel: Kernel) -> None:
    assert kernel.value("run.nodes['n0'].log") == "loud 1\nwarning 1\n"
    assert kernel.value("[run.nodes['n1'].log, run.nodes['n3'].log]") == ["loud 2\nwarning 2\n", "labelling\n"]
    outcome = kernel.run("run2 = %flyte run diamond(x=5)").ok()
    assert kernel.value("run2.nodes['n0'].log") == "loud 5\nwarning 5\n"
    assert (outcome.text, outcome.stderr) == ("", "")
    assert kernel.run("print('plain')").text == "plain\n"
    kernel.wait_for(lambda: kernel.value("type(sys.stdout).__name__") == "OutStream")


def test_what_a_task_displays_stands_in_the_cell_that_runs_it(kernel: Kernel) -> None:
    kernel.run("""
        import warnings
        from IPython.display import HTML, display

        @task
        def painter(x: int) -> int:
            display(HTML(f"<b>painted {x}</b>"))
            warnings.warn(f"wet paint {x}")
            return x
    """).ok()
    for x in (1, 2):
        outcome = kernel.run(f"painted = %flyte run painter(x={x})").ok()
        assert [b["text/html"] for b in outcome.bundles if "painted" in b.get("text/html", "")] == [
            f"<b>painted {x}</b>"
        ]
        assert f"wet paint {x}" in kernel.value("painted.nodes['n0'].log")
        assert outcome.stderr == ""


def test_runs_at_the_same_time_keep_their_prints_apart(kernel: Kernel) -> None:
    kernel.run("""
        both = threading.Barrier(2)

        @task
        def speaks(name: str) -> str:
            both.wait(600)
            for _ in range(100):
                print(name)
            return name

        one, two = flytenb.start(speaks, name="one"), flytenb.start(speaks, name="two")
        one.wait(), two.wait()
        print("done")
    """).ok()
    assert kernel.value("[one.nodes['n0'].log == 'one\\n' * 100, two.nodes['n0'].log == 'two\\n' * 100]") == [
        True,
        True,
    ]
    assert kernel.run("print('plain')").text == "plain\n"
    kernel.wait_for(lambda: kernel.value("type(sys.stdout).__name__") == "OutStream")


@pytest.mark.parametrize("wait", ["waited.wait()", "await waited"])
def test_a_cell_that_waits_for_a_run_shows_its_end(kernel: Kernel, wait: str) -> None:
    shown = kernel.run(f"waited = flytenb.start(diamond, x=1)\n{wait}\nNone").ok().shown
    assert ("succeeded" in shown, "queued" in shown) == (True, False)


def test_the_events_tell_every_change_in_order(kernel: Kernel) -> None:
    phases = kernel.value("[(e.path, str(e.phase)) for e in run.events if e.kind == 'phase']")
    assert [p for path, p in phases if path == "n3"] == ["RUNNING", "SUCCEEDED"]
    assert phases[-1] == ("", "SUCCEEDED")
    assert phases.index(("n0", "SUCCEEDED")) < phases.index(("n1", "RUNNING"))
    assert phases.index(("n2", "SUCCEEDED")) < phases.index(("n3", "RUNNING"))
    assert kernel.value("sorted(e.time for e in run.events) == [e.time for e in run.events]")
    logs = kernel.value("''.join(e.text for e in run.events if e.kind == 'log' and e.path == 'n0')")
    assert logs == "loud 1\nwarning 1\n"


def test_listeners_hear_what_the_record_keeps(kernel: Kernel) -> None:
    kernel.run("heard = []; listened = flytenb.options(listeners=[heard.append]).run(diamond, x=2)").ok()
    kernel.wait_for(lambda: kernel.value("len(heard) == len(listened.events)"))
    assert kernel.value("tuple(heard) == listened.events")


def test_the_graph_of_a_run_is_the_graph_of_its_entity_with_what_was_given(kernel: Kernel) -> None:
    assert kernel.value("run.graph.edges == flytenb.graph(diamond).edges")
    assert kernel.value("list(run.graph.nodes) == list(flytenb.graph(diamond).nodes)")
    assert kernel.value("[(port.name, port.default) for port in run.graph.inputs]") == [("x", "1")]
    assert kernel.value("set(run.nodes) <= set(run.graph.nodes)")


def test_a_node_that_is_not_there_names_the_closest(kernel: Kernel) -> None:
    error = kernel.run("run.nodes['labeled']").fails()
    assert error.ename == "UnknownNameError"
    assert "'labeled'" in error.traceback
    assert kernel.value("run.nodes['labelled'].path") == "n3"


MEET = """
barrier = threading.Barrier(3)

@task
def meets(x: int) -> str:
    barrier.wait(BOUND)
    return threading.current_thread().name

@workflow
def meeting(x: int) -> tuple[str, str, str]:
    return meets(x=x), meets(x=x), meets(x=x)
"""


def test_independent_nodes_run_at_the_same_time_on_threads_of_their_own(kernel: Kernel) -> None:
    kernel.run(MEET.replace("BOUND", "600")).ok()
    kernel.run("met = %flyte run meeting(x=1)").ok()
    assert kernel.value("len(set(met.result))") == 3
    assert kernel.value("threading.main_thread().name not in met.result")


def test_one_worker_runs_one_node_at_a_time(kernel: Kernel) -> None:
    kernel.run("""
        inside, most = [], []

        @task
        def alone(x: int) -> int:
            inside.append(x)
            most.append(len(inside))
            time.sleep(0.02)
            inside.remove(x)
            return x

        @task
        def gathered(xs: list[int]) -> int:
            return sum(xs)

        @workflow
        def crowd() -> int:
            return gathered(xs=[alone(x=1), alone(x=2), alone(x=3), alone(x=4)])

        single = flytenb.options(workers=1).run(crowd)
    """).ok()
    assert kernel.value("[single.result, max(most), len(most)]") == [10, 1, 4]
    kernel.run(MEET.replace("BOUND", "0.05")).ok()
    assert kernel.run("%flyte run meeting(x=1) --workers 1").fails().ename == "BrokenBarrierError"


def test_a_setting_never_collides_with_an_input(kernel: Kernel) -> None:
    kernel.run("""
        @task
        def hired(workers: int, strict: bool, entity: str, self: int) -> str:
            return f"{workers} {strict} {entity} {self}"
    """).ok()
    call = "workers=7, strict=False, entity='e', self=2"
    kernel.run(f"a = flytenb.run(hired, {call}); b = flytenb.options(workers=1, strict=True).run(hired, {call})").ok()
    kernel.run(f"c = %flyte run hired({call}) --workers 1").ok()
    assert kernel.value("[a.result, b.result, c.result]") == ["7 False e 2"] * 3


def test_a_run_in_the_background_comes_back_at_once_and_can_be_awaited(kernel: Kernel) -> None:
    kernel.run("""
        gate = threading.Event()

        @task
        def gated(x: int) -> int:
            gate.wait(600)
            print("through")
            return x
    """).ok()
    started = kernel.run("waiting = %flyte run gated(x=3) --background").ok()
    assert kernel.value("str(waiting.phase)") == "RUNNING"
    assert "gated" in started.shown
    assert kernel.run("waiting.result").fails().ename == "FlytenbError"
    later = kernel.run("gate.set(); done = await waiting\nprint(done is waiting)").ok()
    assert later.text == "True\n"
    assert kernel.value("[waiting.result, waiting.nodes['n0'].log]") == [3, "through\n"]
    kernel.wait_for(lambda: "succeeded" in started.shown.lower())
    assert any("gated" in picture for picture in started.pictures)


def test_a_run_in_the_background_can_be_cancelled(kernel: Kernel) -> None:
    kernel.run("""
        gate = threading.Event()

        @task
        def gated(x: int) -> int:
            gate.wait(600)
            return x

        @workflow
        def gated_twice(x: int) -> int:
            return gated(x=gated(x=x))

        cancelled = flytenb.start(gated_twice, x=1).cancel()
        gate.set()
        cancelled.wait()
    """).ok()
    assert kernel.value("[str(cancelled.phase), str(cancelled.nodes['n1'].phase)]") == ["ABORTED", "ABORTED"]
    assert kernel.run("cancelled.result").fails().ename == "RunCancelledError"


def test_order_without_data_is_kept(kernel: Kernel) -> None:
    kernel.run("""
        seen = []

        @task
        def noted(x: int) -> int:
            seen.append(x)
            return x

        @workflow
        def ordered() -> None:
            a, b, c = noted(x=3), noted(x=2), noted(x=1)
            c >> b >> a

        flytenb.run(ordered)
    """).ok()
    assert kernel.value("seen") == [1, 2, 3]


def test_only_recoverable_failures_are_retried_as_on_a_cluster(kernel: Kernel) -> None:
    kernel.run("""
        from flytekit.exceptions.user import FlyteRecoverableException
        tries = []

        @task(retries=2)
        def flaky(x: int, error: str) -> int:
            tries.append(x)
            if len(tries) < 3:
                raise {"recoverable": FlyteRecoverableException, "plain": ValueError}[error](f"try {len(tries)}")
            return x

        retried = flytenb.run(flaky, x=5, error="recoverable")
    """).ok()
    assert kernel.value("[retried.result, retried.nodes['n0'].attempts, len(tries)]") == [5, 3, 3]
    assert kernel.value("[e.attempt for e in retried.events if e.kind == 'attempt']") == [1, 2]
    kernel.run("tries.clear(); plain = flytenb.start(flaky, x=5, error='plain').wait()").ok()
    assert kernel.value("[str(plain.phase), plain.nodes['n0'].attempts, len(tries)]") == ["FAILED", 1, 1]


def test_a_sweep_is_one_table_in_its_cell(kernel: Kernel) -> None:
    for source in ("%flyte sweep diamond(x=[1, 2])", "s = %flyte sweep diamond(x=[1, 2])\ns", "s"):
        [bundle] = kernel.run(source).ok().bundles
        assert bundle["text/plain"].count("✓ succeeded") == bundle["text/html"].count("<summary class") == 2


def test_no_outputs_give_none_and_a_single_task_is_one_node(kernel: Kernel) -> None:
    kernel.run("@task\ndef silent(x: int) -> None:\n    print(x)").ok()
    kernel.run("nothing = flytenb.run(silent, x=1)").ok()
    assert kernel.value("[nothing.result, nothing.outputs, list(nothing.nodes)]") == [None, {}, ["n0"]]


def test_deleting_the_last_variable_frees_the_values_of_a_displayed_run(kernel: Kernel) -> None:
    kernel.run("""
        @task
        def long(n: int) -> str:
            return "x" * n
    """).ok()
    kernel.run("held = %flyte run long(n=2_000_000)").ok()
    kernel.run("held").ok()
    kernel.run("held").ok()
    of_the_session = "__import__('flytenb.session.host').session.host.host.session.runs[-1]"
    assert kernel.value(f"{of_the_session}.nodes['n0'].note") == ""
    kernel.run("del held").ok()

    def is_freed() -> bool:
        kernel.run("pass").ok()  # a thread of the kernel may have held it at the end of the cell
        note: str = kernel.value(f"{of_the_session}.nodes['n0'].note")
        return "no variable holds it" in note

    kernel.wait_for(is_freed)
