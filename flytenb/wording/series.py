"""Many names in few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flytenb.wording.quantities import more_text

_FEWEST = 4
"""Fewest names that are written as a series. From as many parts on, only the first two are written."""


def names_text(names: Iterable[str]) -> str:
    """Return names as text: consecutive numbers as `load_1…27`, and of many parts only the first two."""
    distinct = list(dict.fromkeys(names))
    alike: dict[str, list[str]] = {}
    for name in distinct:
        alike.setdefault(name.rstrip("0123456789"), []).append(name)
    parts: list[tuple[str, int]] = []
    for stem, found in alike.items():
        if _is_series(stem, found):
            parts.append((f"{found[0]}…{found[-1].removeprefix(stem)}", len(found)))
        else:
            parts += [(name, 1) for name in found]
    shown = parts[:2] if len(parts) >= _FEWEST else parts
    left = len(distinct) - sum(number for _, number in shown)
    return ", ".join(text for text, _ in shown) + (f" and {more_text(left)}" if left else "")


def _is_series(stem: str, names: Sequence[str]) -> bool:
    """Whether names are a stem and numbers without a gap."""
    first = names[0].removeprefix(stem)
    if len(names) < _FEWEST or not first:
        return False
    return list(names) == [f"{stem}{number}" for number in range(int(first), int(first) + len(names))]
