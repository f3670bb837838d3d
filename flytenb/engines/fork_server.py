"""The process that starts supervisors by forking: a new interpreter for each would take longer than many commands."""

from __future__ import annotations

import marshal
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flytenb.locks import new_lock

_SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))


class ForkServer:
    """Starts its process when it is first needed; that ends with this one."""

    def __init__(self) -> None:
        self._link: socket.socket | None = None
        self.start_anew()
        os.register_at_fork(after_in_child=self.start_anew)

    def start_anew(self) -> None:
        """Start without a process: that of a forked process's parent isn't its own."""
        self._lock = new_lock()
        if self._link is not None:
            self._link.close()
        self._link = None
        self._process = 0

    def start(self, request: tuple[Any, ...], descriptors: Sequence[int]) -> None:
        """Start a supervisor, as `supervisor` describes."""
        content = marshal.dumps(request)
        with self._lock:
            try:
                self._send(content, descriptors)
            except (BrokenPipeError, ConnectionResetError):  # the process was killed
                self._end()
                self._send(content, descriptors)

    def close(self) -> None:
        """End the process; supervisors go on."""
        with self._lock:
            self._end()

    def _send(self, content: bytes, descriptors: Sequence[int]) -> None:
        if self._link is None:
            self._start_process()
        assert self._link is not None
        is_sent = False
        try:
            socket.send_fds(self._link, [len(content).to_bytes(8, "big")], descriptors)
            self._link.sendall(content)
            is_sent = True
        finally:
            if not is_sent:  # an interrupt may have come in the middle
                self._end()

    def _start_process(self) -> None:
        mine, other = socket.socketpair()
        with other:
            actions = [(os.POSIX_SPAWN_DUP2, other.fileno(), 0)]
            actions += [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]  # type: ignore[misc]
            command = [sys.executable, "-I", "-S", _SUPERVISOR]
            self._process = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)
        self._link = mine

    def _end(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
            with suppress(ChildProcessError):
                os.waitpid(self._process, 0)


fork_server = ForkServer()
