"""Jobs in containers of a Docker engine, or of another one with its API, as Podman's.

Files are copied into the container before it starts and out of it after its end. Mounts would need an engine that sees
the same paths, and would leave files here that belong to the container's user.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flytenb.engines import owner
from flytenb.engines.container_archive import packed, unpack_into
from flytenb.engines.engine import ContainerJob, Exit
from flytenb.engines.image_name import full_name
from flytenb.engines.job_output import JobOutput
from flytenb.errors import ContainerError, say
from flytenb.locks import new_lock

_SOCKET = "/var/run/docker.sock"
_LOOK_EVERY = 0.05
_PIECE = 1 << 16
_HEADER = 8
"""Bytes before each piece of an attached container's output: the stream, and the size of the piece."""
_PATIENCE = 60
"""Seconds for an answer of the engine."""
_LONGEST_SILENCE = 600
"""Seconds without progress of a pull."""


class DockerEngine:
    """Runs commands in containers; DOCKER_HOST names the engine, else the usual sockets are tried."""

    name = "docker"

    def __init__(self) -> None:
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        self._lock = new_lock()
        self._pulls: dict[tuple[str, str], _Pull] = {}
        self._cleaned: set[str] = set()
        self._lost: set[str] = set()

    def answers(self) -> bool:
        """Tell whether there is an engine."""
        try:
            with _client() as client:
                return bool(client.ping())
        except Exception:
            return False

    def images(self) -> list[str]:
        """Return the names of its images; empty if it doesn't answer within a second."""
        try:
            with _client(1) as client:
                return sorted({tag for image in client.api.images() for tag in image.get("RepoTags") or ()})
        except Exception:
            return []

    def has_image(self, image: str) -> bool:
        """Tell whether it has an image; false if it doesn't answer."""
        try:
            with _client() as client:
                return _has_image(client, image)
        except Exception:
            return False

    def why_not(self, job: ContainerJob, check: Callable[[], None]) -> str:
        try:
            with _client() as client:
                self._remove_leftovers(client)
                self._pull(client, job.image, check)
        except Exception as e:
            return message_of_engine(e)
        return ""

    def digest(self, job: ContainerJob) -> str:
        try:
            with _client() as client:
                return str(client.images.get(job.image).id)
        except Exception as e:
            raise ContainerError(
                f"image {job.image!r} of container task {job.name!r} can't be read: {message_of_engine(e)}"
            ) from e

    def run(self, job: ContainerJob, log: Callable[[str], None], check: Callable[[], None]) -> Exit:
        with _explained(job), _client() as client:
            self._remove_leftovers(client)
            self._pull(client, job.image, check)
            container = client.containers.create(**_arguments(job))
            try:
                with packed(job.mounts) as archive:
                    container.put_archive("/", archive)
                output = JobOutput(log)
                try:
                    _follow(container, output, check)
                finally:
                    output.close()
                state = _state_at_end(container, check)
                for mount in job.mounts:
                    if mount.is_writable:
                        pieces, _ = container.get_archive(mount.target)
                        unpack_into(mount.source, pieces, check)
            finally:
                self._remove(container)
        status = int(state["ExitCode"])
        return Exit(status, "out of memory" if status and state.get("OOMKilled") else "")

    def _pull(self, client: Any, image: str, check: Callable[[], None]) -> None:
        """Pull an image that isn't there, once for all jobs that need it at the same time."""
        if _has_image(client, image):
            return
        key = client.api.base_url, full_name(image)
        with self._lock:
            pull = self._pulls.get(key)
            if pull is None:
                if _has_image(client, image):  # it was pulled in the meantime
                    return
                pull = self._pulls[key] = _Pull(full_name(image))
                pull.start()
        while pull.is_alive():
            check()
            pull.join(_LOOK_EVERY)
        with self._lock:
            self._pulls.pop(key, None)
        if pull.error:
            raise ContainerError(pull.error)

    def _remove_leftovers(self, client: Any) -> None:
        """Remove the containers of processes that were killed, and those that the engine couldn't remove before."""
        with self._lock:
            lost, self._lost = self._lost, set()
            is_clean = client.api.base_url in self._cleaned
            self._cleaned.add(client.api.base_url)
        found = [] if is_clean else client.api.containers(all=True, filters={"label": owner.PROCESS_LABEL})
        for container in lost | {each["Id"] for each in found if owner.is_left_over(each["Labels"])}:
            with contextlib.suppress(Exception):
                client.api.remove_container(container, force=True, v=True)

    def _remove(self, container: Any) -> None:
        import docker.errors

        try:
            container.remove(force=True, v=True)
        except docker.errors.NotFound:
            pass
        except Exception:  # the engine is gone; it may come back
            with self._lock:
                self._lost.add(container.id)


