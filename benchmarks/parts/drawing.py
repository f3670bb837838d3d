"""Where the time of one drawing goes, step by step, beside what the engine alone takes.

    .venv/bin/python benchmarks/parts/drawing.py --sizes 100,1000

A line of JSON per size: milliseconds of each step, the fastest of so many rounds, and of `dot` on the same DOT text.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "sides"))

from flows import layered

import flytenb
from flytenb.render.dot import layout_dot
from flytenb.render.layout import lay_out
from flytenb.render.polish import arrange
from flytenb.render.scene import build_scene
from flytenb.render.svg import to_svg
from flytenb.render.wasm import WasmEngine


def fastest(rounds: int, step: Callable[[], object]) -> float:
    """Milliseconds of the fastest round."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return round(min(taken) * 1000, 2)


def measure(size: int, rounds: int) -> dict[str, float]:
    """Take the steps of drawing a layered workflow."""
    workflow, engine = layered(size), WasmEngine()
    graph = flytenb.graph(workflow)
    scene = build_scene(graph)
    given: list[str] = []
    at = arrange(scene, lambda text: given.append(text) or lay_out(text, 60))
    dot = given[-1]
    without_lines = dot.replace("compound=true", 'splines=""')
    found = {
        "read": fastest(rounds, lambda: flytenb.graph(workflow)),
        "scene": fastest(rounds, lambda: build_scene(graph)),
        "dot": fastest(rounds, lambda: layout_dot(scene)),
        "layout": fastest(rounds, lambda: lay_out(dot, 60)),
        "svg": fastest(rounds, lambda: to_svg(scene, at, "id")),
        "engine alone": fastest(rounds, lambda: engine.run(dot, "plain", 60)),
        "engine without lines": fastest(rounds, lambda: engine.run(without_lines, "plain", 60)),
    }
    if program := shutil.which("dot"):
        found["dot program"] = fastest(
            rounds, lambda: subprocess.run([program, "-Tplain"], input=dot.encode(), capture_output=True, check=True)
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    for size in map(int, options.sizes.split(",")):
        print(json.dumps({"nodes": size, "ms": measure(size, options.rounds)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
