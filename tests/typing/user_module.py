"""A module of a user: everything that is public, with the types that a checker should see. Checked, never run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_type

import flytenb
from flytenb import Drawing, Edge, FlytenbError, Graph, Node, NodeRun, Options, Run, RunEvent, Settings, View
from flytenb.parts import (
    Column,
    Control,
    ControlContext,
    Entry,
    Facts,
    Group,
    Part,
    Picture,
    Table,
    Text,
    Tree,
    ValueControl,
)


@dataclass
class Track:
    points: list[tuple[float, float]]


@flytenb.display_for(Track)
def show_track(track: Track, view: View) -> Part:
    rows = tuple((str(x), str(y)) for x, y in track.points[:3])
    return Table((Column("x"), Column("y")), rows, total_rows=len(track.points))


@flytenb.display_for("heavylib.Thing")
def show_thing(thing: Any, view: View) -> Part:
    if view.is_late:
        return Text("late")
    return Group((view.show(thing.name), Facts((("size", str(thing.size)),))))


assert_type(show_track(Track([]), None), Part)  # type: ignore[arg-type]


@flytenb.uses("random")
def noisy(n: int) -> float:
    return n / 2


assert_type(noisy(3), float)


def listen(event: RunEvent) -> None:
    assert_type(event.path, str)


def run_it(workflow: Any) -> float:
    run = flytenb.run(workflow, n=3)
    assert_type(run, Run)
    assert_type(flytenb.start(workflow, 3), Run)
    assert_type(run.nodes["n0"], NodeRun)
    assert_type(run.outputs, dict[str, Any])
    assert_type(run.nodes["n0"].inputs, dict[str, Any])
    assert_type(run.duration, float | None)
    assert_type(run.events, tuple[RunEvent, ...])
    assert_type(run.graph, Graph)
    assert_type(run.settings, Settings)
    assert_type(run.wait(3.0), Run)
    assert_type(run.cancel(), Run)
    assert_type(run.waiting, tuple[str, ...])
    stop = run.listen(listen)
    assert_type(stop, Callable[[], None])
    if run.error is not None:
        print(run.error.full())
    return run.duration or 0.0


async def wait_for(workflow: Any) -> None:
    assert_type(await flytenb.start(workflow, n=3), Run)


def configured(workflow: Any) -> None:
    careful = flytenb.options(workers=4, strict=True, cache="overwrite", answers={"n1": True}, listeners=[listen])
    assert_type(careful, Options)
    assert_type(careful.options(processes=True).run(workflow, n=3), Run)
    assert_type(careful.settings, Settings)
    assert_type(Settings(workers=2).workers, int)
    flytenb.options(workers="4")  # type: ignore[arg-type]
    flytenb.options(cache="yes")  # type: ignore[arg-type]
    flytenb.options(worker=4)  # type: ignore[call-arg]


def look(workflow: Any) -> None:
    graph = flytenb.graph(workflow)
    assert_type(graph, Graph)
    assert_type(graph.nodes["n0"], Node)
    assert_type(graph.edges_from("n0"), tuple[Edge, ...])
    drawing = flytenb.draw(workflow, between=("n0", "n1"), depth=1)
    assert_type(drawing, Drawing)
    assert_type(drawing.svg, str)
    assert_type(drawing.png, bytes)
    flytenb.draw(graph).save("graph.svg")
    flytenb.draw(workflow, upstream=3)  # type: ignore[arg-type]
    flytenb.show(Track([]), name="a track")
    flytenb.lens(Track, sample=Track([]))
    assert flytenb.check_transformer(Track, [Track([])]).ok


@flytenb.control_for(Track)
def ask_for_track(declared: Any, context: ControlContext) -> Control:
    return ValueControl(context.name, parse=lambda text: Track([]), show=str)


def parts() -> tuple[Part, ...]:
    return Picture(b"", "image/png"), Tree((Entry("points", "3"),))


try:
    flytenb.graph(3)
except FlytenbError as error:
    assert_type(error.hint, str)
