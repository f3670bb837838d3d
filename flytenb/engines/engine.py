"""What an engine is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Mount:
    """A directory of this machine that the command sees.

    Attributes:
        source: the directory.
        target: its absolute path in the container.
        is_writable: whether the command may write to it.
    """

    source: Path
    target: str
    is_writable: bool = False


@dataclass(frozen=True)
class ResourceLimits:
    """Resources that a command may use; None is no limit.

    Attributes:
        cpus: processors, as in `0.5`.
        memory: bytes.
        processes: processes and threads at the same time.
    """

    cpus: float | None = None
    memory: int | None = None
    processes: int | None = None


@dataclass(frozen=True)
class ContainerJob:
    """A command to run.

    Attributes:
        name: the task's name, for messages.
        image: the image's name, with a tag or digest.
        command: the words of the command; empty for that of the image.
        mounts: the directories that it sees.
        environment: variables that are set besides those of the image.
        directory: the working directory; `""` is that of the image.
        limits: the resources that it may use.
        has_network: whether it may use the network.
    """

    name: str
    image: str
    command: tuple[str, ...]
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    limits: ResourceLimits = ResourceLimits()
    has_network: bool = False


@dataclass(frozen=True)
class Exit:
    """How a command ended.

    Attributes:
        status: its exit status; 128 + N after signal N.
        reason: what ended it if the status doesn't say so, as `"out of memory"`.
    """

    status: int
    reason: str = ""


class ContainerEngine(Protocol):
    """One way to run jobs. Each method may be called by several threads at the same time."""

    name: str

    def why_not(self, job: ContainerJob) -> str:
        """Return why this engine can't run the job here, `""` if it can."""

    def digest(self, image: str) -> str:
        """Return what identifies the content of an image, or of the interpreter that replaces it.

        Raises:
            ContainerError: if there is no such image and it can't be pulled.
        """

    def run(self, job: ContainerJob, log: Callable[[str], None], check: Callable[[], None]) -> Exit:
        """Run a job to its end and leave nothing of it behind.

        Args:
            job: what is run.
            log: called with each piece of output soon after it is printed, on the calling thread.
            check: called at least ten times a second on the calling thread; what it raises stops the job, with all
                its processes, and is raised by `run`.

        Raises:
            ContainerError: if the job can't be started.
        """
