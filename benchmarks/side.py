"""One side of a comparison: a process of its own, in its own environment, that is told what to do and times itself."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

Prepare = Callable[[int], Callable[[], Any]]
"""Takes a size, gets everything ready, and returns what is timed; that returns the answer."""


class Side:
    """A script of `sides/`, running; asked one workload at a time, so that the sides can take turns."""

    def __init__(self, name: str, python: Path, script: Path) -> None:
        self.name = name
        self._command = [str(python), str(script)]
        self._process: subprocess.Popen[str] | None = None
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - what it logs, told only if it dies
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True
        )
        self._known = set(self._read()["workloads"])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._said.close()

    def has(self, workload: str) -> bool:
        """Whether this side does the workload at all."""
        return workload in self._known

    def time(self, workload: str, size: int) -> dict[str, Any]:
        """Run the workload once and return its `seconds` and `result`, or its `error`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([workload, size]) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._said.seek(0)
            raise RuntimeError(f"side {self.name!r} ended: {' '.join(self._command)}\n{self._said.read()[-2000:]}")
        reply: dict[str, Any] = json.loads(line)
        return reply


def find_sides(folder: Path, only: set[str] | None) -> list[Side]:
    """Return the sides whose environment is there: ours in this one, each peer in `.venvs/<name>`."""
    sides = []
    for script in sorted((folder / "sides").glob("*_side.py")):
        name = script.stem.removesuffix("_side")
        own = folder.parent / ".venvs" / name / "bin" / "python"
        python = Path(sys.executable) if name in ("plain", "flytekit", "flytenb") else own
        if python.exists() and (only is None or name in only):
            sides.append(Side(name, python, script))
    return sides


def serve(**workloads: Prepare) -> None:
    """Answer on standard output, as JSON, each `[workload, size]` that comes on standard input. Called by the scripts.

    What is prepared is kept, so that a second round times the work alone. Only the answers go to standard output.
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"workloads": sorted(workloads)}), file=answers, flush=True)
    prepared: dict[tuple[str, int], Callable[[], Any]] = {}
    for line in sys.stdin:
        name, size = json.loads(line)
        try:
            if (name, size) not in prepared:
                prepared[name, size] = workloads[name](size)
            start = time.perf_counter()
            result = prepared[name, size]()
            reply = {"seconds": time.perf_counter() - start, "result": result}
        except Exception as error:  # a side that can't is a row of the table, not the end of it
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(reply), file=answers, flush=True)
