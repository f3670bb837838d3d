"""No arrow passes through a box, a label, a title or a foreign frame: in workflows that people build, in any graph."""

from __future__ import annotations

import importlib.util
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from flytenb.model import Edge, EdgeKind, Graph, Kind, NodeState, Phase
from flytenb.render import polish
from flytenb.render.captions import state_caption
from flytenb.render.clearance import passes_boxes
from flytenb.render.detours import around_frames
from flytenb.render.drawing import Drawing, draw
from flytenb.render.foreign_frames import crossed_frames
from flytenb.render.layout import Positions
from flytenb.render.scene import Scene, build_scene
from flytenb.render.text_metrics import measure
from tests import render_samples as samples
from tests.examples import examples
from tests.render.test_properties import graphs

SIDES = Path(__file__).parents[2] / "benchmarks" / "sides"
Rect = tuple[float, float, float, float]
TOUCH = 1.5
"""Pixels by which a curve may overlap a rectangle: engines round numbers."""
STATES = [state_caption(NodeState(phase, 6.5, 1)) for phase in Phase]
"""What a run writes after the title of a frame, without another layout."""


def rects(drawing: Drawing) -> Iterator[tuple[str, Rect]]:
    scene, at = drawing._scene, drawing._at
    assert at is not None
    sizes = {f"n{box.number}": (box.width, box.height) for box in scene.boxes if box.shape != "meet"}
    sizes |= {f"l{arrow.number}": arrow.label_size for arrow in scene.arrows if arrow.label}
    for name, (width, height) in sizes.items():
        x, y = at.boxes[name]
        yield name, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    for frame in scene.frames:
        left, top, right, _ = at.frames[f"cluster_{frame.number}"]
        start, title = at.titles.get(frame.number, left + 12), frame.title
        name = measure(title.text, title.size)
        rest = max(measure(text, 11) + 4 for text in (title.rest, *STATES))
        state = at.states.get(frame.number)
        if state is not None:  # arrows pass between the name and the state, which has all the room beside the icon
            assert right - 24 - state >= max(40, measure(title.rest, 11))
            yield f"state of {frame.path}", (state, top + 8, right, top + 22)
            rest = 0
        yield f"title of {frame.path}", (start, top + 8, min(start + name + rest, right), top + 22)


def foreign_frames(drawing: Drawing) -> dict[tuple[str, str], list[tuple[str, Rect]]]:
    """The frames that are around neither end of an arrow, for each of its parts."""
    scene, at = drawing._scene, drawing._at
    assert at is not None
    outer: dict[int | None, set[int]] = {None: set()}
    for frame in scene.frames:
        outer[frame.number] = {frame.number, *outer[frame.frame]}
    return {
        leg: [
            (f"frame {frame.path}", at.frames[f"cluster_{frame.number}"])
            for frame in scene.frames
            if frame.number not in outer[scene.boxes[arrow.tail].frame] | outer[scene.boxes[arrow.head].frame]
        ]
        for arrow in scene.arrows
        for leg in arrow.legs
    }


def points(way: tuple[float, ...], parts: int = 40) -> Iterator[tuple[float, float]]:
    for i in range(0, len(way) - 7, 6):
        for step in range(parts + 1):
            t = step / parts
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield tuple(sum(w * way[i + 2 * k + axis] for k, w in enumerate(weights)) for axis in (0, 1))  # type: ignore[misc]


def passed(drawing: Drawing, *, is_framed: bool = True) -> list[str]:
    """What arrows pass through, frames only if asked for."""
    assert drawing.svg
    found, boxes = [], list(rects(drawing))
    frames = foreign_frames(drawing) if is_framed else defaultdict(list)
    assert drawing._at is not None
    for ends, ways in drawing._at.arrows.items():
        for way in ways:
            line = list(points(way))
            (west, north), (east, south) = (tuple(map(end, zip(*line, strict=True))) for end in (min, max))
            for name, (left, top, right, bottom) in (*boxes, *frames[ends]):
                # Most rectangles are far from the arrow; only those that its extent meets are compared point by point.
                is_near = west < right and east > left and north < bottom and south > top
                if (
                    is_near
                    and name not in ends
                    and any(left + TOUCH < x < right - TOUCH and top + TOUCH < y < bottom - TOUCH for x, y in line)
                ):
                    found.append(f"{' -> '.join(ends)} passes {name}")
    return found


