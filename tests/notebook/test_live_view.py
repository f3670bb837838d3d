"""A run in a cell's output: live only where somebody can watch, one true picture in the end, everywhere."""

from __future__ import annotations

import re
import threading
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from queue import SimpleQueue
from typing import Any

import nbformat
import pytest
from flytekit import task
from nbconvert import HTMLExporter

import flytenb
from flytenb.display.runs.progress import FIRST_IN_TERMINAL, Progress
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.notebook.live import page_controller
from flytenb.notebook.page_threads import JobQueue, Ticker
from tests.flows import FLOWS
from tests.kernel import Kernel
from tests.kernel import executed as run_notebook
from tests.page import Page
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.slow  # runs that are watched take their time

WIDGET = "application/vnd.jupyter.widget-view+json"
DEFINE = f"""
WIDGET = {WIDGET!r}
"""
DEFINE += """
import os, threading
from datetime import timedelta
from flytekit import approve, task, workflow
import flytenb

seen = threading.Event()  # what a test looks at
seen.set()

@task
def nap(x: int) -> int:
    print("napping")
    seen.wait(600)
    return x

@task
def wrong(x: int) -> int:
    raise ValueError("<b>no</b>")
    return x

@workflow
def naps(x: int = 1) -> int:
    return nap(x=nap(x=x))

@workflow
def nap_and_fail(x: int = 1) -> int:
    return wrong(x=nap(x=x))
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run(DEFINE).ok()
        yield kernel


def published_by(kernel: Kernel, source: str) -> list[dict[str, str]]:
    """Everything that a cell publishes, also what it replaces later."""
    kernel.run("""
        shell, published = get_ipython(), []
        publish = type(shell.display_pub).publish
        def note(self, data, *args, **kwargs):
            published.append(data)
            publish(self, data, *args, **kwargs)
            if "ft-live-" in data.get("text/html", "") or WIDGET in data:
                seen.set()
        type(shell.display_pub).publish = note
        seen.clear()
    """).ok()
    kernel.run(source).ok()
    kernel.run("type(shell.display_pub).publish = publish").ok()
    seen: list[dict[str, str]] = kernel.value(
        "[{kind: str(value) for kind, value in data.items()} for data in published]"
    )
    return seen


@pytest.mark.kernel
def test_every_output_is_a_picture_and_one_in_between_comes_alive(kernel: Kernel) -> None:
    kernel.run("flytenb.draw(naps).svg").ok()  # the layout engine takes its time when it is first asked
    first, *live, last = published_by(kernel, "run = %flyte run naps(x=1)")
    assert ["ft-live-" in each["text/html"] for each in (first, *live, last)] == [False, *[True] * len(live), True]
    assert {kind for each in (first, *live) for kind in each} == {"text/plain", "text/html"}
    assert 'src="data:image/svg+xml;base64,' in live[-1]["text/html"]
    assert "seen at" in live[-1]["text/plain"]
    assert set(last) == {"text/plain", "text/html"}
    assert last["text/html"].count("data:image/svg+xml") == 1
    assert "✓ naps succeeded" in last["text/plain"]
    assert "seen at" not in last["text/plain"]


@pytest.mark.kernel
def test_a_front_end_that_only_knows_outputs_that_are_widgets_gets_one(kernel: Kernel) -> None:
    kernel.run("__vsc_ipynb_file__ = 'one.ipynb'").ok()
    first, *live, last = published_by(kernel, "run = %flyte run naps(x=1)")
    kernel.run("del __vsc_ipynb_file__").ok()
    assert [WIDGET in each for each in (first, *live, last)] == [False, *[True] * len(live), False]
    assert live


@pytest.mark.kernel
def test_colab_is_told_where_its_widget_manager_is(kernel: Kernel) -> None:
    kernel.run(
        """
        import sys, types
        colab, output = types.ModuleType("google.colab"), types.ModuleType("google.colab.output")
        output._widgets = types.SimpleNamespace(_installed_url=None)
        def enable_custom_widget_manager():
            output._widgets._installed_url = "https://ssl.gstatic.com/colab"
        output.enable_custom_widget_manager = enable_custom_widget_manager
        sys.modules |= {"google.colab": colab, "google.colab.output": output}
        """
    ).ok()
    kernel.run(
        """
        shell, reported = get_ipython(), []
        publish = type(shell.display_pub).publish
        def note(self, data, metadata=None, *args, **kwargs):
            reported.append((sorted(data), metadata))
            publish(self, data, metadata, *args, **kwargs)
            if WIDGET in data:
                seen.set()
        type(shell.display_pub).publish = note
        seen.clear()
        """
    ).ok()
    kernel.run("run = %flyte run naps(x=1)").ok()
    kernel.run("type(shell.display_pub).publish = publish").ok()
    kernel.run("del sys.modules['google.colab'], sys.modules['google.colab.output']").ok()
    live = [metadata for kinds, metadata in kernel.value("reported") if WIDGET in kinds]
    assert live
    assert all(each[WIDGET]["colab"]["custom_widget_manager"]["url"].startswith("https://") for each in live)


@pytest.mark.kernel
def test_a_short_run_makes_no_widget(kernel: Kernel) -> None:
    kernel.run("from ipywidgets import Widget\nfrom flytenb.notebook.live import run_widget").ok()
    made = "len([w for w in __import__('ipywidgets').widgets.widget._instances])"
    before = kernel.value(made)
    kernel.run("@task\ndef quick(x: int) -> int:\n    return x").ok()
    kernel.run("import flytenb.notebook.live.run_view as view; view._PATIENCE, usual = 600, view._PATIENCE").ok()
    kernel.run("run = %flyte run quick(x=1)").ok()
    kernel.run("view._PATIENCE = usual").ok()
    assert kernel.value(made) == before


@pytest.mark.kernel
def test_a_failed_run_is_frozen_with_its_error_and_the_cell_fails(kernel: Kernel) -> None:
    outcome = kernel.run("%flyte run nap_and_fail(x=1)")
    error = outcome.fails()
    assert error.traceback.splitlines()[1] == "  node n1 (wrong) of nap_and_fail failed"
    [bundle] = outcome.bundles
    assert bundle["text/plain"].startswith("✕ nap_and_fail failed · ")
    assert "<b>no</b>" not in bundle["text/plain"], "the error itself follows"


@pytest.mark.kernel
def test_the_message_of_a_failure_that_the_cell_catches_is_in_the_output_of_the_run(kernel: Kernel) -> None:
    source = "try:\n    flytenb.run(nap_and_fail, x=1)\nexcept ValueError:\n    pass"
    [bundle] = kernel.run(f"import flytenb\n{source}").ok().bundles
    assert "node n1 (wrong): ValueError: <b>no</b>" in bundle["text/plain"]
    assert "&lt;b&gt;no&lt;/b&gt;" in bundle["text/html"]
    assert "<b>no</b>" not in bundle["text/html"]


@pytest.mark.kernel
def test_a_run_in_the_background_freezes_in_its_own_cell(kernel: Kernel) -> None:
    kernel.run("seen.clear()").ok()
    outcome = kernel.run("run = %flyte run naps(x=1) --background").ok()
    assert kernel.value("run.phase.is_terminal") is False
    later = kernel.run("seen.set(); run.wait(); print('next')").ok()
    assert later.shown.strip() == "next"
    kernel.wait_for(lambda: "✓ naps succeeded" in outcome.bundles[0]["text/plain"])
    assert "finished at" in outcome.bundles[0]["text/plain"]
    assert WIDGET not in outcome.bundles[0]
    row = kernel.run("%flyte runs").ok().result or ""
    assert "naps" in row
    assert "succeeded" in row


@pytest.mark.kernel
def test_a_run_that_is_on_is_live_in_a_second_cell_too(kernel: Kernel) -> None:
    kernel.run("seen.clear()").ok()
    first = kernel.run("run = %flyte run naps(x=1) --background").ok()
    second = kernel.run("run").ok()
    kernel.run("seen.set(); run.wait()").ok()
    for outcome in (first, second):
        kernel.wait_for(lambda outcome=outcome: "✓ naps succeeded" in outcome.bundles[0]["text/plain"])
        assert len(outcome.bundles) == 1


@pytest.mark.kernel
def test_who_wants_only_pictures_gets_no_widget_and_progress_that_the_end_replaces() -> None:
    with Kernel() as kernel:
        kernel.run(DEFINE).ok()
        kernel.run("""
            from flytenb.display.runs import progress
            progress.FIRST = .2
            tick = progress.Progress.tick
            def tick_and_tell(self):
                tick(self)
                if self._pause > .2:  # a line was printed
                    self._due += 600
                    seen.set()
            progress.Progress.tick = tick_and_tell
            from flytenb.notebook.live import run_view
            placeholder, told = run_view.placeholder, []
            def noted(run, line=""):
                made = placeholder(run, line)
                told.append(made["text/plain"])
                return made
            run_view.placeholder = noted
            seen.clear()
        """).ok()
        kernel.run("os.environ['FLYTENB_STATIC'] = '1'").ok()
        outcome = kernel.run("run = %flyte run naps(x=1)").ok()
        assert outcome.text == ""
        assert "of 2 nodes" not in outcome.shown
        first, line = kernel.value("told")
        assert first in ("○ naps queued", "▶ naps running")
        assert re.fullmatch(r"▶ naps running\n\d of 2 nodes · .*", line)
        assert [set(b) for b in outcome.bundles] == [{"text/plain", "text/html"}]
        assert kernel.value("'anywidget' in __import__('sys').modules") is False


STARTED = [
    "seen.clear()\nstarted = flytenb.start(naps, x=3)",
    "seen.set()\nwhile not started.phase.is_terminal:\n    threading.Event().wait(0.01)",
    "seen.clear()\nendless = flytenb.start(naps, x=3)",
    "while 'napping' not in endless.nodes['n0'].log:\n    threading.Event().wait(0.01)",
]
"""Runs that aren't waited for: one ends during the next cell, and one never does."""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """A notebook that nbclient has executed, one of its cells failing."""
    cells = ["%load_ext flytenb", DEFINE, "run = %flyte run naps(x=1)", "%flyte run nap_and_fail(x=2)", *STARTED]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    return run_notebook(notebook, tmp_path_factory.mktemp("executed"), allow_errors=True)


