"""A file of machine code that survives the process: only ours, only whole, or not there at all."""

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
    """One entry in the user's cache directory, named by what it was made from.

    What is in it will be executed, so it is believed only if the file and its directory belong to this user, nobody
    else may write to them, and the content has the digest at its head. Anything else counts as not there. Nothing it
    does raises: a cache that can't be used only costs time.
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
        """Keep the content, all of it or nothing, also if others write at the same time."""
        directory = self.path.parent
        with contextlib.suppress(OSError):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_private(directory):
                return
            handle, name = tempfile.mkstemp(dir=directory)  # made with mode 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + content)
                Path(name).replace(self.path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise


def cache_directory() -> Path:
    """Return the directory for what can be made again: `$FLYTENB_CACHE`, else `flytenb` in the system's own place."""
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
    """Whether it is a real file or directory of this user that nobody else can change."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows: the user's own profile
        return True
    return found.st_uid == os.getuid() and not found.st_mode & 0o077
