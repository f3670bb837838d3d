"""Cache for machine code in a private file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import stat
import sys
import tempfile
from pathlib import Path

_DIGEST = 32


class PrivateCache:
    """One file in the user's cache directory, named after the digest of its source.

    Its content is executed. It is therefore read only if the file and its directory belong to this user, no one else
    can write to them, and the content matches the digest at its start; anything else counts as missing. No method
    raises: an unusable cache only costs time.
    """

    def __init__(self, name: str, source: bytes, version: str) -> None:
        key = hashlib.sha256(source)
        key.update("\0".join((version, platform.machine(), sys.platform)).encode())
        self.path = cache_directory() / f"{name}-{key.hexdigest()[:32]}.bin"

    def read(self) -> bytes | None:
        """Return the content, or None."""
        try:
            if not (_is_private(self.path.parent) and _is_private(self.path)):
                return None
            data = self.path.read_bytes()
        except OSError:
            return None
        digest, content = data[:_DIGEST], data[_DIGEST:]
        return content if hashlib.sha256(content).digest() == digest else None

    def write(self, content: bytes) -> None:
        """Write the content atomically; concurrent writers are safe."""
        directory = self.path.parent
        with contextlib.suppress(OSError):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_private(directory):
                return
            handle, name = tempfile.mkstemp(dir=directory)  # created with mode 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + content)
                Path(name).replace(self.path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise


def cache_directory() -> Path:
    """Return the cache directory: `$FLYTENB_CACHE`, else `flytenb/render` in the platform's cache directory."""
    if own := os.environ.get("FLYTENB_CACHE"):
        return Path(own)
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "flytenb" / "render"


def _is_private(path: Path) -> bool:
    """Whether this is a regular file or directory of this user that no one else can modify."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows: in the user's own profile
        return True
    return found.st_uid == os.getuid() and not found.st_mode & 0o077