def loose(drawing: Drawing) -> list[str]:
    """The arrows to a frame that end elsewhere than at its border."""
    assert drawing.svg
    scene, at = drawing._scene, drawing._at
    assert at is not None
    found, ways = [], {ends: iter(each) for ends, each in at.arrows.items()}
    for arrow in scene.arrows:
        x, y = [next(ways[leg]) for leg in arrow.legs][-1][-2:]
        if arrow.head_frame is None:
            continue
        left, top, right, bottom = at.frames[f"cluster_{arrow.head_frame}"]
        is_near = left - TOUCH <= x <= right + TOUCH and top - TOUCH <= y <= bottom + TOUCH
        if not is_near or min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) > TOUCH:
            found.append(f"{arrow.source} -> {arrow.target} ends at {x}, {y}")
    return found


def narrow(name: str, sources: int, label: bool) -> Graph:
    """A frame that is hardly wider than its title, which arrows enter in the middle."""
    outputs = "train: DataFrame; test: DataFrame" if label else "o0: DataFrame"
    output = "train" if label else "o0"
    b = samples.GraphBuilder("churn", "rows: int", "o0: Model")
    for i in range(sources):
        b.task(f"n{i}", "load_customers", "rows: int", outputs)
        b.feed(f"@inputs.rows -> n{i}.rows", f"n{i}.{output} -> n9.train_{i}")
    ports = "; ".join(f"train_{i}: DataFrame" for i in range(sources))
    b.put(
        samples.Node("n9", Kind.SUBWORKFLOW, name, samples.Interface(samples.ports(ports), samples.ports("o0: Model")))
    )
    b.doors("n9", ports, "o0: Model")
    b.task("n9/n0", "standardise", ports, "DataFrame")
    b.task("n9/n1", "fit", "train: DataFrame; raw: DataFrame", "Model")
    b.feed(*(f"n9/@inputs.train_{i} -> n9/n0.train_{i}" for i in range(sources)), "n9/@inputs.train_0 -> n9/n1.raw")
    b.feed("n9/n0.o0 -> n9/n1.train", "n9/n1.o0 -> n9/@outputs.o0", "n9.o0 -> @outputs.o0")
    return b.graph()


@pytest.mark.parametrize("label", [False, True])
@pytest.mark.parametrize("sources", [1, 2, 3, 5])
@pytest.mark.parametrize("name", ["f", "train_model", "train_a_model_with_a_long_name"])
def test_an_arrow_into_a_narrow_frame_passes_beside_its_title(name: str, sources: int, label: bool) -> None:
    assert passed(draw(narrow(name, sources, label))) == []


@pytest.mark.parametrize("name", ["f", "train_model", "train_a_model_with_a_long_name"])
def test_a_chain_through_a_frame_is_straight(name: str) -> None:
    b = samples.GraphBuilder("churn", "x: int", "o0: int")
    b.task("n0", "load", "x: int", "o0: int")
    b.put(samples.Node("n1", Kind.SUBWORKFLOW, name))
    b.doors("n1", "x: int", "o0: int")
    for path in ("n1/n0", "n1/n1", "n2"):
        b.task(path, "clean", "x: int", "o0: int")
    b.feed("@inputs.x -> n0.x", "n0.o0 -> n1.x", "n1/@inputs.x -> n1/n0.x", "n1/n0.o0 -> n1/n1.x")
    b.feed("n1/n1.o0 -> n1/@outputs.o0", "n1.o0 -> n2.x", "n2.o0 -> @outputs.o0")
    drawing = draw(b.graph())
    assert passed(drawing) == []
    assert drawing._at is not None
    [frame] = drawing._at.frames.values()
    assert len({round(x) for x, _ in drawing._at.boxes.values()}) == 1
    assert 0 <= frame[0] < frame[2] <= drawing._at.width


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_arrows_of_each_construct_are_clear(name: str) -> None:
    assert passed(draw(samples.SAMPLES[name](), depth=9)) == []


@cache
def pipelines() -> ModuleType:
    """The corpus of the benchmark."""
    spec = importlib.util.spec_from_file_location("pipelines", SIDES / "pipelines.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["pipelines"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.sampled(3)
@pytest.mark.parametrize("depth", [None, 9])
@pytest.mark.parametrize("name", pipelines().functions())
def test_arrows_of_realistic_workflows_are_clear(name: str, depth: int | None) -> None:
    assert passed(draw(pipelines().pipelines()[name], depth=depth)) == []


@pytest.mark.sampled(5)
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["composed", "layered"])
def test_arrows_of_big_workflows_are_clear(kind: str, seed: int) -> None:
    for depth in (None, 1):
        assert passed(draw(getattr(pipelines(), kind)(60, seed), depth=depth)) == []


@examples(150, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.sampled_from([None, 9]))
def test_arrows_of_any_graph_are_clear(graph: Graph, depth: int | None) -> None:
    assert passed(draw(graph, depth=depth), is_framed=False) == []


