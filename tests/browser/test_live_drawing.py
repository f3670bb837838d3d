"""The drawing in the page, with events of a made-up run: looks like the saved picture, and costs what changes."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page

import flytenb
from flytenb.display.runs.run_state import RunState
from flytenb.model import CacheStatus, Graph, NodeState, Phase, RunEvent
from flytenb.notebook.live.messages import box_messages, layout_message, run_message
from flytenb.notebook.live.page_layout import PageLayout
from flytenb.notebook.live.run_widget import page_module, page_style
from flytenb.render.theme import ICONS
from tests import render_samples as samples
from tests.browser import live_flows as flows
from tests.browser.alone import MODEL, PAGE

pytestmark = pytest.mark.browser

LOOKS = [*((phase, None) for phase in Phase), (Phase.SUCCEEDED, CacheStatus.HIT)]


class Told:
    """A page that shows a graph's nodes in the states that the test sets.

    Args:
        page: where.
        graph: what is drawn, all of it.
        theme: `light` or `dark`.
    """

    def __init__(self, page: Page, graph: Graph, theme: str = "light") -> None:
        self.page = page
        self.graph = graph
        self.picture = PageLayout.of(graph, frozenset())
        self.state = RunState()
        self.paths = [path for path, node in graph.nodes.items() if not node.is_pseudo]
        state = {
            "about": {"name": "made_up", "isExplorer": False},
            "picture": layout_message(1, self.picture, graph),
            "frame": {"key": 1, "boxes": self.boxes(self.paths), "run": run_message(self.state, graph, 0.0)},
            "changes": {"key": 0, "boxes": {}},
        }
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_content(PAGE)
        page.evaluate(MODEL, [page_module(), page_style(), json.loads(json.dumps(state)), theme])

    def boxes(self, paths: list[str]) -> dict[str, Any]:
        return box_messages(self.state, self.picture, paths)

    def enter(self, path: str, phase: Phase, cache: CacheStatus | None = None) -> None:
        """Let a node of the run have come so far."""
        if phase is not Phase.QUEUED:
            self.state.take(RunEvent(10.0, "phase", path, Phase.RUNNING))
        if phase.is_terminal:
            self.state.take(RunEvent(11.5, "phase", path, phase, cache=cache))
        self.state.read()

    def tell(self, *paths: str) -> None:
        """Tell the page where these nodes stand by now."""
        run = run_message(self.state, self.graph, 12.0)
        self.page.evaluate(
            "changes => window.model.set('changes', changes)", {"key": 1, "boxes": self.boxes([*paths]), "run": run}
        )

    @property
    def canvas(self) -> Locator:
        return self.page.locator(".ftl-canvas")


@pytest.fixture
def reported(page: Page) -> Iterator[Told]:
    yield Told(page, flytenb.graph(flows.wide))


def _looks(shot: bytes) -> Image.Image:
    return Image.open(io.BytesIO(shot)).convert("RGB")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("turn", range(0, len(LOOKS), 2))
def test_a_node_looks_in_the_page_as_in_the_saved_picture(page: Page, theme: str, turn: int) -> None:
    view = Told(page, flytenb.graph(flows.survey), theme)
    states = {}
    for i, path in enumerate(view.paths):
        phase, cache = LOOKS[(turn + i) % len(LOOKS)]
        view.enter(path, phase, cache)
        states[path] = view.state.entries[path].state if path in view.state.entries else NodeState(phase)
    view.tell(*view.paths)
    live = _looks(view.canvas.screenshot())
    drawing = view.picture.drawing
    assert drawing is not None
    saved = base64.b64encode(drawing._at_states(states).svg.encode()).decode()
    view.canvas.evaluate(
        "(canvas, data) => { const image = new Image(); image.src = `data:image/svg+xml;base64,${data}`;"
        " canvas.replaceChildren(image); return image.decode() }",
        saved,
    )
    found = ImageChops.difference(live, _looks(view.canvas.screenshot())).convert("L")
    # the saved one leaves arrows' last pixels to another order of rounding
    assert sum(found.histogram()[48:]) == 0, found.getbbox()


@pytest.mark.parametrize("name", ["f", "train_model_now", "train_the_model_with_all_features"])
def test_a_state_has_the_words_of_the_saved_picture_in_boxes_of_every_width(page: Page, name: str) -> None:
    builder = samples.GraphBuilder("g")
    paths = {f"n{i}": phase for i, phase in enumerate(Phase)}
    for path in paths:
        builder.task(path, name)
    view = Told(page, builder.graph())
    states = {}
    for path, phase in paths.items():
        view.enter(path, phase)
        states[path] = view.state.entries[path].state if path in view.state.entries else NodeState(phase)
    view.tell(*paths)
    drawing = view.picture.drawing
    assert drawing is not None
    saved = re.findall(r'class="ft-sub"[^>]*>([^<]+)<', drawing._at_states(states).svg)
    assert view.canvas.locator(".ft-sub").all_text_contents() == saved
    assert any("1.5 s" in text for text in saved)
    assert any(text.startswith("timed out") for text in saved) == (name != "f")  # the mark alone where it is narrow


def test_icons_know_no_command_that_the_page_cannot_move() -> None:
    for name, path in ICONS:
        absolute = {letter for letter in path if letter.isupper()}
        assert absolute <= {"M", "L", "H"}, name


def test_an_update_restyles_and_lays_out_what_changed_and_nothing_else(reported: Told) -> None:
    one, other = reported.paths[0], reported.paths[-1]
    reported.enter("", Phase.RUNNING)
    reported.enter(one, Phase.RUNNING)
    reported.tell(one)
    reported.canvas.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    reported.enter(one, Phase.SUCCEEDED)
    reported.enter(other, Phase.RUNNING)
    session = reported.page.context.new_cdp_session(reported.page)
    events: list[dict[str, Any]] = []
    ends: list[object] = []
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.on("Tracing.tracingComplete", lambda end: ends.append(end))
    session.send("Tracing.start", {"categories": "devtools.timeline", "transferMode": "ReportEvents"})
    reported.tell(one, other)
    reported.canvas.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    session.send("Tracing.end")
    while not ends:
        reported.page.wait_for_timeout(20)
    layouts = [event["args"] for event in events if event["name"] == "Layout"]
    roots = [root["nodeName"] for each in layouts for root in each["endData"]["layoutRoots"]]
    styled = sum(event["args"]["elementCount"] for event in events if event["name"] == "UpdateLayoutTree")
    assert reported.canvas.locator("*").count() > 5_000
    assert 0 < styled < 40
    assert all(root == "SPAN class='ftl-said'" or "ftl-layer" in root for root in roots), roots
    assert sum(each["beginData"]["totalObjects"] for each in layouts) < 500


def test_nothing_in_the_page_moves_by_itself(reported: Told) -> None:
    reported.enter("", Phase.RUNNING)
    reported.enter(reported.paths[0], Phase.RUNNING)
    reported.tell(reported.paths[0])
    assert reported.page.evaluate("() => document.getAnimations().length") == 0


def afar(view: Told) -> None:
    """Zoom out until the whole drawing is in the window."""
    view.page.get_by_role("button", name="fit into the window").click()


def test_from_afar_all_arrows_are_one_line_and_each_is_its_own_as_the_size_comes(reported: Told) -> None:
    web, edge = reported.canvas.locator(".ftl-web"), reported.canvas.locator(".ft-edge").first
    display = "part => getComputedStyle(part).display"
    afar(reported)
    assert web.count() == 1
    lines = reported.canvas.locator(".ft-edge .ft-line, .ft-way .ft-line").count()
    assert web.get_attribute("d").count("M") >= lines > 0
    assert [web.evaluate(display), edge.evaluate(display)] == ["inline", "none"]
    reported.canvas.locator(f'[data-path="{reported.paths[0]}"]').focus()
    for _ in range(40):
        reported.page.keyboard.press("+")
    assert [web.evaluate(display), edge.evaluate(display)] == ["none", "inline"]


def test_from_afar_a_box_is_its_phase_s_colour_and_letters_come_with_the_size(reported: Told) -> None:
    box = reported.canvas.locator(f'[data-path="{reported.paths[0]}"]')
    reported.enter(reported.paths[0], Phase.FAILED)
    reported.tell(reported.paths[0])
    name, fill = box.locator(".ft-name"), "shape => getComputedStyle(shape).fill"
    shape = box.locator(".ft-shape")
    afar(reported)
    assert name.evaluate("name => getComputedStyle(name).display") == "none"
    assert shape.evaluate(fill) == shape.evaluate("shape => getComputedStyle(shape).stroke")
    box.focus()
    for _ in range(40):
        reported.page.keyboard.press("+")
    assert name.evaluate("name => getComputedStyle(name).display") != "none"
    assert shape.evaluate(fill) != shape.evaluate("shape => getComputedStyle(shape).stroke")
