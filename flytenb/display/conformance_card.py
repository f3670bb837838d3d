"""The results of the conformance checks of a type, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flytenb.display.part import Column, Facts, Group, Part, Section, Table
from flytenb.display.rendering import Rendering, render_part
from flytenb.display.type_lens import WHOLE
from flytenb.types.conformance.report import Check, run_checks
from flytenb.wording.quantities import count_text
from flytenb.wording.types import type_text


@dataclass(frozen=True, repr=False)
class Conformance:
    """The results of the conformance checks of a type.

    Attributes:
        type: the text of the type.
        rows: the checks, each with `name`, `ok`, `what` happened and the `fix`.
    """

    type: str
    rows: tuple[Check, ...]

    @classmethod
    def of(cls, python_type: Any, samples: Iterable[Any] = (), wrong: Sequence[Any] | None = None) -> Conformance:
        """Check a type with samples."""
        return cls(type_text(python_type), run_checks(python_type, samples, wrong))

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(row.ok for row in self.rows)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(row for row in self.rows if not row.ok)

    def __repr__(self) -> str:
        return self._shown.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown._repr_mimebundle_()

    @property
    def _shown(self) -> Rendering:
        return render_part(checks_part(self), WHOLE)


def checks_part(result: Conformance) -> Part:
    """Return the results as a table, followed by the details and the fix of each failure."""
    failed = result.failed
    rows = [("✓" if row.ok else "✗", row.name, row.what) for row in result.rows]
    table = Table(("", Column("check"), Column("what happened")), rows)
    verdict = f"{count_text(len(failed), 'check')} of {len(result.rows)} failed" if failed else "every check passed"
    return Section(result.type, (verdict,), Group((table, *map(_failure_part, failed))))


def _failure_part(row: Check) -> Part:
    return Section(f"✗ {row.name}", (), Facts([("what happened", row.what), ("fix", row.fix)]))
