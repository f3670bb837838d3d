"""Setting up: what `make demo` installs, by make with uv, by make with pip, and by uv alone."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SIDES = {
    "uv alone": ["uv venv --quiet --seed .venv", "uv pip install --quiet --python .venv/bin/python --editable .[demo]"],
    "make": ["make --silent .venv/.demo"],
    "make, uv not installed before": ["make --silent .venv/.demo UV=.venv/bin/uv HAS_UV="],
    "make with pip": ["make --silent .venv/.demo INSTALLER=pip"],
}


def take(commands: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Run commands in a copy of the repository; return seconds and seconds of processor time."""
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], check=True)
    shutil.copy(REPOSITORY / "Makefile", folder)
    before, began = os.times(), time.perf_counter()
    for command in commands:
        subprocess.run(command.split(), cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    taken, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    shutil.rmtree(folder)
    return taken, spent


def main() -> int:
    """Print one JSON line per side: medians of the rounds, and the medians of the rounds' ratios to uv alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default: 3)")
    rounds = parser.parse_args().rounds
    if (uv := shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))) is None:
        parser.error("no program uv on PATH or beside this Python; install it with: pip install uv")
    environment = {**os.environ, "PATH": f"{Path(uv).parent}:{os.environ['PATH']}", "UV_PYTHON": sys.executable}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory(prefix="flytenb-install-") as home:
        for number in range(-1, rounds):
            for name, commands in SIDES.items():
                taken = take(commands, Path(home, "copy"), environment)
                if number >= 0:  # the first round fills the caches of uv and pip
                    times[name].append(taken)
    limit = times["uv alone"]
    for name, taken in times.items():
        row = {
            "side": name,
            "seconds": statistics.median(s for s, _ in taken),
            "cpu_s": statistics.median(c for _, c in taken),
        }
        row["ratio"] = statistics.median(a[0] / b[0] for a, b in zip(taken, limit, strict=True))
        row["cpu_ratio"] = statistics.median(a[1] / b[1] for a, b in zip(taken, limit, strict=True))
        print(json.dumps({**row, "load": os.getloadavg()[0]}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
