"""How a run is done, chosen by its user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