class _Pull(threading.Thread):
    """A pull of an image. It has a thread of its own, which no job that is stopped has to wait for.

    Attributes:
        error: why it failed.
    """

    def __init__(self, image: str) -> None:
        super().__init__(name=f"pull {image}", daemon=True)
        self._image = image
        self.error = ""

    def run(self) -> None:
        name, _, tag = self._image.rpartition("@" if "@" in self._image else ":")
        try:
            with _client(_LONGEST_SILENCE) as client:
                for progress in client.api.pull(name, tag=tag, stream=True, decode=True):
                    self.error = str(progress.get("error", self.error))
        except Exception as e:
            self.error = message_of_engine(e)


def _has_image(client: Any, image: str) -> bool:
    import docker.errors

    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        return False
    return True


def message_of_engine(error: Exception) -> str:
    """Return an error of the engine without the parts that name its client's classes."""
    return str(
        getattr(error, "explanation", None) or (error.message if isinstance(error, ContainerError) else say(error))
    )


@contextmanager
def _client(patience: float = _PATIENCE) -> Iterator[Any]:
    import docker

    asked = os.environ.get("DOCKER_HOST")
    found = {} if asked else _usual_socket()
    try:
        client = docker.DockerClient(**found, timeout=patience) if found else docker.from_env(timeout=patience)
    except docker.errors.DockerException as e:
        if not isinstance(e.__cause__, OSError):
            raise
        address = asked or found.get("base_url", f"unix://{_SOCKET}")
        why = ": permission denied" if "PermissionError" in str(e) else ""
        raise ContainerError(f"no Docker engine answers at {address}{why}") from e
    try:
        yield client
    finally:
        client.close()


def _usual_socket() -> dict[str, str]:
    """Return the address of a socket that Docker or Podman makes for one user, if there is none for all."""
    if Path(_SOCKET).exists():
        return {}
    own = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    usual = (own / "docker.sock", Path.home() / ".docker/run/docker.sock", own / "podman/podman.sock")
    return next(({"base_url": f"unix://{path}"} for path in usual if path.exists()), {})


@contextmanager
def _explained(job: ContainerJob) -> Iterator[None]:
    """Convert an error of the engine to a ContainerError."""
    import docker.errors

    try:
        yield
    except (docker.errors.DockerException, OSError, ContainerError) as e:
        raise ContainerError(
            f"container task {job.name!r} can't run image {job.image!r}: {message_of_engine(e)}",
            hint="check the engine (DOCKER_HOST), the name of the image, and whether the image has the command",
        ) from e


def _arguments(job: ContainerJob) -> dict[str, Any]:
    limits = job.limits
    given: dict[str, Any] = {
        "image": job.image,
        "entrypoint": list(job.command) or None,
        "command": list(job.arguments) or None,
        "environment": dict(job.environment),
        "labels": owner.labels(),
        "log_config": {"Type": "none"},
    }
    if job.directory:
        given["working_dir"] = job.directory
    if limits.memory:
        given |= {"mem_limit": limits.memory, "memswap_limit": limits.memory}
    if limits.cpus:
        given["nano_cpus"] = int(limits.cpus * 1e9)
    if limits.processes:
        given["pids_limit"] = limits.processes
    if not job.has_network:
        given["network_mode"] = "none"
    return given


def _follow(container: Any, output: JobOutput, check: Callable[[], None]) -> None:
    """Start the container and pass on its output until its end."""
    from docker.utils.socket import read

    check()
    attached = container.attach_socket(params={"stdout": 1, "stderr": 1, "stream": 1})
    try:
        container.start()
        waiting = b""
        with selectors.DefaultSelector() as selector:
            selector.register(attached, selectors.EVENT_READ)
            while True:
                check()
                if selector.select(_LOOK_EVERY):
                    data = read(attached, _PIECE)
                    if data == b"":
                        return
                    waiting = _write_pieces(waiting + (data or b""), output)
    finally:
        with contextlib.suppress(Exception):
            attached.close()


def _write_pieces(data: bytes, output: JobOutput) -> bytes:
    """Write the complete pieces of an attached container's output; return what is left."""
    start = 0
    while len(data) - start >= _HEADER:
        size = int.from_bytes(data[start + 4 : start + _HEADER], "big")
        end = start + _HEADER + size
        if end > len(data):
            break
        output.write(data[start + _HEADER : end])
        start = end
    return data[start:]


def _state_at_end(container: Any, check: Callable[[], None]) -> dict[str, Any]:
    """Wait for the end of a container whose output has ended."""
    while True:
        container.reload()
        state: dict[str, Any] = container.attrs["State"]
        if state["Status"] in ("exited", "dead", "stopped"):
            return state
        check()
        threading.Event().wait(_LOOK_EVERY / 5)
