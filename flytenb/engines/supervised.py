"""Commands on this machine, each below a supervisor that ends all of its processes, also if this process is killed."""

from __future__ import annotations

import fcntl
import io
import math
import os
import selectors
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from flytenb.engines.engine import NO_LIMITS, Exit, ResourceLimits
from flytenb.engines.fork_server import fork_server
from flytenb.engines.job_output import HEAD, JobOutput
from flytenb.locks import no_forks

_LOOK_EVERY = 0.05
_PIECE = 1 << 20
_LONGEST_END = 10.0


def run_supervised(
    words: Sequence[str],
    log: Callable[[str], None],
    check: Callable[[], None],
    *,
    environment: Mapping[str, str],
    directory: Path | None = None,
    limits: ResourceLimits = NO_LIMITS,
    descriptors: Sequence[int] = (),
    head: int = HEAD,
) -> Exit:
    """Run a command to its end.

    Args:
        words: the command; a name without a slash is looked for on PATH. A word that is NUL becomes the number of the
            next of the descriptors.
        log: as in `ContainerEngine.run`.
        check: as in `ContainerEngine.run`.
        environment: all variables of the command.
        directory: its working directory.
        limits: of memory, processes and processors; the processors are whole ones.
        descriptors: open files that the command inherits.
        head: bytes at the beginning of its output that are passed on.

    Raises:
        OSError: if the command can't be started.
    """
    cpus = 0 if limits.cpus is None else max(1, math.ceil(limits.cpus))
    place = str(Path.cwd() if directory is None else directory)
    request = (limits.memory or 0, limits.processes or 0, cpus, place, dict(environment), [*words])
    output = JobOutput(log, head)
    with ExitStack() as opened:
        with no_forks:
            (its_stop, stop), (printed, its_output), (report, its_report) = (_pipe(opened) for _ in range(3))
            _enlarge(printed)
            others = (its_stop, its_output, its_report)
            fork_server.start(request, [*(end.fileno() for end in others), *descriptors])
            for end in others:
                end.close()
        try:
            _pass_on(printed.fileno(), output, check)
        finally:
            with suppress(BrokenPipeError):  # a byte, since a forked process may keep the pipe open
                stop.write(b"\n")
            text = _read(report.fileno())
            output.close()
    return _read_report(text)


def _pipe(opened: ExitStack) -> tuple[io.FileIO, io.FileIO]:
    reading, writing = os.pipe()
    return opened.enter_context(io.FileIO(reading, "r")), opened.enter_context(io.FileIO(writing, "w"))


def _enlarge(printed: io.FileIO) -> None:
    """Let a command print more before it has to wait."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(printed.fileno(), fcntl.F_SETPIPE_SZ, _PIECE)


def _pass_on(printed: int, output: JobOutput, check: Callable[[], None]) -> None:
    """Pass on the output until every process has closed it."""
    with selectors.DefaultSelector() as selector:
        selector.register(printed, selectors.EVENT_READ)
        while True:
            check()
            if selector.select(_LOOK_EVERY):
                data = os.read(printed, _PIECE)
                if not data:
                    return
                output.write(data)


def _read(report: int) -> str:
    """Read the report to its end, which is that of the supervisor; one that takes too long is killed."""
    text = b""
    patience: float | None = _LONGEST_END
    with selectors.DefaultSelector() as selector:
        selector.register(report, selectors.EVENT_READ)
        while True:
            if not selector.select(patience):
                patience = None
                with suppress(ProcessLookupError, ValueError):
                    os.kill(int(text.split(b"\n")[0]), signal.SIGKILL)
            piece = os.read(report, 4096)
            if not piece:
                return text.decode()
            text += piece


def _read_report(report: str) -> Exit:
    kind, _, rest = report.strip().rpartition("\n")[2].partition(" ")
    if kind == "error":
        raise OSError(int(rest), os.strerror(int(rest)))
    if kind != "exit":
        return Exit(128 + signal.SIGKILL, "its supervisor was killed")
    status, _, reason = rest.partition(" ")
    return Exit(int(status), reason)
