"""One side of a comparison: a process of its own, in its own environment, that is told what to do and times itself."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

OWN = ("plain", "flytekit", "flytenb")
"""The sides that live in the environment of the project itself; every other has one in `.venvs/<name>`."""
NODE = ("elk", "dagre")
"""The sides that run node from there, with packages in `.venvs/layouts`."""
FOLDER = Path(__file__).parent.parent / ".venvs"


class Side:
    """A script of `sides/`, running, asked one workload at a time, so that the sides can take turns.

    Args:
        name: what it is called in the figures.
        home: where it keeps what it would keep in the home directory, such as a cache.
    """

    def __init__(self, name: str, home: Path) -> None:
        folder = Path(__file__).parent
        self.name = name
        self._command = [str(python_of(name)), str(folder / "sides" / f"{name}_side.py")]
        self._environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home)}
        self._process: subprocess.Popen[str] | None = None
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - what it logs, told only if it dies

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=self._environment,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(timeout=60)  # closes its standard input, which ends it
        self._said.close()

    def time(self, workload: str, size: int) -> dict[str, Any]:
        """Do the workload once and return its `seconds`, `result` and `also`, or its `error`."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([workload, size]) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return self._death()
        line = self._process.stdout.readline()
        if not line:
            return self._death()
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _death(self) -> dict[str, Any]:
        """What to say of a side whose process has ended: its exit status and the last that it said."""
        assert self._process is not None
        status = self._process.wait(timeout=60)
        self._said.seek(0)
        said = self._said.read()[-300:].strip() or "said nothing"
        return {"error": f"its process ended with status {status}: {said}"}


def python_of(name: str) -> Path:
    """The interpreter of a side; it may not be installed."""
    if name in OWN or (name in NODE and (FOLDER / "layouts" / "node_modules").is_dir()):
        return Path(sys.executable)
    return FOLDER / name / "bin" / "python"
