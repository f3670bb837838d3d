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
_APPLETS = ("sh", "awk", "cat", "chmod", "head", "ln", "mkfifo", "rm", "setsid", "touch", "tr", "wc", "echo", "env", "ls", "mkdir", "sleep", "true", "false", "test", "printf")


@contextmanager
def docker_engine() -> Iterator[str]:
    """Run dockerd with directories and a socket of its own; yield its address.

    No bridge and no iptables: what runs here has no network, and the machine's own engine, if any, is left alone.
    """
    root = Path(tempfile.mkdtemp(prefix="engine-"))
    socket = f"unix://{root / 'docker.sock'}"
    log = (root / "log").open("w")
    daemon = subprocess.Popen(
        [
            *(shutil.which("dockerd") or "/usr/sbin/dockerd",),
            *("--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2"),
            *("--data-root", str(root / "data"), "--exec-root", str(root / "exec")),
            *("--pidfile", str(root / "pid"), "--host", socket),
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for(socket, daemon, root / "log")
        _import_image(socket)
        yield socket
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE)
        log.close()
        shutil.rmtree(root, ignore_errors=True)


def _wait_for(socket: str, daemon: subprocess.Popen[bytes], log: Path) -> None:
    import docker

    end = time.monotonic() + PATIENCE
    while True:
        try:
            client = docker.DockerClient(base_url=socket)
            client.ping()
            client.close()
            return
        except Exception as e:
            if daemon.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"dockerd did not start:\n{log.read_text()[-2000:]}") from e
            time.sleep(0.1)


def _import_image(socket: str) -> None:
    """Make an image of Debian's static busybox."""
    import docker

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    client = docker.DockerClient(base_url=socket)
    name, _, tag = IMAGE.rpartition(":")
    client.api.import_image_from_data(packed.getvalue(), repository=name, tag=tag)
    client.close()
