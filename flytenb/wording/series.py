"""Many names in few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flytenb.wording.quantities import more_text

_FEWEST = 4
"""Fewest names that are told as a series, and fewest parts of which only the first ones are told."""


def names_text(names: Iterable[str]) -> str:
    """Return names as text: numbered ones without a gap as `load_1…27`, of many others the first two."""
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
