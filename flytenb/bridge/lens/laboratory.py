"""A place where values can be turned into literals and back without leaving anything behind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flytekit.core.context_manager import FlyteContextManager, flyte_context_Var
from flytekit.core.data_persistence import FileAccessProvider


@contextmanager
def laboratory() -> Iterator[Path]:
    """Give this thread a flytekit context that stores files in a directory of its own; yield that, remove it after.

    The context variable holds one mutable list, so this thread gets a fresh one: nobody else's is touched.
    """
    root = Path(tempfile.mkdtemp(prefix="flytenb-lens-"))
    stored = root / "stored"
    stored.mkdir()
    context = FlyteContextManager.current_context()
    access = FileAccessProvider(local_sandbox_dir=str(root / "local"), raw_output_prefix=str(stored))
    token = flyte_context_Var.set([context, context.with_file_access(access).build()])
    try:
        yield stored
    finally:
        flyte_context_Var.reset(token)
        shutil.rmtree(root, ignore_errors=True)


def bytes_in(folder: Path) -> int:
    """Return how many bytes the files in a directory have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