@pytest.mark.parametrize("name", ["crossval", "ensemble"])
def test_an_arrow_to_a_frame_ends_at_its_border(name: str) -> None:
    graph = pipelines().pipelines()[name]
    frames = [path for path, node in graph.nodes.items() if node.kind is Kind.SUBWORKFLOW]
    order = tuple(Edge("n0", path, EdgeKind.ORDER) for path in frames)
    drawing = draw(samples.replace(graph, edges=graph.edges + order))
    assert loose(drawing) == []
    assert sum(arrow.head_frame is not None for arrow in drawing._scene.arrows) == len(frames) > 0


def test_arrows_of_a_graph_that_grew_are_clear() -> None:
    graph = narrow("train_model", 1, label=False)
    inner = {path: node for path, node in graph.nodes.items() if not path.startswith("n9/")}
    edges = tuple(edge for edge in graph.edges if edge.source in inner and edge.target in inner)
    closed = samples.replace(graph, nodes={**inner, "n9": samples.replace(inner["n9"], children=())}, edges=edges)
    first = draw(closed)
    assert first.svg
    assert passed(draw(graph, previous=first)) == []


def test_an_arrow_through_a_box_is_found() -> None:
    drawing = draw(pipelines().pipelines()["crossval"])
    assert drawing.svg
    scene, at = drawing._scene, drawing._at
    assert at is not None
    assert not passes_boxes(scene, at)
    [tail, head] = next(ends for ends in at.arrows if all(end.startswith("n") for end in ends))
    middle = tuple(sum(axis) / 2 for axis in zip(at.boxes[tail], at.boxes[head], strict=True))
    other = next(name for name in at.boxes if name not in (tail, head) and name.startswith("n"))
    assert passes_boxes(scene, samples.replace(at, boxes={**at.boxes, other: middle}))


def test_a_layout_in_which_arrows_pass_boxes_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine orders ranks by another method for it, and then fails to find ways for some arrows of dense graphs."""
    graph = pipelines().pipelines()["crossval"]
    assert foreign_passes(draw(graph)) == []
    monkeypatch.setattr(polish, "passes_boxes", lambda scene, at: True)
    first = draw(graph)
    assert foreign_passes(first) != []
    monkeypatch.setattr(polish, "_MOST_LAYOUTS", 1)
    only = draw(graph)
    assert only.svg
    assert only._at == first._at


def foreign_passes(drawing: Drawing) -> list[str]:
    """What arrows pass, nothing but frames in the first layout."""
    assert passed(drawing, is_framed=False) == []
    return passed(drawing)


def beside_a_frame(*, is_blocked: bool) -> tuple[Scene, Positions]:
    """An arrow through the lower left corner of a frame; boxes may be where it could pass."""
    b = samples.GraphBuilder("churn", "", "")
    b.task("n0", "load", "", "int")
    b.put(samples.Node("n1", Kind.SUBWORKFLOW, "f"))
    b.task("n1/n0", "fit", "", "int")
    b.task("n2", "report", "x: int", "int")
    b.task("n3", "other", "", "int")
    b.task("n4", "other", "", "int")
    scene = build_scene(Graph("churn", Kind.SUBWORKFLOW, b.nodes, (Edge("n0", "n2", EdgeKind.ORDER),)))
    numbers = {box.path: f"n{box.number}" for box in scene.boxes}
    places = {"n0": (60.0, 30.0), "n1/n0": (250.0, 150.0), "n2": (250.0, 262.0)}
    places |= (
        {"n3": (130.0, 200.0), "n4": (400.0, 150.0)} if is_blocked else {"n3": (450.0, 200.0), "n4": (450.0, 50.0)}
    )
    boxes = {numbers[path]: place for path, place in places.items()}
    line = (60.0, 52.0, 123.0, 114.0, 186.0, 176.0, 250.0, 238.0)
    frames = {"cluster_0": (150.0, 80.0, 350.0, 200.0)}
    return scene, Positions(550, 300, boxes, frames, {(numbers["n0"], numbers["n2"]): [line]})


def test_an_arrow_is_led_around_the_corner_of_a_frame() -> None:
    scene, at = beside_a_frame(is_blocked=False)
    crossed = crossed_frames(scene, at)
    found = around_frames(scene, at, crossed)
    (((before,), (after,)),) = zip(at.arrows.values(), found.arrows.values(), strict=True)
    assert len(crossed) == 1
    assert crossed_frames(scene, found) == []
    assert not passes_boxes(scene, found)
    assert (after[:2], after[-2:]) == (before[:2], before[-2:])


def test_an_arrow_that_has_no_way_around_a_frame_stays_as_it_is() -> None:
    scene, at = beside_a_frame(is_blocked=True)
    assert around_frames(scene, at, crossed_frames(scene, at)).arrows == at.arrows
