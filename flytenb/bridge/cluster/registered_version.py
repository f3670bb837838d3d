"""The version of an entity that a cluster got last: its number, its image, and the files of its archive."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flyteidl.admin.common_pb2 import NamedEntityIdentifier as EntityName
from flyteidl.admin.common_pb2 import ObjectGetRequest, ResourceListRequest, Sort

from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.registration import identifier
from flytenb.errors import ClusterError

_LISTS = {
    "task": ("list_tasks_paginated", "tasks"),
    "workflow": ("list_workflows_paginated", "workflows"),
    "launch_plan": ("list_launch_plans_paginated", "launch_plans"),
}
_ARCHIVE = "--additional-distribution"


@dataclass(frozen=True)
class RegisteredVersion:
    """A version.

    Attributes:
        version: its name.
        image: the image of one of its tasks, `""` if it isn't known.
        archive: the address of its archive, `""` if it isn't known.
    """

    version: str
    image: str = ""
    archive: str = ""


def latest_version(connection: Connection, kind: str, name: str) -> str | None:
    """Return the version of an entity that was registered last, None without one.

    Raises:
        ClusterError: with the message of the server.
    """
    call, field = _LISTS[kind]
    request = ResourceListRequest(
        id=EntityName(project=connection.project, domain=connection.domain, name=name),
        limit=1,
        sort_by=Sort(key="created_at", direction=Sort.DESCENDING),
    )
    with connection.asking(f"look up {name!r}"):
        found = getattr(getattr(connection.raw, call)(request), field)
    return found[0].id.version if found else None


def read_version(connection: Connection, version: str, task: str) -> RegisteredVersion:
    """Return a version with the image and the archive of a task that is registered with it; `""` without one.

    Raises:
        ClusterError: in the words of the server.
    """
    try:
        with connection.asking(f"look up {task!r}"):
            request = ObjectGetRequest(id=identifier(connection, "task", task, version))
            container = connection.raw.get_task(request).closure.compiled_task.template.container
    except ClusterError as error:
        if error.code in ("NOT_FOUND", "INVALID_ARGUMENT"):  # the task is new
            return RegisteredVersion(version)
        raise
    arguments = [*container.args]
    archive = arguments[arguments.index(_ARCHIVE) + 1] if _ARCHIVE in arguments else ""
    return RegisteredVersion(version, container.image, archive)


def read_archive(connection: Connection, address: str) -> Mapping[str, bytes]:
    """Download an archive and return its files.

    Raises:
        ClusterError: if the storage of the cluster can't be read from here.
    """
    with connection.asking("read the archive that was registered last"), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "archive.tar.gz"
        connection.remote.file_access.get_data(address, str(file))
        with tarfile.open(file) as tar:
            members = [(member.name, tar.extractfile(member)) for member in tar if member.isfile()]
            return {name.removeprefix("./"): opened.read() for name, opened in members if opened is not None}
