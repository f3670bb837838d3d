"""The page's side of a live run in a real browser: what a reader sees, clicks, types and hears."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

import flytenb
from flytenb.display.html import shared_module
from flytenb.display.runs.run_card import run_facts
from flytenb.notebook.live.page_controller import PageController
from flytenb.notebook.page_threads import JobQueue
from flytenb.runner.run import Run
from flytenb.wording.quantities import duration_text
from tests.browser import live_flows as flows
from tests.browser.alone import Alone, Latch
from tests.browser.contrasts import low_contrasts

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def latch() -> Iterator[Latch]:
    flows.latch = Latch()
    flows.first_latch = Latch()
    yield flows.latch
    flows.latch.open()
    flows.first_latch.open()


def start(entity: Any, **inputs: Any) -> Run:
    return flytenb.start(entity, **inputs)


def mixed(page: Page, **options: Any) -> Alone:
    """A run that stands still with one node of most phases."""
    view = Alone(page, PageController(start(flows.mixed)), **options)
    view.until(lambda: view.phase("n2/n0") == "RUNNING" and view.phase("n1") == "FAILED")
    return view


def test_nodes_change_their_phase_while_the_run_goes_on(page: Page, latch: Latch) -> None:
    view = mixed(page)
    assert {p: view.phase(p) for p in ("n0", "n1", "n2", "n3/n0")} == {
        "n0": "SUCCEEDED",
        "n1": "FAILED",
        "n2": "RUNNING",
        "n3/n0": "QUEUED",
    }
    assert view.element.locator(".ftl-bar .ftl-phase").first.inner_text() == "running"
    assert "1 failed" in view.element.locator(".ftl-bar").first.inner_text()
    assert view.node("n0").get_attribute("aria-label") == "load, task, succeeded"
    latch.open()
    view.until(lambda: view.element.locator(".ftl-bar .ftl-phase").first.inner_text() == "failed")
    assert view.phase("n2") == "SUCCEEDED"
    assert not view.button("stop").is_visible()


def test_the_way_that_is_not_taken_fades(page: Page, latch: Latch) -> None:
    latch.open()
    run = start(flows.mixed, n=0)
    view = Alone(page, PageController(run)).until(lambda: run.phase.is_terminal)
    view.until(lambda: view.phase("n3/n1") == "SUCCEEDED")
    assert view.phase("n3/n0") == "SKIPPED"
    assert view.element.locator('.ft-edge[data-target="n3/n0"]').first.get_attribute("data-phase") == "SKIPPED"
    assert view.element.locator('.ft-edge[data-target="n3/n1"]').first.get_attribute("data-phase") is None


def test_a_click_shows_inputs_outputs_log_and_source(page: Page) -> None:
    view = mixed(page)
    view.node("n0").click()
    view.until(lambda: "outputs" in view.inspector.inner_text())
    words = view.inspector.inner_text()
    assert "loading 3" in words
    assert "list[Point]" in words
    view.inspector.locator("summary", has_text="source").click()
    assert "def load(n: int)" in view.inspector.inner_text()
    assert view.node("n0").get_attribute("aria-pressed") == "true"


def test_a_failed_node_tells_why_and_where(page: Page) -> None:
    view = mixed(page)
    view.node("n1").click()
    view.until(lambda: "ValueError: can't:" in view.inspector.inner_text())
    assert "live_flows.py" in view.inspector.inner_text()


def test_the_log_of_a_running_node_grows(page: Page, latch: Latch) -> None:
    view = mixed(page)
    view.node("n2/n0").click()
    view.until(lambda: view.inspector.locator(".ftl-log").count() == 1)
    assert view.inspector.locator(".ftl-log").inner_text().split() == ["held"]
    latch.open()
    view.until(lambda: "let go" in view.inspector.locator(".ftl-log").inner_text())
    view.until(lambda: "outputs" in view.inspector.inner_text())


def test_only_the_page_scrolls_and_a_long_log_unfolds(page: Page) -> None:
    run = start(flows.talkative, n=60)
    run.wait()
    view = Alone(page, PageController(run))
    view.until(lambda: view.node("n0").count() == 1)
    view.node("n0").click()
    log = view.inspector.locator(".ftl-log")
    view.until(lambda: log.count() == 1)
    assert log.inner_text().split() == [str(n) for n in range(40, 60)]
    view.button("show 40 earlier lines").click()
    assert log.inner_text().split() == [str(n) for n in range(60)]
    page.evaluate("document.getElementById('root').className = 'ft-show'")  # where the view of a finished run is
    scrolls = "e.scrollHeight > e.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(e).overflowY)"
    found = view.inspector.locator("*").evaluate_all(f"all => all.filter(e => {scrolls}).map(e => e.className)")
    assert found == []
    view.button("show the last 20 lines").click()
    assert log.inner_text().split() == [str(n) for n in range(40, 60)]


def test_many_elements_of_a_map_unfold(page: Page) -> None:
    run = start(flows.mapped, xs=[*range(30)])
    flows.latch.open()
    run.wait()
    view = Alone(page, PageController(run))
    view.until(lambda: view.node("n0").count() == 1)
    view.node("n0").click()
    view.until(lambda: view.inspector.locator(".ftl-members").count() == 2)
    assert view.inspector.locator(".ftl-members button:visible").count() == 20
    view.inspector.locator("summary", has_text="10 more").click()
    assert view.inspector.locator(".ftl-members button:visible").count() == 30


def test_the_form_of_a_gate_is_below_the_picture_in_a_narrow_page(page: Page) -> None:
    page.set_viewport_size({"width": 560, "height": 900})
    view = Alone(page, PageController(start(flows.asks)))
    view.until(lambda: view.node("n0").count() == 1)
    before = view.element.locator(".ftl-stage").bounding_box()
    view.until(lambda: view.element.locator(".ftl-gate").count() == 1)
    gate, after = (view.element.locator(name).bounding_box() for name in (".ftl-gate", ".ftl-stage"))
    assert before and after and gate
    assert (after["y"], after["height"]) == (before["y"], before["height"])
    assert gate["y"] >= after["y"] + after["height"]


def test_a_layout_that_comes_after_the_end_keeps_the_first_line(page: Page) -> None:
    run = start(flows.talkative, n=2)
    run.wait()
    jobs = JobQueue("late")
    hold = Latch()
    jobs.submit(hold.wait)
    controller = PageController(run, jobs=jobs)
    view = Alone(page, controller)
    controller.close()
    hold.open()
    view.until(lambda: view.node("n0").count() == 1)
    assert view.element.locator(".ftl-facts-line").text_content() == f"· {run_facts(run)}"


def test_the_picture_of_a_run_that_has_ended_has_the_nodes_that_came_last(page: Page, latch: Latch) -> None:
    run = start(flows.steps, n=3)
    controller = PageController(run)
    view = Alone(page, controller)
    view.until(lambda: view.node("n0/e0").count() == 1)
    flows.first_latch.open()
    latch.open()
    run.wait()
    controller.close()
    controller.tick = lambda: None  # type: ignore[method-assign]  # nothing comes after the end
    view.until(lambda: "succeeded" in view.element.locator(".ftl-bar").first.inner_text())
    drawn = {path for path, node in run.graph.nodes.items() if not node.is_pseudo}
    assert {path for path in drawn if view.node(path).count()} == drawn


def test_the_page_writes_durations_as_the_kernel_does(page: Page) -> None:
    seconds = [1, 59, 60, 61, 119, 3599, 3600, 3601, 3660, 86_399, 86_400, 90_000, 1_000_000]
    shown = page.evaluate(f"seconds => {{ {shared_module()}\nreturn seconds.map(clock); }}", seconds)
    assert shown == [duration_text(each) for each in seconds]


def test_the_links_of_a_service_can_be_opened_as_soon_as_it_names_them(page: Page, latch: Latch) -> None:
    run = start(flows.asked)
    view = Alone(page, PageController(run))
    view.until(lambda: view.node("n0").count() == 1 and bool(run.nodes["n0"].links))
    view.node("n0").click()
    link = view.inspector.locator("a")
    view.until(lambda: link.count() == 1)
    assert (link.inner_text(), link.get_attribute("href")) == ("<b>console", "https://service.example/?a=%22")
    assert view.inspector.locator("b").count() == 0
    latch.open()
    view.until(lambda: run.phase.is_terminal)
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    view = mixed(page)
    page.keyboard.press("Tab")
    while not page.evaluate("() => document.activeElement.matches('.ftl-stage [data-path]')"):
        page.keyboard.press("Tab")
    at = "() => document.activeElement.getAttribute('data-path')"
    first = page.evaluate(at)
    seen = {first}
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        seen.add(page.evaluate(at))
    assert len(seen) >= 3
    here = page.evaluate(at)
    page.keyboard.press("ArrowUp")
    assert page.evaluate(at) != here
    here = page.evaluate(at)
    page.keyboard.press("Enter")
    assert view.inspector.is_visible()
    assert page.evaluate("() => document.activeElement.classList.contains('ftl-name')")
    page.keyboard.press("Escape")
    assert not view.inspector.is_visible()
    assert page.evaluate(at) == here


def test_a_node_is_found_by_its_name(page: Page) -> None:
    view = mixed(page)
    field = page.get_by_label("find a node")
    field.fill("held")
    field.press("Enter")
    view.until(lambda: view.inspector.is_visible())
    assert view.inspector.locator(".ftl-name").inner_text().endswith(" · held")
    field.fill("nowhere")
    field.press("Enter")
    assert field.get_attribute("aria-invalid") == "true"


def test_a_container_closes_and_opens(page: Page) -> None:
    view = mixed(page)
    view.node("n2").focus()
    page.keyboard.press("o")
    view.until(lambda: view.node("n2/n0").count() == 0)
    assert view.phase("n2") == "RUNNING"
    assert "0/1" in view.text("n2")
    view.node("n2").click()
    view.button("^open$").click()
    view.until(lambda: view.node("n2/n0").count() == 1)
    assert view.phase("n2/n0") == "RUNNING"


def test_only_with_ctrl_does_the_wheel_zoom(page: Page) -> None:
    view = mixed(page)
    place = "() => document.querySelector('.ftl-canvas').style.transform"
    before = page.evaluate(place)
    view.node("n0").hover()
    page.mouse.wheel(0, -200)
    assert page.evaluate(place) == before
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(f"before => ({place})() !== before", arg=before)
    view.node("n0").focus()
    page.keyboard.press("0")
    assert page.evaluate(place) == before


def test_the_picture_can_be_dragged_and_a_drag_is_no_click(page: Page) -> None:
    view = mixed(page)
    view.node("n0").focus()
    for _ in range(8):
        page.keyboard.press("+")
    place = "() => document.querySelector('.ftl-stage').scrollLeft"
    before = page.evaluate(place)
    box = view.element.locator(".ftl-stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 40, steps=4)
    page.mouse.up()
    assert page.evaluate(place) == before - 60
    assert not view.inspector.is_visible()


@pytest.mark.parametrize("width", [1280, 700, 380])
def test_the_picture_keeps_its_size_and_only_the_stage_scrolls(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    view = mixed(page)

    def sizes() -> tuple[int, int, float, bool]:
        found: tuple[int, int, float, bool] = page.evaluate(
            """() => {
                const svg = document.querySelector(".ftl-canvas svg");
                const { width, height } = svg.getBoundingClientRect();
                const letters = [...svg.parentElement.querySelectorAll("text, tspan")].map(
                    (text) => (parseFloat(getComputedStyle(text).fontSize) * width) / svg.getAttribute("width"));
                const scrolls = (each) => /auto|scroll/.test(getComputedStyle(each).overflow) &&
                    (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight);
                const around = document.querySelectorAll(".ftl, .ftl-main, .ftl-pair, .ftl-side, .ftl-inspector");
                const stage = document.querySelector(".ftl-stage");
                return [width - svg.getAttribute("width"), height - svg.getAttribute("height"), Math.min(...letters),
                    ![...around].some(scrolls) && stage.scrollHeight === stage.clientHeight];
            }"""
        )
        return found

    before = sizes()
    view.node("n0").click()
    view.until(lambda: "outputs" in view.inspector.inner_text())
    for more, higher, letter, is_alone in (before, sizes()):
        assert (more, higher, is_alone) == (0, 0, True)
        assert letter >= 11


def test_what_a_dynamic_turns_out_to_be_appears(page: Page, latch: Latch) -> None:
    run = start(flows.growing)
    view = Alone(page, PageController(run))
    view.until(lambda: view.element.locator('.ftl-stage [data-path^="n0/"][role=button]').count() == 3)
    first, second, third = [p for p, n in run.graph.nodes.items() if p.startswith("n0/") and not n.is_pseudo]
    view.until(lambda: view.phase(first) == "RUNNING")
    assert view.phase(second) == "QUEUED"
    latch.open()
    view.until(lambda: view.phase(third) == "SUCCEEDED")


def test_what_stood_keeps_its_place_among_its_neighbours_when_an_eager_grows(page: Page, latch: Latch) -> None:
    run = start(flows.growing_beside)
    view = Alone(page, PageController(run))
    steps = view.element.locator(".ftl-stage .ft-node[data-path^='n1/'][role=button]")
    view.until(lambda: steps.count() == 1)
    before = _places(page)
    flows.first_latch.open()
    view.until(lambda: steps.count() == 2)
    after = _places(page)
    latch.open()
    assert before.keys() < after.keys()
    assert after["n0"][1] == pytest.approx(before["n0"][1], abs=1)  # nothing above the container goes down
    for one, other in itertools.combinations(before, 2):
        for side in (0, 1):
            was, now = (at[other][side] - at[one][side] for at in (before, after))
            assert abs(was) < 1 or was * now > 0, (one, other, was, now)


def _places(page: Page) -> dict[str, tuple[float, float]]:
    """Left and top of every box in the drawing's own units."""
    found: dict[str, tuple[float, float]] = page.evaluate(
        """() => {
            const svg = document.querySelector(".ftl-canvas svg").getBoundingClientRect();
            const k = svg.width / Number(document.querySelector(".ftl-canvas svg").getAttribute("width"));
            return Object.fromEntries([...document.querySelectorAll(".ftl-canvas [data-path]")].map((box) => {
                const at = (box.querySelector(":scope > .ft-shape") ?? box).getBoundingClientRect();
                return [box.dataset.path, [(at.left - svg.left) / k, (at.top - svg.top) / k]];
            }));
        }"""
    )
    return found


