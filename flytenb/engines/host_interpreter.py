"""Commands without an image: the interpreter on PATH, without isolation."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from flytenb.engines.engine import ContainerJob, Exit
from flytenb.engines.mounts import give_access, with_sources
from flytenb.engines.supervised import run_supervised
from flytenb.errors import ContainerError, say


class HostInterpreter:
    """Runs commands on this machine. Mounted directories are known to them by the paths that they have here."""

    name = "host"

    def why_not(self, job: ContainerJob, check: Callable[[], None]) -> str:
        return "" if _interpreter(job) else _missing(job)

    def digest(self, job: ContainerJob) -> str:
        found = _interpreter(job)
        if found is None:
            raise ContainerError(f"container task {job.name!r} can't run on this machine: {_missing(job)}")
        path = Path(found).resolve()
        status = path.stat()
        return f"host:{path}:{status.st_size}:{status.st_mtime_ns}"

    def run(self, job: ContainerJob, log: Callable[[str], None], check: Callable[[], None]) -> Exit:
        words = [with_sources(word, job.mounts) for word in (*job.command, *job.arguments)]
        with tempfile.TemporaryDirectory(prefix="flytenb-job-", ignore_cleanup_errors=True) as made:
            directory = Path(with_sources(job.directory, job.mounts) if job.directory else made)
            try:
                return run_supervised(
                    words, log, check, environment=_environment(job), directory=directory, limits=job.limits
                )
            except OSError as e:
                raise ContainerError(
                    f"container task {job.name!r} can't start {words[:1]} on this machine: {say(e)}",
                    hint="install its interpreter, or choose an engine that uses the image: engine='docker'",
                ) from e
            finally:
                give_access(job.mounts)


def _interpreter(job: ContainerJob) -> str | None:
    return shutil.which(job.command[0], path=_environment(job).get("PATH")) if job.command else None


def _missing(job: ContainerJob) -> str:
    return f"there is no {job.command[0]!r} on PATH" if job.command else "the image's own command isn't on this machine"


def _environment(job: ContainerJob) -> dict[str, str]:
    made = {**os.environ, **job.environment}
    for mount in job.mounts:
        made.setdefault("FLYTENB_OUTPUTS" if mount.is_writable else "FLYTENB_INPUTS", str(mount.source))
    return made
