"""What a list shows of a kept run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeptHead:
    """What a list shows of a kept run.

    Attributes:
        id: its id.
        name: the name of its entity.
        entity: the full name of its entity.
        phase: its phase.
        started: the time of its start.
        ended: the time of its end.
        why: its error, `""` if it hasn't failed.
    """

    id: str
    name: str
    entity: str
    phase: str
    started: float | None
    ended: float | None
    why: str

    @property
    def duration(self) -> float | None:
        """Seconds from the start to the end."""
        return None if self.started is None or self.ended is None else self.ended - self.started
