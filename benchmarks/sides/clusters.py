"""What is measured against the double of a cluster, which is a process of its own for each side."""

from __future__ import annotations

import atexit
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cells import START, STOP
from kernel import Kernel
from serving import Measured

STEP = """
@task
def step_{number}(x: int) -> int:
    return x + {constant}
"""
WHOLE = """
@workflow
def steps(x: int) -> int:
    {body}
    return x
"""
REMOTE = """
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote
config = Config.for_endpoint("{endpoint}", insecure=True)
remote = FlyteRemote(config, "flytesnacks", "development", interactive_mode_enabled=True)
reader = FlyteRemote(config, "flytesnacks", "development", interactive_mode_enabled=False)
"""
COUNT = "print(len({reader}.fetch_workflow(name={name}, version={version}).flyte_tasks))"


def register(
    load_it: str, register_it: str, name: str, version: str, connect: str = ""
) -> Callable[[int], Callable[[], Any]]:
    """Time the registration of a chain after a cell of it has been edited; the answer is how many tasks are there.

    Args:
        load_it: a cell that imports what is used.
        register_it: the line that is timed.
        name: an expression for the registered name.
        version: an expression for the version.
        connect: the line that makes an object for the cluster from a `config`; `remote` is flytekit's.
    """

    def prepare(size: int) -> Callable[[], Any]:
        kernel = Kernel()
        atexit.register(kernel.close)
        kernel.run(f"{load_it}\nimport time\nfrom flytekit import task, workflow\n{REMOTE.format(endpoint=_start())}")
        kernel.run(connect)
        for number in range(size):
            kernel.run(STEP.format(number=number, constant=number))
        body = "\n    ".join(f"x = step_{number}(x=x)" for number in range(size))
        rounds = iter(range(1000))

        def once() -> Measured:
            kernel.run(STEP.format(number=0, constant=-1 - next(rounds)))
            kernel.run(WHOLE.format(body=body))
            worked = kernel.cpu_seconds
            seconds, _ = kernel.run(f"{START}\n{register_it}\n{STOP}")
            worked = kernel.cpu_seconds - worked
            found, _ = kernel.run(COUNT.format(reader="reader", name=name, version=version))
            return Measured(float(seconds), int(found), {"cpu_s": worked})

        return once

    return prepare


def _start() -> str:
    """Start a double and return its endpoint; it ends with this process."""
    command = [sys.executable, "-m", "tests.cluster", tempfile.mkdtemp()]
    root = Path(__file__).parents[2]
    double = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
    assert double.stdin is not None
    assert double.stdout is not None
    atexit.register(double.wait)
    atexit.register(double.stdin.close)
    return double.stdout.readline().strip()
