"""The corpus laid out by each side, and the medians of its measures."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measures import Picture, Plan, bezier, medians, picture_of, plan_of, plan_of_drawing
from pipelines import corpus
from serving import Measured

from flytenb.render.drawing import Drawing
from flytenb.render.layout import read_json

MODULES = Path(__file__).resolve().parents[2] / ".venvs" / "layouts" / "node_modules"
"""Where `benchmarks/peers/install.py layouts` puts ELK and dagre."""


LayOut = Callable[[list[Plan]], list[Picture]]


def measured(lay_out: LayOut | None, *, has_equal_boxes: bool = True) -> Callable[[int], Callable[[], Measured]]:
    """Return a workload: the answer is whether there are pictures, the further figures are the measures.

    Args:
        lay_out: the side; None is flytenb, with pictures as people see them, folded where it folds.
        has_equal_boxes: whether the side is given the boxes of flytenb's drawings, or unfolded ones with names.
    """

    def prepare(size: int) -> Callable[[], Measured]:
        def once() -> Measured:
            began = time.perf_counter()
            graphs = list(corpus(size))
            drawings = [Drawing(graph) for graph in graphs]
            if lay_out is None:
                pictures = [picture_of(drawing) for drawing in drawings]
            elif has_equal_boxes:
                pictures = lay_out([plan_of_drawing(drawing) for drawing in drawings])
            else:
                pictures = lay_out([plan_of(graph) for graph in graphs])
            return Measured(time.perf_counter() - began, len(pictures) > 0, medians(pictures))

        return once

    return prepare


def by_dot(plans: list[Plan]) -> list[Picture]:
    """The program `dot` with its defaults."""
    found = []
    for plan in plans:
        done = subprocess.run(["dot", "-Tjson0"], input=dot_of(plan).encode(), capture_output=True, check=True)
        at = read_json(done.stdout)
        picture = Picture(at.width, at.height, around=plan.around)
        for name, (width, height) in plan.sizes.items():
            x, y = at.boxes[name]
            picture.boxes[name] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        for name, (left, low, right, high) in at.frames.items():
            inner, middle = name.removeprefix("cluster_"), (left + right) / 2
            picture.frames[inner] = (left, low, right, high)
            half = 7.5 * len(plan.frames[inner]) / 2
            picture.titles[inner] = (middle - half, high - 22, middle + half, high - 4)
        picture.lines = [(a, b, bezier(way)) for (a, b), ways in at.arrows.items() for way in ways]
        found.append(picture)
    return found


def dot_of(plan: Plan) -> str:
    """A plan as DOT."""
    inner: dict[str, list[str]] = {}
    for name in (*plan.frames, *plan.sizes):
        inner.setdefault(plan.around.get(name, ""), []).append(name)

    def members(at: str) -> str:
        lines = []
        for name in inner.get(at, ()):
            if name in plan.frames:
                lines.append(f'subgraph cluster_{name} {{ label="{plan.frames[name]}"\n{members(name)}}}')
            else:
                width, height = plan.sizes[name]
                lines.append(f"{name} [width={width / 72:.3f} height={height / 72:.3f}]")
        return "\n".join(lines)

    edges = "\n".join(f"{a} -> {b}" for a, b in plan.edges)
    return f'digraph {{ node [shape=box fixedsize=true label=""] edge [arrowhead=none]\n{members("")}\n{edges}\n}}'


def by_node(engine: str, modules: Path = MODULES) -> LayOut:
    """ELK's layered algorithm or dagre, run by node."""

    def lay_out(plans: list[Plan]) -> list[Picture]:
        command = ["node", str(Path(__file__).parent / "layouts.cjs"), engine, str(modules)]
        lines = "\n".join(json.dumps(asdict(plan)) for plan in plans)
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
        return [_read(json.loads(line), plan) for line, plan in zip(done.stdout.splitlines(), plans, strict=True)]

    return lay_out


def _read(reply: dict[str, Any], plan: Plan) -> Picture:
    if "error" in reply:
        raise ValueError(reply["error"])
    titles = {
        name: (left + 5, top + 5, left + 5 + 7.5 * len(plan.frames[name]), top + 21)
        for name, (left, top, *_) in reply["frames"].items()
    }
    boxes, frames = ({n: tuple(r) for n, r in reply[kind].items()} for kind in ("boxes", "frames"))
    return Picture(reply["width"], reply["height"], boxes, frames, titles, plan.around, reply["lines"])
