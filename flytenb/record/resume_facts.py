"""What a later run compares with a kept one, as plain data: the code of each node, its settings, the files it read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from flytenb.bridge.installation import flytekit_version
from flytenb.cache.task_cache import FORMAT
from flytenb.reach.read_results import FileRead
from flytenb.runner.output_files import changed_file
from flytenb.runner.record import CodeState, ComparedFacts, Record, ReusedFrom

MADE_BY = f"{FORMAT}, flytekit {flytekit_version()}, Python {sys.version}"
"""What digests depend on; those of another version aren't compared."""


def describe(record: Record) -> dict[str, Any]:
    """Describe a node. Its values must have been written before: what its files hold is compared afterwards."""
    origin = None if record.origin is None else [*record.origin]
    found: dict[str, Any] = {"origin": origin, "rerun": record.rerun}
    if record.code is not None and record.facts is not None:
        files = None if changed_file(record) else _plain(record.files)
        code = [record.code.digest, record.code.unread]
        found |= {"facts": [*record.facts], "code": code, "reads": _plain(record.reads), "sent": record.sent}
        found["files"] = files
    return found


def restore(record: Record, kept: Mapping[str, Any]) -> ComparedFacts | None:
    """Give a node what was described of it; return its settings, None if they aren't known."""
    if kept.get("origin") is not None:
        record.origin = ReusedFrom(*kept["origin"])
    record.rerun = kept.get("rerun", "")
    if "facts" not in kept:
        return None
    record.code = CodeState(*kept["code"])
    reads = kept["reads"]
    record.reads = reads if isinstance(reads, str) else _reads(reads)
    record.sent, record.files = kept["sent"], _reads(kept["files"])
    return ComparedFacts(*kept["facts"])


def _plain(reads: tuple[FileRead, ...] | str | None) -> Any:
    return [[*read] for read in reads] if isinstance(reads, tuple) else reads


def _reads(kept: Any) -> tuple[FileRead, ...] | None:
    return None if kept is None else tuple(FileRead(*read) for read in kept)


def has_same_files(run: Record) -> bool:
    """Return whether the files of a run's inputs are what they were at its start; asked after they were copied."""
    return isinstance(run.reads, tuple) and all(read.is_current() for read in run.reads)
