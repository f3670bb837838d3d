"""What an engine is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from flytenb.engines.image_name import full_name
from flytenb.errors import ContainerError

_ROOT = PurePosixPath("/")


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


NO_LIMITS = ResourceLimits()


@dataclass(frozen=True)
class ContainerJob:
    """A command to run.

    As in Kubernetes, `command` replaces the image's ENTRYPOINT and its CMD, and `arguments` without it only the CMD.

    Attributes:
        name: the task's name, for messages.
        image: the image's name, with a tag or digest.
        command: the words of the command; empty for the image's ENTRYPOINT.
        arguments: the words after it; empty for the image's CMD, unless there is a command.
        mounts: the directories that it sees.
        environment: variables that are set besides those of the image.
        directory: the working directory; `""` is that of the image.
        limits: the resources that it may use.
        has_network: whether it may use the network.

    Raises:
        ContainerError: for a part that no engine can use.
    """

    name: str
    image: str
    command: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    limits: ResourceLimits = NO_LIMITS
    has_network: bool = False

    def __post_init__(self) -> None:
        full_name(self.image)
        for target in [mount.target for mount in self.mounts] + [self.directory] * bool(self.directory):
            if not target.startswith("/") or ".." in PurePosixPath(target).parts or PurePosixPath(target) == _ROOT:
                raise ContainerError(f"a directory of container task {self.name!r} must be absolute, got {target!r}")
        for name in self.environment:
            if not name or "=" in name:
                raise ContainerError(f"a variable of container task {self.name!r} can't be called {name!r}")
        words = (*self.command, *self.arguments, self.directory, *self.environment, *self.environment.values())
        for word in words + tuple(mount.target for mount in self.mounts):
            if "\0" in word:
                raise ContainerError(f"a command can't hold the character NUL, got {word!r}")


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
    """One way to run jobs. Each method may be called by several threads at the same time.

    `check` is called at least ten times a second on the calling thread; what it raises stops what the method does, with
    all processes of the job, and is raised by the method.
    """

    name: str

    def why_not(self, job: ContainerJob, check: Callable[[], None]) -> str:
        """Return why this engine can't run the job here, `""` if it can. An image that isn't here may be pulled."""

    def digest(self, job: ContainerJob) -> str:
        """Return what identifies the content of the job's image, or of the interpreter that replaces it.

        Raises:
            ContainerError: if there is no such image.
        """

    def run(self, job: ContainerJob, log: Callable[[str], None], check: Callable[[], None]) -> Exit:
        """Run a job to its end and leave nothing of it behind.

        Args:
            job: what is run.
            log: called with each piece of output soon after it is printed, on the calling thread; of a long output,
                with the beginning and the end.
            check: see the class.

        Raises:
            ContainerError: if the job can't be started, or if its engine is lost.
        """
