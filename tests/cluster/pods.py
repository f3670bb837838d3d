"""Pods: the container's own command in a clean directory, as a process of this machine.

A command of flytekit's is run by a child of a process that has imported flytekit: the same entry point with the same
words, without the second that the import takes. `Pods(is_warm=False)` starts every process anew.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.stop import Stop

FLYTEKIT_COMMANDS = ("pyflyte-execute", "pyflyte-fast-execute", "pyflyte-map-execute")
"""The commands of `flytekit.bin.entrypoint`."""
_NOT_EXECUTABLE = 128
_KILLED = -9


@dataclass(frozen=True)
class Pod:
    """A container's command.

    Attributes:
        command: its words.
        directory: its working directory, which is made, and its home.
        log: the file that its output goes to.
        environment: its variables besides PATH, HOME and those that find Python's packages.
    """

    command: tuple[str, ...]
    directory: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        made = {"PATH": path, "HOME": str(self.directory), "LANG": "C.UTF-8", **self.environment}
        return {name: os.environ[name] for name in ("PYTHONPATH", "TMPDIR") if name in os.environ} | made


class Pods:
    """Runs pods."""

    def __init__(self, *, is_warm: bool = True) -> None:
        self._is_warm = is_warm
        self._lock = threading.Lock()
        self._warm: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def close(self) -> None:
        with self._lock:
            if self._warm is not None:
                process, requests = self._warm
                requests.close()
                process.wait()
                self._warm = None

    def run(self, pod: Pod, stop: Stop) -> int:
        """Run a pod to its end and return its exit status, the negative number of a signal that ended it."""
        stop.check()
        pod.directory.mkdir(parents=True)
        pod.log.parent.mkdir(parents=True, exist_ok=True)
        pod.log.touch()
        if self._is_warm and pod.command[0] in FLYTEKIT_COMMANDS:
            return self._fork(pod, stop)
        return _start(pod, stop)

    def _fork(self, pod: Pod, stop: Stop) -> int:
        request = {
            "command": pod.command,
            "variables": pod.variables(),
            "directory": str(pod.directory),
            "log": str(pod.log),
        }
        receiving, sending = os.pipe()
        with os.fdopen(receiving) as answers:
            try:
                with self._lock:
                    socket.send_fds(self._requests(), [json.dumps(request).encode()], [sending])
            finally:
                os.close(sending)
            pid = int(answers.readline())
            with stop.calling(lambda: _kill(pid)):
                return int(answers.readline() or _KILLED)

    def _requests(self) -> socket.socket:
        if self._warm is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            script = str(Path(__file__).with_name("warm.py"))
            command = [sys.executable, "-P", script, str(theirs.fileno())]
            with theirs:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
            self._warm = process, ours
        return self._warm[1]


def _start(pod: Pod, stop: Stop) -> int:
    variables = pod.variables()
    found = shutil.which(pod.command[0], path=variables["PATH"])
    if found is None:
        pod.log.write_text(f"exec: {pod.command[0]!r}: executable file not found in $PATH\n")
        return _NOT_EXECUTABLE
    with pod.log.open("wb") as log:
        started = subprocess.Popen(
            [found, *pod.command[1:]],
            cwd=pod.directory,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with stop.calling(lambda: _kill(started.pid)):
        return started.wait()


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # a child that has no session of its own yet has no children either
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)
