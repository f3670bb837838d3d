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
    """Give this thread a directory for all that is stored meanwhile; yield that, remove it after."""
    root = Path(tempfile.mkdtemp(prefix="flytenb-lens-"))
    try:
        with storing_in(root) as stored:
            yield stored
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def storing_in(root: Path) -> Iterator[Path]:
    """Give this thread a flytekit context that stores files below `root`; yield where it does.

    The context variable holds one mutable list, so this thread gets a fresh one: nobody else's is touched.
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
    """Return how many bytes the files in a directory have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
