"""Round trips through containers: by the engine itself on the plain side, as tasks on that of flytenb."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent.parent))
from tests.engine import IMAGE, docker_engine, packed_busybox

MODEL = "x <- seq_len(n); y <- 3 * x + sin(x); slope <- round(coef(lm(y ~ x))[[2]])"
"""What the cell in R and the script do alike."""
_ADD = "echo $(({} + 1))"


def _unpacked() -> Path:
    from flytenb.engines import unpack

    archive = Path("~/busybox.tar").expanduser()
    archive.write_bytes(packed_busybox())
    return unpack(archive, IMAGE)


def _start_docker() -> None:
    """Start a Docker engine that ends with this process."""
    tempfile.tempdir = "/tmp"  # the path of a socket must be short
    running = ExitStack()
    os.environ["DOCKER_HOST"] = running.enter_context(docker_engine())
    atexit.register(running.close)


def _repeated(add: Callable[[int], int], size: int) -> int:
    number = 0
    for _ in range(size):
        number = add(number)
    return number


def plain_bubblewrap(size: int) -> Callable[[], int]:
    root = _unpacked()
    isolation = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
    command = ["bwrap", *isolation, "--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev", "sh", "-c"]

    def add(number: int) -> int:
        return int(subprocess.run([*command, _ADD.format(number)], stdout=subprocess.PIPE, check=True).stdout)

    return lambda: _repeated(add, size)


def plain_docker(size: int) -> Callable[[], int]:
    import docker

    _start_docker()
    client = docker.DockerClient.from_env()

    def add(number: int) -> int:
        command = ["sh", "-c", _ADD.format(number)]
        return int(client.containers.run(IMAGE, command, remove=True, network_mode="none"))

    return lambda: _repeated(add, size)


def plain_r(size: int) -> Callable[[], int]:
    script = f"n <- {size}; {MODEL}; cat(slope)"
    return lambda: int(subprocess.run(["Rscript", "-e", script], stdout=subprocess.PIPE, check=True).stdout)


def _cell(engine: str) -> Callable[[int], int]:
    import flytenb

    cell = flytenb.container("add", "o0=$((a + 1))", lang="sh", image=IMAGE, inputs={"a": int}, outputs={"o0": int})
    options = flytenb.options(engine=engine)
    return lambda number: options.run(cell, a=number).result  # type: ignore[no-any-return]


def flytenb_bubblewrap(size: int) -> Callable[[], int]:
    _unpacked()
    add = _cell("bubblewrap")
    return lambda: _repeated(add, size)


def flytenb_docker(size: int) -> Callable[[], int]:
    _start_docker()
    add = _cell("docker")
    return lambda: _repeated(add, size)


def flytenb_r(size: int) -> Callable[[], Any]:
    import flytenb

    cell = flytenb.container("model", MODEL, lang="r", inputs={"n": int}, outputs={"slope": int})
    options = flytenb.options(engine="host")
    return lambda: options.run(cell, n=size).result