def test_a_map_counts_its_elements(page: Page, latch: Latch) -> None:
    view = Alone(page, PageController(start(flows.mapped, xs=[1, 2, 3, 4])))
    view.until(lambda: "0/4" in view.text("n0"))
    latch.open()
    view.until(lambda: "4/4" in view.text("n0"))


def test_an_element_of_a_map_is_reached_from_its_map_and_by_its_path(page: Page) -> None:
    run = start(flows.mapped, xs=[5, 6, 7, 8])
    flows.latch.open()
    run.wait()
    view = Alone(page, PageController(run))
    view.until(lambda: view.node("n0").count() == 1)
    view.node("n0").click()
    links = view.element.locator(".ftl-members button")
    view.until(lambda: links.count() == 4)
    links.nth(2).click()
    inside, name = view.element.locator(".ftl-body"), view.element.locator(".ftl-name")
    view.until(lambda: "7" in inside.inner_text() and "n0/2" in name.inner_text())
    view.element.locator(".ftl-find").fill("n0/3")
    view.element.locator(".ftl-find").press("Enter")
    view.until(lambda: "n0/3" in name.inner_text() and "8" in inside.inner_text())


def test_an_element_that_is_done_says_so_while_its_map_goes_on(page: Page, latch: Latch) -> None:
    run = start(flows.mapped_part, xs=[0, 1])
    view = Alone(page, PageController(run))
    view.until(lambda: "1/2" in view.text("n0"))
    view.element.locator(".ftl-find").fill("n0/1")
    view.element.locator(".ftl-find").press("Enter")
    state = view.element.locator(".ftl-state")
    view.until(lambda: "held_odd[1]" in view.inspector.inner_text() and state.inner_text() == "running")
    view.element.locator(".ftl-find").fill("n0/0")
    view.element.locator(".ftl-find").press("Enter")
    view.until(lambda: "held_odd[0]" in view.inspector.inner_text() and "ms" in state.inner_text())
    assert "running" not in state.inner_text()