@pytest.mark.kernel
def test_an_executed_notebook_holds_the_picture_and_no_widget(executed: nbformat.NotebookNode) -> None:
    nbformat.validate(executed)
    [output] = executed.cells[2].outputs
    assert set(output.data) == {"text/plain", "text/html"}
    assert "succeeded" in output.data["text/plain"]
    assert "widgets" not in executed.metadata
    picture, error = executed.cells[3].outputs
    assert "failed" in picture.data["text/plain"]
    assert (error.output_type, error.ename) == ("error", "ValueError")


@pytest.mark.kernel
def test_an_executed_notebook_holds_the_state_of_runs_at_the_end_of_later_cells(
    executed: nbformat.NotebookNode,
) -> None:
    shown = [[o.data["text/plain"] for o in cell.outputs if "data" in o] for cell in executed.cells[4:]]
    assert [len(each) for each in shown] == [1, 0, 1, 0]
    assert shown[0][0].startswith("✓ naps succeeded")
    assert shown[2][0].startswith("▶ naps running")
    assert "data:image/svg+xml;base64," in executed.cells[4].outputs[0].data["text/html"]


@pytest.mark.kernel
def test_nbconvert_shows_the_picture(executed: nbformat.NotebookNode) -> None:
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(executed)
    assert html.count("data:image/svg+xml;base64,") >= 2
    assert "node n1 (wrong) of nap_and_fail failed" in html


