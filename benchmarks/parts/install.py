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
UV_ALONE = ("uv venv --quiet --seed .venv", "uv pip install --quiet --python .venv/bin/python --editable .[demo]")
WRITE_PAGE = ".venv/bin/python notebooks/publish.py --to build notebooks/extending_flyte.md"
MAKE = {"make": "", "bare": " UV=.venv/bin/uv HAS_UV=", "pip": " INSTALLER=pip"}
"""Variables of make: uv is there, uv has to be brought from PyPI, uv isn't used."""
SIDES = ("uv", *MAKE)
PIP = "-m pip --disable-pip-version-check"
ANY_PYTHON = (
    "--quiet --no-cache-dir --only-binary :all: --implementation py --abi none --python-version 3 "
    "--ignore-requires-python"
)
PARTS = {
    "an environment without pip": "-m venv --without-pip environment",
    "pip starts": f"{PIP} --version",
    "pip starts and compares the wheels of the index": f"{PIP} index versions {ANY_PYTHON} uv",
    "pip starts, compares, downloads and unpacks": f"{PIP} install {ANY_PYTHON} --no-compile --no-deps --target uv uv",
}
"""What make does to get uv from PyPI, each step with the ones before it; arguments of Python."""


def take(commands: list[str], folder: Path, environment: dict[str, str], caches: Path) -> tuple[float, float]:
    """Run commands in a clone of the repository; return seconds and seconds of processor time."""
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], check=True)
    shutil.copy(REPOSITORY / "Makefile", folder)
    kept = {"UV_CACHE_DIR": str(caches / "uv"), "PIP_CACHE_DIR": str(caches / "pip")}
    before, began = os.times(), time.perf_counter()
    for command in commands:
        subprocess.run(command.split(), cwd=folder, env=environment | kept, check=True, stdout=subprocess.DEVNULL)
    taken, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    shutil.rmtree(folder)
    return taken, spent


def take_parts(python: str, rounds: int) -> None:
    """Print one JSON line per part of getting uv: the least processor time of the rounds, without the cache of pip."""
    for part, arguments in PARTS.items():
        spent = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                before = os.times()
                subprocess.run([python, *arguments.split()], cwd=folder, check=True, capture_output=True)
                after = os.times()
            spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
        print(json.dumps({"part": part, "cpu_s": round(min(spent), 2), "load": os.getloadavg()[0]}), flush=True)


def main() -> int:
    """Print one JSON line per side: medians of the rounds, and the medians of the rounds' ratios to uv alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default: 3)")
    parser.add_argument("--cold", action="store_true", help="begin each time with empty caches: all is downloaded")
    parser.add_argument("--page", action="store_true", help="run the tutorial and write its page as well")
    parser.add_argument("--parts", action="store_true", help="only what getting uv from PyPI consists of")
    parser.add_argument("--sides", default=",".join(SIDES), help="sides besides uv (default: all)")
    options = parser.parse_args()
    if unknown := set(options.sides.split(",")) - set(SIDES):
        parser.error(f"expected sides of {', '.join(SIDES)}, got {', '.join(sorted(unknown))}")
    python = str(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}"))
    if options.parts:
        take_parts(python, options.rounds)
        return 0
    if (uv := shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))) is None:
        parser.error("no program uv on PATH or beside this Python; install it with: pip install uv")
    target = "demo" if options.page else ".venv/.demo"
    sides = {"uv": [*UV_ALONE, *([WRITE_PAGE] if options.page else [])]}
    chosen = options.sides.split(",")
    sides |= {name: [f"make --silent {target}{variables}"] for name, variables in MAKE.items() if name in chosen}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory(prefix="flytenb-install-") as home:
        only_uv = Path(home, "bin")  # what else is beside uv, such as the Python of an environment, must not be found
        only_uv.mkdir()
        (only_uv / "uv").symlink_to(uv)
        environment = {**os.environ, "PATH": f"{only_uv}:{os.environ['PATH']}", "UV_PYTHON": python, "PYTHON": python}
        for number in range(0 if options.cold else -1, options.rounds):
            for name, commands in sides.items():
                caches = Path(home, "caches")
                taken = take(commands, Path(home, "copy"), environment, caches)
                if number >= 0:  # an earlier round has filled the caches of uv and pip
                    times[name].append(taken)
                    print(name, *(f"{seconds:.1f} s" for seconds in taken), file=sys.stderr)
                if options.cold:
                    shutil.rmtree(caches)
    limit = times["uv"]
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
