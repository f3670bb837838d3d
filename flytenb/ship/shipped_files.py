"""The files of a shipment: the exported module and the user's own modules that it imports, as an archive."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from flytenb.errors import ExportError
from flytenb.reach.name_lookup import find_spec, is_installed_spec
from flytenb.ship.exported_module import Export
from flytenb.ship.module_files import files_below


class ShippedFiles:
    """Files by their path in the archive. Equal files give equal archives.

    Args:
        contents: the bytes of each file.
    """

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = MappingProxyType(dict(sorted(contents.items())))

    @classmethod
    def of(cls, module: Export, name: str) -> ShippedFiles:
        """Collect an exported module as `name.py`, and the user's own modules at any depth of its imports.

        Raises:
            ExportError: for a name that isn't a module's, or that a package or module has.
        """
        _require_free(name, module.modules)
        contents = dict(files_below(module.modules))
        contents[f"{name}.py"] = module.text.encode()
        return cls(contents)

    @property
    def digest(self) -> str:
        """A hash of the names and contents."""
        digest = hashlib.sha256()
        for path, data in self.contents.items():
            digest.update(f"{path}\0{len(data)}\0".encode() + data)
        return digest.hexdigest()

    def pack(self, archive: Path) -> Path:
        """Write the files as an archive, as pods unpack it, and return its path."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for path, data in self.contents.items():
                member = tarfile.TarInfo(path)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        archive.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
        return archive


def _require_free(name: str, own: tuple[str, ...]) -> None:
    """Check the name of a module.

    Raises:
        ExportError: if a pod would import something else by it.
    """
    if not name.isidentifier():
        raise ExportError(f"expected the name of a module, got {name!r}", hint='such as module="pipeline"')
    spec = None if name in own else find_spec(name)
    is_taken = name in own or name in sys.stdlib_module_names or (spec is not None and is_installed_spec(spec))
    if is_taken:
        raise ExportError(f"the module can't be called {name!r}: another one has that name", hint='module="…"')