def test_gates_are_answered_and_a_wrong_value_is_refused(page: Page) -> None:
    run = start(flows.asks)
    view = Alone(page, PageController(run))
    gates = view.element.locator(".ftl-gate")
    view.until(lambda: gates.count() == 1)
    view.until(lambda: "waits for an answer" in view.text(run.waiting[0]))
    field = gates.locator("input")
    field.fill("many")
    view.button("^give$").click()
    view.until(lambda: "expected a literal of type int, got 'many'" in gates.inner_text())
    assert run.waiting
    field.fill("42")
    field.press("Enter")
    view.until(lambda: view.button("^approve$").count() == 1)
    view.until(lambda: gates.locator(".ftl-asked").count() == 1)
    assert gates.locator(".ftl-question").inner_text() == "approve sure?"
    assert gates.locator(".ftl-asked").inner_text().split() == ["value", "42", "int"]
    view.button("^approve$").click()
    view.until(lambda: run.phase.is_terminal)
    assert run.result == 42
    view.until(lambda: gates.count() == 0)


def test_a_gate_shows_the_frame_that_is_to_be_approved_as_the_inspector_does(page: Page) -> None:
    run = start(flows.reviewed)
    view = Alone(page, PageController(run))
    asked = view.element.locator(".ftl-asked")
    view.until(lambda: asked.locator("table").count() == 1)
    assert asked.get_by_text("TP53").count() == 1
    view.node(run.waiting[0]).click()
    view.until(lambda: view.inspector.locator("table").count() == 1)
    assert view.inspector.locator("table").inner_text() == asked.locator("table").inner_text()
    view.button("^reject$").click()
    view.until(lambda: asked.count() == 0)


