"""Shell tasks in a run: output as it comes, both outputs in the error, and nothing left of a script that is stopped."""

from __future__ import annotations

import datetime
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from flytekit import TaskMetadata, kwtypes
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.extras.tasks.shell import OutputLocation, ShellTask
from flytekit.types.file import FlyteFile

from flytenb.model import Phase
from flytenb.runner.run import Run
from flytenb.runner.settings import Settings
from tests.processes import processes_with
from tests.waiting import PATIENCE, wait_for

SECONDS = str(10**8 + uuid.uuid4().int % 10**8)


def shell(script: str, **kwargs: Any) -> ShellTask[Any]:
    return ShellTask(name=f"script-{uuid.uuid4()}", script=script, **kwargs)


def test_a_cancelled_script_ends_with_its_processes() -> None:
    printed = threading.Event()
    script = f"trap '' TERM; sleep {SECONDS} & echo ready; sleep {SECONDS}"
    listen = [lambda event: printed.set() if "ready" in (event.text or "") else None]
    started = Run(shell(script), {}, Settings(), listen)._begin()
    assert printed.wait(PATIENCE)
    assert started.cancel().wait().phase is Phase.ABORTED
    wait_for(lambda: not processes_with(SECONDS))


def test_a_late_script_ends_with_its_processes() -> None:
    late = shell(f"sleep {SECONDS}", metadata=TaskMetadata(timeout=datetime.timedelta(seconds=0.3)))
    assert Run(late, {}, Settings())._begin().wait().nodes["n0"].phase is Phase.TIMED_OUT
    wait_for(lambda: not processes_with(SECONDS))


def test_a_script_gives_its_file_and_its_output(tmp_path: Path) -> None:
    places = [OutputLocation(var="out", var_type=FlyteFile, location=str(tmp_path / "{inputs.n}.txt"))]
    task = shell("echo one; echo {inputs.n} > {outputs.out}; echo two", inputs=kwtypes(n=int), output_locs=places)
    done = Run(task, {"n": 7}, Settings())._begin().wait()
    assert done.error is None, done.error.full()
    assert Path(str(done.result)).read_text() == "7\n"
    assert done.nodes["n0"].log == "one\ntwo\n"
    assert (task.result.returncode, task.result.output, task.result.error) == (0, "onetwo", "")


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("no-such-program-here", 127)])
def test_a_script_that_fails_is_a_recoverable_error_with_both_outputs(script: str, code: int) -> None:
    done = Run(shell(f"echo out; echo err >&2; {script}"), {}, Settings())._begin().wait()
    assert done.error is not None
    assert isinstance(done.error.exception, FlyteRecoverableException)
    said = str(done.error.exception)
    assert f"return-code {code}" in said
    assert "StdOut: out" in said
    assert "StdErr: err" in said
