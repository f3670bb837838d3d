"""What a check is given, and how it says that something is broken."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flytekit.core.type_engine import TypeTransformer

from flytenb.types.round_trip import send


@dataclass(frozen=True)
class Case:
    """What is under test: a type, its transformer, samples, values of other types, and where files go.

    `expected` is what the samples are after one way there and back. A row looks only for what its own circumstances
    change, so that one mistake fails one row.
    """

    type: Any
    transformer: TypeTransformer[Any]
    samples: tuple[Any, ...]
    wrong: tuple[Any, ...]
    stored: Path

    @cached_property
    def expected(self) -> tuple[Any, ...]:
        """Sent once, or the samples themselves where that fails."""
        try:
            return tuple(send(sample, self.type) for sample in self.samples)
        except Exception:
            return self.samples


class BrokenError(Exception):
    """A check that failed: what happened, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