def test_what_a_box_says_while_it_waits_stays_in_the_box(page: Page) -> None:
    page.clock.install()
    run = start(flows.asks)
    view = Alone(page, PageController(run)).until(lambda: bool(run.waiting))
    view.until(lambda: "waits for an answer" in view.text(run.waiting[0]))
    page.clock.fast_forward(15_000)
    box = view.node(run.waiting[0])
    assert "waits for an answer" in (box.text_content() or "")
    assert "…" not in (box.text_content() or "")
    right = "part => part.getBoundingClientRect().right"
    assert box.locator(".ft-sub").first.evaluate(right) < box.locator(".ft-shape").first.evaluate(right)


def test_a_refused_gate_fails_the_run(page: Page) -> None:
    run = flytenb.options(answers={"limit": 1}).start(flows.asks)
    view = Alone(page, PageController(run)).until(lambda: bool(run.waiting))
    view.until(lambda: view.button("^reject$").count() == 1)
    view.button("^reject$").click()
    view.until(lambda: run.phase.is_terminal)
    assert run.phase == "FAILED"


def test_the_stop_button_stops(page: Page) -> None:
    view = mixed(page)
    view.button("stop").click()
    view.until(lambda: view.element.locator(".ftl-bar .ftl-phase").first.inner_text() == "stopped")
    assert view.phase("n2/n0") == "ABORTED"
    assert view.follower.run.phase == "ABORTED"


