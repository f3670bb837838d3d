"""Images that the engine doesn't have: pulled from a registry, which is a server of the test's own."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import docker
import pytest

from flytenb.engines import ContainerJob, Exit
from flytenb.engines.docker_engine import DockerEngine
from flytenb.errors import ContainerError
from tests.engine import docker_engine, packed_busybox

pytestmark = [pytest.mark.docker, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


class Stop(BaseException):
    """Raised by a check, as a request to stop."""


class Registry:
    """A registry with one image, whose layer it can hold back.

    Attributes:
        requests: how often each path was asked for.
        asked: set when the layer is asked for.
        may_answer: the layer is held back until this is set.
        address: its host and port.
    """

    address = ""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()
        layer = packed_busybox()
        self.layer = gzip.compress(layer, 1)
        self.config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Env": ["PATH=/bin"]},
                "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
            }
        ).encode()
        kind = "application/vnd.docker"
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{kind}.distribution.manifest.v2+json",
                "config": described(self.config, f"{kind}.container.image.v1+json"),
                "layers": [described(self.layer, f"{kind}.image.rootfs.diff.tar.gzip")],
            }
        ).encode()

    def answer(self, path: str) -> tuple[bytes, str] | None:
        self.requests[path] += 1
        if path == "/v2/":
            return b"{}", "application/json"
        if path.endswith(digest_of(self.layer)):
            self.asked.set()
            self.may_answer.wait()
            return self.layer, "application/octet-stream"
        if path.endswith(digest_of(self.config)):
            return self.config, "application/octet-stream"
        if path.endswith((f"/manifests/{TAG}", digest_of(self.manifest))):
            return self.manifest, json.loads(self.manifest)["mediaType"]
        return None


TAG = "1"
UNKNOWN = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def described(data: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "size": len(data), "digest": digest_of(data)}


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with docker_engine() as address:
        yield address


@pytest.fixture(autouse=True)
def on_that_engine(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine)


@pytest.fixture
def registry() -> Iterator[Registry]:
    made = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = made.answer(self.path)
            self.send_response(200 if found else 404)
            data, kind = found or (UNKNOWN, "application/json")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Docker-Content-Digest", digest_of(data))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    made.may_answer.set()
    server.shutdown()
    thread.join()
    server.server_close()


def job_of(registry: Registry, name: str = "tool") -> ContainerJob:
    return ContainerJob("boxed", f"{registry.address}/{name}:{TAG}", ("sh", "-c", "echo hi"))


def test_an_image_is_pulled_once_for_all_jobs_that_need_it(registry: Registry) -> None:
    used, job = DockerEngine(), job_of(registry)

    def run(number: int) -> Exit:
        assert used.why_not(job, lambda: None) == ""
        return used.run(job, lambda text: None, lambda: None)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(8))) == [Exit(0)] * 8
    assert registry.requests[f"/v2/tool/manifests/{TAG}"] == 1
    assert used.digest(job) == digest_of(registry.config)


def test_a_job_that_waits_for_an_image_can_be_stopped(registry: Registry, engine: str) -> None:
    client = docker.DockerClient(base_url=engine)  # layers that are there aren't pulled again
    client.images.prune(filters={"dangling": False})
    client.close()
    registry.may_answer.clear()

    def check() -> None:
        if registry.asked.is_set():
            raise Stop

    with pytest.raises(Stop):
        DockerEngine().run(job_of(registry, "other"), lambda text: None, check)


def test_an_image_that_the_registry_doesn_t_have_is_named(registry: Registry) -> None:
    missing = ContainerJob("boxed", f"{registry.address}/tool:none", ("true",))
    assert "unknown" in DockerEngine().why_not(missing, lambda: None)
    with pytest.raises(ContainerError, match="tool:none"):
        DockerEngine().run(missing, lambda text: None, lambda: None)
