"""Input of a digest: pieces, each after its length, and the content of files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


def add_piece(digest: Any, data: bytes | memoryview) -> None:
    """Add a piece preceded by its length, so that two sequences of pieces are never the same bytes."""
    view = memoryview(data).cast("B")
    digest.update(len(view).to_bytes(8, "little"))
    digest.update(view)


def add_files(digest: Any, path: Path) -> None:
    """Add the content of a file or directory, with the names in it."""
    if path.is_dir():
        names = sorted(path.iterdir())
        add_piece(digest, b"directory %d" % len(names))
        for inner in names:
            add_piece(digest, inner.name.encode("utf-8", "surrogateescape"))
            add_files(digest, inner)
        return
    add_piece(digest, b"file")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            add_piece(digest, chunk)
    add_piece(digest, b"")


def digest_of_file(path: Path) -> bytes:
    """Return the digest of a file's content."""
    digest = hashlib.blake2b(digest_size=16)
    add_files(digest, path)
    return digest.digest()


def local_path(uri: str | None) -> Path | None:
    """Return the existing local path of a URI; None for a remote or missing one."""
    if not uri or ("://" in uri and not uri.startswith("file://")):
        return None
    path = Path(uri.removeprefix("file://"))
    return path if path.exists() else None
