"""The record of the files that a call of a task reads, made before the call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from flytenb.bridge.execution.files import may_hold_copies, paths_in
from flytenb.reach.file_reads import FileReads

_LONGEST_PATH = 4096


def holding_files(types: Mapping[str, Any]) -> list[str]:
    """Return the inputs that may hold files."""
    return [name for name, declared in types.items() if may_hold_copies(declared)]


def reads_of_call(holding: Iterable[str], inputs: Mapping[str, Any], *, is_asking: bool, is_wide: bool) -> FileReads:
    """Return the record of the files that a call reads, but for those of its inputs.

    Args:
        holding: the inputs that may hold files.
        inputs: the inputs of the call.
        is_asking: whether the code may query files without an audit event, such as the paths among its inputs.
        is_wide: whether threads that run other nodes belong to the call too.
    """
    reads = FileReads((path for name in holding for path in paths_in(inputs.get(name))), is_wide=is_wide)
    for value in inputs.values() if is_asking else ():
        is_path = isinstance(value, str | PurePath)  # a FlyteFile would download
        if is_path and len(os.fspath(value)) < _LONGEST_PATH:
            reads.ask(value)
    return reads
