"""The process that makes specs, `spec_program`, and what is sent to it and read from it."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flytekit.configuration.file import FLYTECTL_CONFIG_ENV_VAR, FLYTECTL_CONFIG_ENV_VAR_OVERRIDE

from flytenb.bridge.cluster.specs import REPLY
from flytenb.locks import new_lock, no_forks

_HERE = Path(__file__).parents[3]
_PROGRAM = "flytenb.bridge.cluster.spec_program"
_FILES = (FLYTECTL_CONFIG_ENV_VAR, FLYTECTL_CONFIG_ENV_VAR_OVERRIDE)
"""Variables with paths of configuration files."""
_READ_BY_IMPORTS = ("FLYTE", "_F_", "PYTHON")
"""What the names of variables begin with that flytekit and Python read when they start."""


class SpecProcess:
    """Starts the process when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.forget()
        os.register_at_fork(after_in_child=self.forget)
        atexit.register(self.close)

    def forget(self) -> None:
        """Start without a process: that of a forked process's parent isn't its own."""
        self._lock = new_lock()
        if self._process is not None:
            self._process.returncode = 0  # or Python warns that it still runs
        self._process = None
        self._variables: Mapping[str, str] = {}

    def begin(self) -> None:
        """Start the process if there is none, without waiting for it."""
        with self._lock:
            self._current()

    def close(self) -> None:
        """End the process; another one starts when it is needed."""
        with self._lock:
            self._drop()

    def make(self, folder: Path, request: Mapping[str, Any]) -> tuple[int, bytes, str]:
        """Import a module from a folder and make specs; return the exit status, the specs and the errors."""
        with self._lock, tempfile.TemporaryDirectory(prefix="flytenb-specs-") as made:
            asked = {"folder": str(folder), "reply": made, "variables": environment(), "request": request}
            status = self._ask(json.dumps(asked)) or self._ask(json.dumps(asked))
            files = {name: Path(made, name) for name in ("specs", "errors")}
            specs, errors = (file.read_bytes() if file.exists() else b"" for file in files.values())
        return int(status or 1), specs, errors.decode(errors="replace")

    def _ask(self, line: str) -> str:
        """Return the reply of the process, `""` if it has ended."""
        process = self._current()
        assert process.stdin is not None
        assert process.stdout is not None
        reply = ""
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            lines = iter(process.stdout.readline, "")
            reply = next((line.removeprefix(REPLY).strip() for line in lines if line.startswith(REPLY)), "")
        except BrokenPipeError:
            pass
        finally:
            if not reply:  # it has ended, or an interrupt has come
                self._drop()
        return reply

    def _drop(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # with the child that makes specs
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                with suppress(BrokenPipeError):  # of what wasn't written
                    pipe.close()
            self._process.wait()
            self._process = None

    def _current(self) -> subprocess.Popen[str]:
        variables = {name: value for name, value in environment().items() if name.startswith(_READ_BY_IMPORTS)}
        if self._process is None or self._process.poll() is not None or variables != self._variables:
            self._drop()
            self._variables = variables
            with no_forks:
                self._process = subprocess.Popen(
                    [sys.executable, "-B", "-P", "-m", _PROGRAM],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    cwd=_HERE,
                    env=environment(),
                    start_new_session=True,
                )
        return self._process


def environment() -> dict[str, str]:
    """Return the variables of the process, which has another working directory."""
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(_HERE))))
    files = {name: str(Path(named).absolute()) for name in _FILES if (named := os.environ.get(name))}
    return {**os.environ, **files, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}  # flytekit writes sets in their order


spec_process = SpecProcess()
