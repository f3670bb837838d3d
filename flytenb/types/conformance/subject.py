"""The subject of a type's checks, and the errors of checks that fail or can't be done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytenb.bridge.type_engine import TypeTransformer
from flytenb.locks import cached_property
from flytenb.types.round_trip import send


@dataclass(frozen=True)
class Subject:
    """A type under test, its transformer, samples, values of other types, and the directory of stored files."""

    type: Any
    transformer: TypeTransformer[Any]
    samples: tuple[Any, ...]
    wrong: tuple[Any, ...]
    stored: Path

    @cached_property
    def expected(self) -> tuple[Any, ...]:
        """The samples after one round trip, or the samples themselves if that fails.

        Checks compare with these, so that one fault fails one check.
        """
        try:
            return tuple(send(sample, self.type) for sample in self.samples)
        except Exception:
            return self.samples


class BrokenError(Exception):
    """A failed check: what happened, and the fix."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


class NotCheckedError(Exception):
    """A check that can't be done, with the reason."""