def test_a_kernel_that_cannot_hear_is_said_to_be_busy_and_asked_again(page: Page) -> None:
    view = mixed(page, hears=False)
    view.node("n0").click()
    view.button("stop").click()
    view.until(lambda: "kernel is busy" in view.inspector.inner_text())
    assert "load" in view.inspector.inner_text()
    view.until(lambda: view.element.locator(".ftl-stop").inner_text().startswith("the kernel is busy"))
    view.hears = True
    view.until(lambda: "loading 3" in view.inspector.inner_text())
    view.until(lambda: view.follower.run.phase == "ABORTED")


def test_a_kernel_that_says_nothing_is_no_longer_given_a_time(page: Page) -> None:
    page.clock.install()
    view = mixed(page)
    bar = view.element.locator(".ftl-bar").first
    page.clock.pause_at(page.evaluate("() => Date.now()") + 3_600_000)  # from here on time passes as the test says
    page.evaluate("() => window.model.hear({ kind: 'beat' })")
    page.clock.fast_forward(10_000)
    assert "no word" not in bar.inner_text()
    page.clock.fast_forward(15_000)
    assert "no word from the kernel for 2" in bar.inner_text()
    stood = view.text("n2/n0")
    page.clock.fast_forward(60_000)
    assert view.text("n2/n0") == stood
    page.evaluate("() => window.model.hear({ kind: 'beat' })")
    page.clock.fast_forward(1_000)
    assert "no word" not in bar.inner_text()