# --- the frozen bundle ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chain", "branch", "map_simple", "dynamic_simple", "subworkflow"])
def test_text_and_html_of_a_frozen_run_show_the_same_facts(name: str) -> None:
    flow = FLOWS[name]
    run = flytenb.run(flow.entity, **flow.inputs)
    bundle = run_bundle(run, show)
    head = bundle["text/plain"].splitlines()[0]
    assert Page.words_of(head) <= Page(bundle["text/html"]).facts
    assert "<script" not in bundle["text/html"]
    [picture] = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', bundle["text/html"])
    assert "ft-title" not in re.sub("<style>.*?</style>", "", b64decode(picture).decode()), "the head has the title"


def test_a_reader_keeps_what_was_open() -> None:
    flow = FLOWS["chain"]
    run = flytenb.run(flow.entity, **flow.inputs)
    path = next(iter(run.nodes))
    page = Page(run_bundle(run, show, open_nodes=(path, "nowhere"))["text/html"])
    assert sum(tag == "details" and "open" in attributes for tag, attributes in page.elements) == 1


def test_a_run_is_explored_only_where_there_is_a_notebook() -> None:
    run = flytenb.run(FLOWS["chain"].entity, **FLOWS["chain"].inputs)
    with pytest.raises(flytenb.FlytenbError, match="no notebook"):
        run.explore()


# --- lines of text, and the threads -----------------------------------------------------------------------------------


