"""Jobs in the unpacked files of an image, isolated by bubblewrap, which needs neither a daemon nor privileges."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from flytenb.engines.engine import ContainerJob, Exit
from flytenb.engines.image_root import ImageRoot, find_root, images_folder
from flytenb.engines.mounts import give_access
from flytenb.engines.supervised import run_supervised
from flytenb.errors import ContainerError, say

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_OPENED = 200
"""Entries of a directory of the image in which new files can be created; each is mounted by itself."""
_EMPTY = ("/run", "/tmp", "/var/tmp")
"""Directories that are empty at the start of a job."""
_REPLACED = ("/proc", "/dev", *_EMPTY)
"""Directories that aren't the image's."""
_ISOLATION = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent")
_AS_ROOT = ("--unshare-user", "--uid", "0", "--gid", "0")
_WITHOUT_NAMESPACE = ("--cap-drop", "ALL")
"""For root where no user namespace can be created, as in some containers."""


class Bubblewrap:
    """Runs commands over roots that `flytenb.engines.unpack` made of images."""

    name = "bubblewrap"

    def why_not(self, job: ContainerJob, check: Callable[[], None]) -> str:
        if shutil.which("bwrap") is None:
            return "bwrap isn't installed"
        options = _isolation(_bwrap())
        if isinstance(options, str):
            return f"bwrap can't isolate here: {options}"
        return "" if find_root(job.image) else f"image {job.image!r} isn't unpacked in {images_folder()}"

    def digest(self, job: ContainerJob) -> str:
        return _root(job).digest

    def run(self, job: ContainerJob, log: Callable[[str], None], check: Callable[[], None]) -> Exit:
        root = _root(job)
        words = [*(job.command or root.entrypoint), *(job.arguments or (() if job.command else root.command))]
        if not words:
            raise ContainerError(f"container task {job.name!r} has no command, and its image {job.image!r} has none")
        first: list[str] = []

        def note(text: str) -> None:
            first.append(text) if not first else None
            log(text)

        descriptor = os.memfd_create("flytenb")
        try:
            os.write(descriptor, b"".join(os.fsencode(option) + b"\0" for option in _options(job, root)))
            os.lseek(descriptor, 0, os.SEEK_SET)
            command = [_bwrap(), "--args", "\0", "--", *words]
            environment = {"PATH": os.environ.get("PATH", os.defpath)}
            ended = run_supervised(
                command, note, check, environment=environment, limits=job.limits, descriptors=(descriptor,)
            )
        except OSError as e:
            raise ContainerError(f"container task {job.name!r} can't start bwrap: {say(e)}") from e
        finally:
            os.close(descriptor)
            give_access(job.mounts)
        if ended.status == 1 and first and first[0].startswith("bwrap: "):
            raise ContainerError(
                f"container task {job.name!r} can't start {words[0]!r} in image {job.image!r}: {first[0].strip()}",
                hint="is it a program of the image, with all of its path?",
            )
        return ended


def _bwrap() -> str:
    return shutil.which("bwrap") or "bwrap"


def _root(job: ContainerJob) -> ImageRoot:
    root = find_root(job.image)
    if root is None:
        raise ContainerError(
            f"image {job.image!r} of container task {job.name!r} isn't unpacked in {images_folder()}",
            hint="docker save IMAGE -o image.tar, then flytenb.engines.unpack('image.tar', IMAGE)",
        )
    return root


@lru_cache
def _isolation(bwrap: str) -> tuple[str, ...] | str:
    """Return the options with which bwrap can isolate on this machine, or why it can't."""
    said = ""
    for options in (_AS_ROOT, _WITHOUT_NAMESPACE) if os.geteuid() == 0 else (_AS_ROOT,):
        trial = [bwrap, *_ISOLATION, *options, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
        done = subprocess.run(trial, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode == 0:
            return options
        said = said or done.stderr.strip() or f"status {done.returncode}"
    return said


def _options(job: ContainerJob, root: ImageRoot) -> Iterator[str]:
    """Yield the options of bwrap, all but the command."""
    isolation = _isolation(_bwrap())
    yield from _ISOLATION
    yield from isolation if isinstance(isolation, tuple) else ()
    yield "--new-session"
    if not job.has_network:
        yield "--unshare-net"
    directory = job.directory or root.directory or "/"
    yield from _files(job, root, directory)
    yield "--clearenv"
    for name, value in {"PATH": _PATH, "HOME": "/root", **root.environment, **job.environment}.items():
        yield from ("--setenv", name, value)
    yield from ("--chdir", directory)


def _files(job: ContainerJob, root: ImageRoot, directory: str) -> Iterator[str]:
    """Yield the mounts: the image's files, which are read-only, in directories in which new ones can be created."""
    needed = {PurePosixPath(mount.target).parent for mount in job.mounts}
    opened = {
        PurePosixPath(directory),
        PurePosixPath("/root"),
        *(PurePosixPath(path).parent for path in _EMPTY),
        *needed,
    }
    yield from _opened(root.path, PurePosixPath("/"), {p for o in opened for p in (o, *o.parents)}, needed)
    for needed_path in sorted(map(str, opened)):
        yield from ("--dir", needed_path)
    yield from ("--proc", "/proc", "--dev", "/dev")
    for path in _EMPTY:
        yield from ("--perms", "1777", "--tmpfs", path)
    if job.has_network:
        for path in ("/etc/resolv.conf", "/etc/hosts"):
            yield from ("--ro-bind-try", path, path)
    for mount in job.mounts:
        yield from ("--bind" if mount.is_writable else "--ro-bind", str(mount.source), mount.target)


def _opened(
    root: Path, directory: PurePosixPath, opened: set[PurePosixPath], needed: set[PurePosixPath]
) -> Iterator[str]:
    with os.scandir(root / str(directory).lstrip("/")) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = directory / entry.name
        if entry.is_symlink():
            yield from ("--symlink", str(Path(entry.path).readlink()), str(path))
        elif (
            path in opened
            and entry.is_dir()
            and (_is_short(entry.path) or any(path in (n, *n.parents) for n in needed))
        ):
            yield from ("--dir", str(path))
            yield from _opened(root, path, opened, needed)
        elif str(path) not in _REPLACED:
            yield from ("--ro-bind", entry.path, str(path))


def _is_short(path: str) -> bool:
    return len(list(Path(path).iterdir())) <= _MOST_OPENED