def test_a_kernel_that_runs_on_in_silence_speaks_now_and_then(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    view = mixed(page)
    sent: list[Any] = []
    view.widget.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    later = time.monotonic() + 6
    monkeypatch.setattr(time, "monotonic", lambda: later)
    view.follower.tick()
    view.follower.tick()
    assert sent == [{"kind": "beat"}]


def test_a_kernel_that_is_gone_leaves_what_was_seen(page: Page) -> None:
    view = mixed(page)
    page.evaluate("() => { window.model.send = () => { throw new Error('Cannot send') } }")
    view.node("n0").click()
    assert "was running" in view.element.locator(".ftl-bar").first.inner_text()
    assert "Disconnected" in view.inspector.inner_text()
    assert view.button("stop").is_disabled()
    assert view.errors == []


def test_a_view_that_comes_late_is_right_at_once(page: Page, latch: Latch) -> None:
    latch.open()
    run = start(flows.mixed).wait()
    view = Alone(page, PageController(run, is_explorer=True))
    view.until(lambda: view.phase("n2/n0") == "SUCCEEDED")
    assert view.phase("n1") == "FAILED"
    assert view.button("keep the picture").is_visible()


def test_two_views_of_one_run_are_each_other_s_strangers(page: Page, browser: Any, latch: Latch) -> None:
    one = mixed(page)
    other_page = browser.new_page()
    other = Alone(other_page, PageController(one.follower.run))
    other.until(lambda: other.phase("n2/n0") == "RUNNING")
    one.node("n0").click()
    assert not other.inspector.is_visible()
    latch.open()
    for view in (one, other):
        view.until(lambda view=view: view.phase("n2/n0") == "SUCCEEDED")  # type: ignore[misc]
    other_page.close()


@pytest.mark.parametrize("path", ["n0", "n1", "n2/n0"])
def test_hostile_text_stays_text(page: Page, path: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    view = mixed(page)
    view.node(path).click()
    view.until(lambda: "n2" in view.inspector.inner_text() or "inputs" in view.inspector.inner_text())
    view.until(lambda: view.inspector.locator(".ftl-part").count() > 0)
    assert page.evaluate("() => window.hacked") is None
    assert page.locator(".ftl script, .ftl img[onerror], .ftl [onerror]").count() == 0
    assert [url for url in asked if not url.startswith(("blob:", "data:", "about:"))] == []
    assert view.errors == []


def test_markup_from_the_kernel_is_rebuilt_from_what_is_allowed(page: Page) -> None:
    view = mixed(page)
    bad = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50" onload="window.hacked=1">'
        "<script>window.hacked=1</script>"
        '<a href="javascript:window.hacked=1"><text>x</text></a><foreignObject><b>y</b></foreignObject>'
        '<image href="http://nowhere.invalid/x.png"/><use href="http://nowhere.invalid/#a"/>'
        '<g class="ft-node" data-path="n0" onclick="window.hacked=1" style="background:url(http://nowhere.invalid)">'
        "<text>kept</text></g></svg>"
    )
    picture = {**view.widget.picture, "number": 99, "svg": bad}
    page.evaluate("picture => window.model.set('picture', picture)", picture)
    svg = page.evaluate("() => document.querySelector('.ftl-canvas').innerHTML")
    assert "kept" in svg
    for word in ("script", "javascript", "foreignObject", "nowhere", "onclick", "onload", "style="):
        assert word not in svg
    assert page.evaluate("() => window.hacked") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_to_complain_of(page: Page, theme: str) -> None:
    view = mixed(page, theme=theme)
    view.node("n1").click()
    view.until(lambda: "ValueError" in view.inspector.inner_text())
    found = Axe().run(page, context=".ftl", options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]})
    reported = [
        (v["id"], v["help"], [(n["target"], n["failureSummary"]) for n in v["nodes"][:2]])
        for v in found.response["violations"]
    ]
    assert reported == []
    assert low_contrasts(page, ".ftl") == []
    page.keyboard.press("Tab")
    view.node("n0").focus()
    view.element.locator(".ftl-button").first.hover()
    assert low_contrasts(page, ".ftl") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_question_can_be_read(page: Page, theme: str) -> None:
    run = start(flows.asks)
    view = Alone(page, PageController(run), theme=theme).until(lambda: page.locator(".ftl-gate").count() == 1)
    assert low_contrasts(page, ".ftl") == []
    run.cancel()
    view.until(lambda: run.phase.is_terminal)
    assert low_contrasts(page, ".ftl") == []


