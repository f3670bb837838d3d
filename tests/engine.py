"""A Docker engine of the tests' own, and an image in it that needs no registry."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE

IMAGE = "docker.io/library/busybox:1.36"
_APPLETS = (
    *("sh", "awk", "cat", "chmod", "dd", "head", "ln", "mkfifo", "nproc", "rm", "setsid", "touch", "tr", "wc"),
    *("echo", "env", "ls", "mkdir", "sleep", "true", "false", "test", "printf"),
)


@contextmanager
def docker_engine() -> Iterator[str]:
    """Run dockerd with directories and a socket of its own; yield its address.

    No bridge and no iptables: what runs here has no network, and the machine's own engine, if any, is left alone.
    """
    root = Path(tempfile.mkdtemp(prefix="engine-"))
    try:
        with daemon_in(root) as (socket, _):
            import_image(socket, packed_busybox(), IMAGE)
            yield socket
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def daemon_in(root: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run dockerd with its directories and its socket in one directory; yield its address and its process."""
    socket = f"unix://{root / 'docker.sock'}"
    command = [
        *(shutil.which("dockerd") or "/usr/sbin/dockerd",),
        *("--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2"),
        *("--data-root", str(root / "data"), "--exec-root", str(root / "exec")),
        *("--pidfile", str(root / "pid"), "--host", socket),
    ]
    end = time.monotonic() + PATIENCE
    with (root / "log").open("a") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not _answers(socket):
                assert time.monotonic() < end, f"dockerd did not start:\n{(root / 'log').read_text()[-2000:]}"
                if daemon.poll() is not None:  # it gives up where containerd takes 15 s to start
                    daemon = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
                time.sleep(0.1)
            yield socket, daemon
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE)
            for line in Path("/proc/mounts").read_text().splitlines():
                place = line.split()[1]
                if place.startswith(f"{root}/"):  # a daemon that was killed leaves them
                    subprocess.run(["umount", "--lazy", place], check=False, stderr=log)


def _answers(socket: str) -> bool:
    import docker

    try:
        client = docker.DockerClient(base_url=socket)
    except docker.errors.DockerException:
        return False
    client.close()
    return True


def packed_busybox() -> bytes:
    """Return an archive of the files of an image: Debian's static busybox."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        add_busybox(tar)
    return packed.getvalue()


def add_busybox(tar: tarfile.TarFile) -> None:
    """Add the files of this image to an archive."""
    tar.add("/bin/busybox", "bin/busybox")
    for applet in _APPLETS:
        link = tarfile.TarInfo(f"bin/{applet}")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(link)


def import_image(socket: str, packed: bytes, image: str) -> None:
    """Make an image of an archive of its files."""
    import docker

    client = docker.DockerClient(base_url=socket)
    name, _, tag = image.rpartition(":")
    client.api.import_image_from_data(packed, repository=name, tag=tag)
    client.close()
