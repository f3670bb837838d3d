"""Scripts of shell tasks."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from flytekit.extras.tasks.shell import ProcessResult

from flytenb.bridge.stopping import check_stopped, shielded
from flytenb.engines import run_supervised

_WITH_ERRORS_APART = 'exec "$0" -c "$1" 2>"$2"'


def run_script(script: str, shell: str) -> ProcessResult:
    """Run a script to its end, print what it prints, and return both outputs; a request to stop ends its processes."""
    pieces: list[str] = []

    def log(text: str) -> None:
        pieces.append(text)
        sys.stdout.write(text)

    with shielded(), tempfile.NamedTemporaryFile() as errors:
        words = ["/bin/sh", "-c", _WITH_ERRORS_APART, shell, script, errors.name]
        ended = run_supervised(words, log, check_stopped, environment=os.environ, head=sys.maxsize)
        said = errors.read().decode(errors="replace")
    return ProcessResult(ended.status, "".join("".join(pieces).splitlines()), said)


def replace_runner(run: Any) -> Any:
    """Run the scripts of shell tasks below a supervisor: a cancelled or late one ends, and its output is shown at once.

    flytekit's function waits for the script's process, which goes on after a cancelled run.
    """
    return run_script