def test_a_thousand_nodes_are_folded_and_can_all_be_seen(page: Page, latch: Latch) -> None:
    run = start(flows.wide)
    view = Alone(page, PageController(run)).until(lambda: "@folded" in (page.locator(".ftl-stage").inner_html()))
    group = page.locator('.ftl-stage [data-path^="@folded"]').first
    view.until(lambda: group.get_attribute("data-phase") == "RUNNING")
    group.click()
    view.until(lambda: view.inspector.locator(".ftl-members li").count() == 200)
    view.inspector.locator(".ftl-members button").first.click()
    view.until(lambda: "inputs" in view.inspector.inner_text())
    view.button("^open everything$").click()
    view.until(lambda: page.locator(".ftl-stage .ft-node[role=button]").count() == 999)
    latch.open()
    view.until(lambda: run.phase.is_terminal)
    view.until(lambda: page.locator(".ftl-stage .ft-node[data-phase=SUCCEEDED]").count() == 999)


def test_the_details_of_a_failed_node_have_its_error_once(page: Page) -> None:
    run = start(flows.mixed)
    flows.latch.open()
    run.wait()
    assert run.error is not None
    path = run.error.path
    view = Alone(page, PageController(run))
    view.until(lambda: view.node(path).count() == 1)
    view.node(path).click()
    inspector = view.element.locator(".ftl-inspector")
    view.until(lambda: inspector.locator(".ftl-error").count() == 1)
    assert inspector.inner_text().count("can't: ") == 1 + inspector.locator(".ftl-error").inner_text().count("raise ")
