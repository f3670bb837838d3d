"""The version of an entity that a cluster got last: its number, its images, and the files of its archive."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from flyteidl.admin.common_pb2 import ObjectGetRequest

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.registration import identifier, list_versions
from flytenb.bridge.cluster.specs import RegisteredVersion
from flytenb.errors import ClusterError

_ARCHIVE = "--additional-distribution"


def latest_version(connection: Connection, kind: str, name: str) -> str | None:
    """Return the version of an entity that was registered last, None without one.

    Raises:
        ClusterError: with the message of the server.
    """
    found = list_versions(connection, kind, name)
    return found[0].id.version if found else None


def read_version(connection: Connection, name: str, version: str, task: str) -> RegisteredVersion:
    """Return a version of an entity, with the image and the archive of a task that is registered with it.

    What this connection has sent isn't asked for.

    Raises:
        ClusterError: in the words of the server, or if the storage of the cluster can't be read from here.
    """
    known = connection.sent.get(name)
    if known is not None and known.version == version:
        return known
    try:
        with connection.asking(f"look up {task!r}"):
            request = ObjectGetRequest(id=identifier(connection, "task", task, version))
            container = connection.raw.get_task(request).closure.compiled_task.template.container
    except ClusterError as error:
        if error.code in ("NOT_FOUND", "INVALID_ARGUMENT"):  # the task is new
            return RegisteredVersion(version, {})
        raise
    arguments = [*container.args]
    files = _read_archive(connection, arguments[arguments.index(_ARCHIVE) + 1]) if _ARCHIVE in arguments else None
    return RegisteredVersion(version, {task: container.image}, files)


def _read_archive(connection: Connection, address: str) -> Mapping[str, bytes]:
    """Download an archive and return its files."""
    with connection.asking("read the archive that was registered last"), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "archive.tar.gz"
        connection.remote.file_access.get_data(address, str(file))
        with tarfile.open(file) as tar:
            members = [(member.name, tar.extractfile(member)) for member in tar if member.isfile()]
            return {name.removeprefix("./"): opened.read() for name, opened in members if opened is not None}
