"""The user's own files in the outputs of a node, as in `FlyteFile(path, remote_path=False)`: they may change later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flytenb.bridge.execution.files import may_hold_copies
from flytenb.cache.stamps import local_paths
from flytenb.reach.read_results import FileRead, reads_of

if TYPE_CHECKING:
    from flytenb.bridge.context import Workspace
    from flytenb.bridge.crossing import CrossingValue
    from flytenb.runner.record import Record


def note_files(record: Record, workspace: Workspace) -> None:
    """Note what the user's own files in the outputs of a node hold, None if that can't be read.

    Those of a re-used node were noted when it ran.
    """
    if record.origin is not None:
        return
    values = [v for v in record.outputs.values() if v is not None and v.method == "literal"]
    holding = [value for value in values if may_hold_copies(value.python_type)]
    if holding:
        try:
            record.files = tuple(dict.fromkeys(_reads(holding, workspace)))
        except Exception:  # of a directory that can't be read
            record.files = None


def _reads(values: Iterable[CrossingValue], workspace: Workspace) -> Iterable[FileRead]:
    for value in values:
        for path in local_paths(value.literal(), in_fields=True):
            if not workspace.has_made(path):
                yield from reads_of(path)


def changed_file(record: Record) -> str:
    """Return which file in the outputs of a node has changed since its end, as the end of a sentence; else `""`."""
    if record.files is None:
        return "what the files in its outputs held isn't known"
    found = next((read.name for read in record.files if not read.is_current()), None)
    return "" if found is None else f"file {found!r} in its outputs has changed"
