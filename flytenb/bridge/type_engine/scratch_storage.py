"""A temporary place for the files of conversions."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flytekit.core.context_manager import FlyteContextManager, flyte_context_Var
from flytekit.core.data_persistence import FileAccessProvider


@contextmanager
def scratch_storage() -> Iterator[Path]:
    """Store the files of this thread's conversions in a temporary directory; yield it, and remove it at the end."""
    root = Path(tempfile.mkdtemp(prefix="flytenb-lens-"))
    try:
        with storing_in(root) as stored:
            yield stored
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def storing_in(root: Path) -> Iterator[Path]:
    """Store the files of this thread's conversions below `root`; yield the directory of the stored ones.

    The value of the context variable is a mutable list that threads share, so a new list is set.
    """
    stored = root / "stored"
    stored.mkdir(exist_ok=True)
    context = FlyteContextManager.current_context()
    access = FileAccessProvider(local_sandbox_dir=str(root / "local"), raw_output_prefix=str(stored))
    token = flyte_context_Var.set([context, context.with_file_access(access).build()])
    try:
        yield stored
    finally:
        flyte_context_Var.reset(token)


def bytes_in(folder: Path) -> int:
    """Return the size in bytes of all files below a directory."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
