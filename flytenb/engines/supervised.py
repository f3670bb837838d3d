"""Commands on this machine, each below a supervisor that ends all of its processes, also if this process is killed."""

from __future__ import annotations

import fcntl
import math
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flytenb.engines.engine import NO_LIMITS, Exit, ResourceLimits
from flytenb.engines.job_output import HEAD, JobOutput

_SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))
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
        words: the command; a name without a slash is looked for on PATH.
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
    report, report_end = os.pipe()
    cpus = 0 if limits.cpus is None else max(1, math.ceil(limits.cpus))
    numbers = (report_end, limits.memory or 0, limits.processes or 0, cpus)
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", _SUPERVISOR, *map(str, numbers), *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(environment), cwd=directory, pass_fds=(report_end, *descriptors),
            start_new_session=True, bufsize=0,
        )  # fmt: skip
    except BaseException:
        os.close(report)
        raise
    finally:
        os.close(report_end)
    _enlarge(process)
    output = JobOutput(log, head)
    with os.fdopen(report, "rb") as reports:
        try:
            _pass_on(process, output, check)
        finally:
            _end(process)
            output.close()
        return _read_report(reports.read().decode(), process.returncode)


def _enlarge(process: subprocess.Popen[bytes]) -> None:
    """Let a command print more before it has to wait."""
    if sys.platform == "linux" and process.stdout is not None:
        with suppress(OSError):
            fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIECE)


def _pass_on(process: subprocess.Popen[bytes], output: JobOutput, check: Callable[[], None]) -> None:
    """Pass on the output until every process has closed it."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            check()
            if selector.select(_LOOK_EVERY):
                data = os.read(process.stdout.fileno(), _PIECE)
                if not data:
                    return
                output.write(data)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have the supervisor end its processes, and wait for it."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # a byte, since a forked process may keep the pipe open
        process.stdin.write(b"\n")
    process.stdin.close()
    try:
        process.wait(_LONGEST_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _read_report(report: str, code: int) -> Exit:
    kind, _, rest = report.strip().partition(" ")
    if kind == "error":
        raise OSError(int(rest), os.strerror(int(rest)))
    status, _, reason = rest.partition(" ")
    if kind != "exit":
        return Exit(128 - code if code < 0 else 1, "its supervisor was killed")
    return Exit(int(status), reason)