def test_progress_is_told_ever_more_rarely_and_a_gate_at_once() -> None:
    flow = FLOWS["gate_approve"]
    run = flytenb.start(flow.entity, **flow.inputs)
    wait_for(lambda: run.waiting)
    said: list[str] = []
    now = [0.0]
    progress = Progress(run, said.append, clock=lambda: now[0])
    shown: list[str] = []
    in_terminal = Progress(run, shown.append, clock=lambda: now[0], first=FIRST_IN_TERMINAL)
    while not said:  # events are delivered by another thread
        progress.tick()
    reported = []
    for second in range(200):
        now[0] = float(second)
        before = len(said)
        progress.tick()
        reported += [second] * (len(said) - before)
    path = run.waiting[0]
    now[0] = FIRST_IN_TERMINAL
    in_terminal.tick()
    run.cancel()
    assert "nodes" in shown[-1], "from the first second"
    assert reported == [5, 15, 35, 75, 155]
    assert f"run.approve({path!r})" in said[0]
    assert "nodes" in said[1]


def test_a_view_that_breaks_is_told_no_more_and_the_others_go_on() -> None:
    class View:
        def __init__(self, ticks: int, error: Exception | None = None) -> None:
            self.ticks, self.error, self.seen = ticks, error, 0

        def tick(self) -> bool:
            self.seen += 1
            if self.error:
                raise self.error
            return self.seen < self.ticks

    ticker = Ticker("test-ticker")
    good, bad = View(3), View(3, RuntimeError("broken"))
    with pytest.warns(UserWarning, match="broken"):
        ticker.add(bad)
        ticker.add(good)
        wait_for(lambda: good.seen == 3)
    assert bad.seen == 1


def test_a_lane_goes_on_after_a_job_that_breaks() -> None:
    lane, done = JobQueue("test-lane"), []
    with pytest.warns(UserWarning, match="modulo by zero"):
        lane.submit(lambda: done.append(1 // 0))
        lane.submit(lambda: done.append(2))
        wait_for(lambda: bool(done))
    assert done == [2]


def test_a_thread_that_is_not_kept_ends_with_the_last_view_or_job_and_begins_with_the_next() -> None:
    class View:
        seen, is_open = 0, True

        def tick(self) -> bool:
            self.seen += 1
            return self.is_open

    def threads() -> int:
        return sum(thread.name == "test-ended" for thread in threading.enumerate())

    ticker, queue, done = Ticker("test-ended"), JobQueue("test-ended"), list[str]()
    ticker.keep_thread(False)
    queue.keep_thread(False)
    for name in ("first", "second"):
        view, go = View(), threading.Event()
        ticker.add(view)
        wait_for(partial(getattr, view, "seen"))
        queue.submit(go.wait)
        queue.submit(partial(done.append, name))
        assert threads() == 2, "each has something to do"
        go.set()
        view.is_open = False
        wait_for(lambda: threads() == 0)
    assert done == ["first", "second"]
    queue.keep_thread(True)
    queue.submit(partial(done.append, "kept"))
    wait_for(lambda: done[-1] == "kept")
    assert threads() == 1
    queue.keep_thread(False)
    wait_for(lambda: threads() == 0)


class Slow:
    """Says what it is when it is let."""

    let = threading.Event()

    def __repr__(self) -> str:
        Slow.let.wait()
        return "said at last"


@task
def make_slow() -> Slow:
    return Slow()


def test_a_value_that_takes_its_time_keeps_nobody_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_controller, "_PATIENCE", 0.05)
    run = flytenb.start(make_slow)
    run.wait()
    reported: SimpleQueue[dict[str, Any]] = SimpleQueue()
    following = page_controller.PageController(run)
    monkeypatch.setattr(following, "_send_message", reported.put)
    try:
        for _ in range(2):
            following._on_message({"kind": "look", "path": "n0"})
        following._on_message({"kind": "stop"})
        messages = [reported.get(timeout=PATIENCE) for _ in range(3)]
        looked = [m for m in messages if m["kind"] == "details"]
        assert {m["kind"] for m in messages} == {"details", "stopping"}
        assert len(looked) == 2
        (fragment,) = looked[0]["values"][0]["fragments"]
        assert "not shown: rendering the values of this node takes more than 50 ms" in fragment
        assert "Slow" in fragment
        Slow.let.set()
        monkeypatch.setattr(page_controller, "_PATIENCE", 30.0)
        following._on_message({"kind": "look", "path": "n0"})
        assert "said at last" in reported.get(timeout=PATIENCE)["values"][0]["fragments"][0]
    finally:
        Slow.let.set()
        following.close()
