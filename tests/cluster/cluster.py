"""The double of a cluster, started and stopped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from flyteidl.core import identifier_pb2 as ids
from flytekit.configuration import Config, PlatformConfig
from flytekit.remote import FlyteRemote

from tests.cluster.admin import AdminService
from tests.cluster.door import Door
from tests.cluster.executions import Executions
from tests.cluster.faults import Faults, Interceptor
from tests.cluster.records import ExecutionRecord, Records
from tests.cluster.refused import Refused
from tests.cluster.registry import Registry
from tests.cluster.services import add_services
from tests.cluster.settings import Settings
from tests.cluster.storage import Storage

_THREADS = 32
"""Requests at the same time."""
_FREE_SERVICES = ("flyteidl.service.AuthMetadataService",)
"""Services that need no token."""


class Cluster:
    """A cluster that answers at an endpoint of this machine.

    Attributes:
        settings: its configuration.
        storage: its bucket.
        records: its executions.
        registry: what was registered.
        faults: what is wrong with it.
        endpoint: its address for gRPC.
    """

    def __init__(self, folder: Path, settings: Settings, port: int = 0) -> None:
        self.settings = settings
        self.storage = Storage(folder)
        self.records = Records()
        self.registry = Registry(settings)
        self.faults = Faults()
        self._executions = Executions(settings, self.storage, self.registry, self.records)
        admin = AdminService(settings, self.registry, self.records, self._executions, self.storage)
        interceptor = Interceptor(self.faults, self._check_token)
        self._threads = ThreadPoolExecutor(_THREADS)
        self._server = grpc.server(self._threads, interceptors=[interceptor])
        add_services(self._server, admin, self.storage, self.records)
        self.endpoint = f"127.0.0.1:{self._server.add_insecure_port(f'127.0.0.1:{port}')}"
        self._executions.environment = self.environment()
        self._server.start()

    def close(self) -> None:
        """Stop everything.

        Raises:
            AssertionError: if an execution ended by a fault of the double.
        """
        self.faults.clear()
        self._executions.close()
        self._server.stop(None).wait()
        self._threads.shutdown()
        self.storage.close()
        assert not self._executions.broken, self._executions.broken

    def expire_tokens(self, *, for_good: bool = False) -> None:
        """Refuse the tokens that were given until now, and also that they are renewed."""
        self.storage.expire(for_good=for_good)

    @contextmanager
    def door(self) -> Iterator[Door]:
        """Open another way to the cluster, whose connections can be cut."""
        door = Door(self.endpoint)
        try:
            yield door
        finally:
            door.close()

    def wait(self, name: str, project: str = "flytesnacks", domain: str = "development") -> ExecutionRecord:
        """Return an execution when it has ended."""
        identifier = ids.WorkflowExecutionIdentifier(project=project, domain=domain, name=name)
        record = self.records.execution(identifier)
        self.records.wait_for(lambda: record.is_done)
        return record

    def environment(self) -> dict[str, str]:
        """Return the variables by which a process finds the cluster."""
        return {"FLYTE_PLATFORM_URL": self.endpoint, "FLYTE_PLATFORM_INSECURE": "true"}

    def config(self) -> Config:
        return Config.for_endpoint(self.endpoint, insecure=True)

    def remote(self, **options: Any) -> FlyteRemote:
        """Return a client that registers modules, not pickles."""
        defaults = {"default_project": "flytesnacks", "default_domain": "development"}
        config = Config(platform=PlatformConfig(endpoint=self.endpoint, insecure=True))
        return FlyteRemote(config, **{**defaults, "interactive_mode_enabled": False, **options})

    def _check_token(self, service: str, context: Any) -> None:
        if not self.settings.needs_token or service in _FREE_SERVICES:
            return
        given = dict(context.invocation_metadata()).get("authorization", "")
        if given.removeprefix("Bearer ") not in self.storage.tokens:
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, "token parse error [JWT_VERIFICATION_FAILED]")


@contextmanager
def start_cluster(folder: Path, settings: Settings | None = None, port: int = 0) -> Iterator[Cluster]:
    """Run a cluster that keeps its data in a folder."""
    cluster = Cluster(folder, settings or Settings(), port)
    try:
        yield cluster
    finally:
        cluster.close()
