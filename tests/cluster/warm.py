"""A process that has imported flytekit and forks for each pod. It is run as a script and imports nothing of the tests.

A request is a JSON object with a descriptor, to which the pod's process id and then its exit status are written.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flytekit.bin import entrypoint
from flytekit.deck import renderer

LONGEST_REQUEST = 1 << 20


def serve(requests: socket.socket) -> None:
    """Fork for each request until there are no more; a pod doesn't return."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        received, descriptors, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 1)
        if not received:
            return
        if os.fork() == 0:
            requests.close()
            attend(json.loads(received), descriptors[0])
        os.close(descriptors[0])


def attend(request: dict[str, Any], reply: int) -> None:
    """Run a pod as a child, and write its process id and its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(reply)
        leave(become(**request))
    os.write(reply, b"%d\n" % pid)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(reply, b"%d\n" % status)
    os._exit(0)


def become(command: Sequence[str], variables: Mapping[str, str], directory: str, log: str) -> int:
    """Become the pod's process, run its command and return its exit status."""
    os.setsid()
    os.chdir(directory)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor, source in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(source, descriptor)
    os.environ.clear()
    entrypoint._run_subprocess = call
    try:
        call(command, variables)
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def leave(status: int) -> None:
    """End as an interpreter does, but leave the memory that all pods share as it is."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def call(command: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run a command of flytekit's here; `pyflyte-fast-execute` starts a process for it."""
    os.environ.update(variables)
    paths = [path for path in variables.get("PYTHONPATH", "").split(os.pathsep) if path]
    script = Path(sys.executable).with_name(command[0])
    first = [str(script.resolve().parent), *paths]
    sys.path[:] = [*first, *(path for path in sys.path if path not in first)]
    sys.argv = [str(script), *command[1:]]
    entrypoint._pass_through.commands[command[0]].main(args=list(command[1:]), prog_name=command[0])


def leave_out_packages(self: object) -> str:
    """Take the place of the part of an eager task's deck that runs pip twice."""
    return ""


if __name__ == "__main__":
    renderer.PythonDependencyRenderer.to_html = leave_out_packages
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
