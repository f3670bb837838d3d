"""What keeps an entity from leaving the notebook, or may surprise where it arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        what: the fact, with the name that it is about.
        where: the cell, or the part of the entity.
        way_out: what to do instead.
        severity: `"error"` for what can't be exported or doesn't run on a cluster, else `"warning"`.
    """

    what: str
    where: str
    way_out: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.what} ({self.where}): {self.way_out}" if self.where else f"{self.what}: {self.way_out}"
