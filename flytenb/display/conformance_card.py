"""The results of the conformance checks of a type, task plugin or connector, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.entities.interface import short_name
from flytenb.display.part import Column, Facts, Group, Part, Section, Table
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.display.type_lens import WHOLE
from flytenb.types.conformance.report import Check, run_checks, run_connector_checks, run_plugin_checks
from flytenb.types.conformance.time_limit import PATIENCE
from flytenb.wording.quantities import count_text
from flytenb.wording.text import class_name
from flytenb.wording.types import type_text


@dataclass(frozen=True, repr=False)
class Conformance(Displayed):
    """The results of the conformance checks of a type, a task plugin or a connector.

    Attributes:
        type: the text of the type, or the names of the task and the class.
        rows: the checks, each with `name`, `ok`, `what` happened, the `fix`, and whether it `is_checked`.
    """

    type: str
    rows: tuple[Check, ...]

    @classmethod
    def of(cls, python_type: Any, samples: Iterable[Any] = (), wrong: Sequence[Any] | None = None) -> Conformance:
        """Check a type with samples."""
        return cls(type_text(python_type), run_checks(python_type, samples, wrong))

    @classmethod
    def of_plugin(cls, task: Any, inputs: Mapping[str, Any] | None = None, patience: float = PATIENCE) -> Conformance:
        """Check a task of a plugin."""
        return cls(f"{short_name(task)}, a {class_name(task)}", run_plugin_checks(task, inputs, patience))

    @classmethod
    def of_connector(
        cls, connector: Any, task: Any, inputs: Mapping[str, Any], failing: Mapping[str, Any] | None, patience: float
    ) -> Conformance:
        """Check a connector with a task that it runs."""
        rows = run_connector_checks(connector, task, inputs, failing, patience)
        return cls(f"{class_name(connector)} with task {short_name(task)}", rows)

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(row.ok for row in self.rows)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(row for row in self.rows if not row.ok)

    @property
    def _shown(self) -> Rendering:
        return render_part(checks_part(self), WHOLE)


def checks_part(result: Conformance) -> Part:
    """Return the results as a table, followed by the details and the fix of each failure."""
    failed = result.failed
    rows = [("✗" if not row.ok else "✓" if row.is_checked else "–", row.name, row.what) for row in result.rows]
    table = Table(("", Column("check"), Column("what happened")), rows)
    skipped = sum(not row.is_checked for row in result.rows)
    verdict = f"{count_text(len(failed), 'check')} of {len(result.rows)} failed" if failed else "every check passed"
    left = [f"{skipped} couldn't be done"] if skipped else []
    return Section(result.type, (" · ".join([verdict, *left]),), Group((table, *map(_failure_part, failed))))


def _failure_part(row: Check) -> Part:
    return Section(f"✗ {row.name}", (), Facts([("what happened", row.what), ("fix", row.fix)]))
