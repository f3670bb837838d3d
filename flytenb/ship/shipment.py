"""What is sent to register an entity on a cluster: its module, the specs of its entities, a version."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flytenb.bridge.cluster import registration
from flytenb.bridge.cluster.connection import Connection
from flytenb.bridge.cluster.known_specs import SpecSource
from flytenb.bridge.cluster.module_specs import make_specs
from flytenb.bridge.cluster.registered_version import latest_version
from flytenb.bridge.cluster.specs import EntitySpec, RegisteredVersion, SpecRequest
from flytenb.bridge.installation import flytekit_version
from flytenb.display.limits import UNCUT
from flytenb.display.part import Facts, Group, Note, Section, Text
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.reach.syntax_trees import compilable_tree
from flytenb.ship.exported_module import Export
from flytenb.ship.shipment_changes import find_changes, images_of
from flytenb.ship.shipped_files import ShippedFiles
from flytenb.wording.kinds import constant_text
from flytenb.wording.quantities import bytes_text, count_text

_UPLOADED = "<address of the uploaded archive>"


@dataclass(frozen=True, repr=False)
class Shipment(Displayed):
    """An entity as it is registered on a cluster. Created by `flytenb.register`.

    Attributes:
        name: the name of the entity on the cluster.
        kind: `task`, `workflow` or `launch_plan`.
        project: the project.
        domain: the domain.
        version: the hash of the content; equal content has the same version everywhere.
        files: the files of the archive, with their content.
        specs: what is registered, each entity after those that it needs; empty if the cluster has this version.
        is_registered: whether the cluster has this version.
        changes: what differs from the version that was registered last.
    """

    name: str
    kind: str
    project: str
    domain: str
    version: str
    files: Mapping[str, bytes]
    specs: tuple[EntitySpec, ...] = ()
    is_registered: bool = False
    changes: tuple[str, ...] = ()
    _shipped: ShippedFiles | None = field(default=None, compare=False)
    _request: SpecRequest | None = field(default=None, compare=False)

    @classmethod
    def of(cls, connection: Connection, entity: Any, module: Export, name: str = "", image: str = "") -> Shipment:
        """Pack an exported entity.

        Args:
            connection: the cluster.
            entity: the entity in the kernel.
            module: the exported module.
            name: the name of the module, `""` for that of the entity's variable.
            image: the image of tasks that name none.

        Raises:
            ExportError: for a name that a module can't have.
        """
        [variable] = module.names
        name = name or variable
        files = ShippedFiles.of(module, name)
        settings = f"{files.digest} {flytekit_version()} {image} {connection.image_settings}"
        request = SpecRequest(
            module=name,
            name=variable,
            project=connection.project,
            domain=connection.domain,
            version=hashlib.sha256(settings.encode()).hexdigest()[:20],
            archive=_UPLOADED,
            image=image,
            config_file=connection.config_file,
            builds_images=False,
        )
        return cls(
            registration.name_on_cluster(entity, name),
            registration.registered_kind(entity),
            request.project,
            request.domain,
            request.version,
            files.contents,
            _shipped=files,
            _request=request,
        )

    def rehearse(self, connection: Connection) -> Shipment:
        """Make the specs and compare them with what is registered, without sending anything.

        Raises:
            RegistrationError: if the module can't be imported, or a pod couldn't import a task or read a constant.
        """
        made = self._with_specs(_UPLOADED, builds_images=False)
        return made._with_changes(connection, lambda: latest_version(connection, made.kind, made.name))

    def register(self, connection: Connection) -> Shipment:
        """Register the entity, unless the cluster has this version.

        Raises:
            RegistrationError: if the module can't be imported, or a pod couldn't import a task or read a constant.
            ClusterError: with the message of the server.
        """
        last = "launch_plan" if self.kind == "workflow" else self.kind  # what is sent last
        if registration.is_registered(connection, last, self.name, self.version):
            return replace(self, is_registered=True)
        assert self._shipped is not None
        with registration.request_threads() as threads:
            latest = threads.submit(latest_version, connection, self.kind, self.name)
            with tempfile.TemporaryDirectory(prefix="flytenb-ship-") as folder:
                archive = self._shipped.pack(Path(folder) / f"fast{self._shipped.digest[:32]}.tar.gz")
                address = registration.upload(connection, archive)
            made = self._with_specs(address, builds_images=True)
            if made.name != self.name:
                latest = threads.submit(latest_version, connection, made.kind, made.name)
            latest.exception()  # waits: what is sent from here on is the latest version
            made = registration.send(
                connection, made.specs, made.version, threads, lambda: made._with_changes(connection, latest.result)
            )
        connection.sent[made.name] = RegisteredVersion(made.version, images_of(made.specs), made.files)
        return replace(made, is_registered=True)

    def _with_specs(self, archive: str, *, builds_images: bool) -> Shipment:
        assert self._request is not None
        request = replace(self._request, archive=archive, builds_images=builds_images)
        specs = make_specs(self.files, request, SpecSource.of(self.files, request, compilable_tree))
        registration.require_modules(specs)
        registration.require_readable(specs)
        name = next((spec.name for spec in reversed(specs) if spec.kind == self.kind), self.name)
        return replace(self, name=name, specs=specs)

    def _with_changes(self, connection: Connection, latest: Callable[[], str | None]) -> Shipment:
        return replace(self, changes=find_changes(connection, self.name, latest, self.specs, self.files))

    @property
    def _shown(self) -> Rendering:
        state = "registered" if self.is_registered else "not sent"
        place = f"{self.project}/{self.domain}"
        facts = [("version", self.version), ("project and domain", place)]
        facts += [(path, bytes_text(len(data))) for path, data in self.files.items()]
        parts: list[Any] = [Facts(facts)]
        if self.is_registered and not self.specs:
            parts.append(Note("the cluster has this version: nothing was sent"))
        parts += map(Note, self.changes)
        parts += [
            Section(spec.name, (constant_text(spec.kind),), Text(registration.spec_text(spec), "code"), is_folded=True)
            for spec in self.specs
        ]
        parts += [
            Section(path, (bytes_text(len(data)),), Text(data.decode(errors="replace"), "code"), is_folded=True)
            for path, data in self.files.items()
            if path.endswith(".py") and not self.is_registered
        ]
        count = count_text(len(self.specs), "entity", "entities") if self.specs else ""
        return render_part(Section(self.name, (constant_text(self.kind), state, count), Group(tuple(parts))), UNCUT)
