"""How a run is done, chosen by its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flytenb.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """How a run is done; none of it changes what comes out.

    Attributes:
        workers: how many nodes run at once.
        strict: whether every value crosses as a literal.
        cache: whether tasks that ask for it are answered from the cache: True, False, or "overwrite".
        processes: whether plain Python tasks run in processes of their own.
        stand_ins: what answers for a reference entity, by its name: a function or an entity.
        answers: what gates are answered with, by path or name: True, False or a value.
    """

    workers: int = 16
    strict: bool = False
    cache: bool | str = True
    processes: bool = False
    stand_ins: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no run could be done with.

        Raises:
            UsageError: for no workers, or a cache that is neither on nor off nor to be filled anew.
        """
        if type(self.workers) is not int or self.workers < 1:
            raise UsageError(f"workers={self.workers!r} is no number of nodes at once", hint="1 or more, 16 by default")
        if self.cache not in (True, False, "overwrite"):
            raise UsageError(f"cache={self.cache!r} is no way to use the cache", hint="True, False or 'overwrite'")
