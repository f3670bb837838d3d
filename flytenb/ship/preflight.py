"""What is found before an entity is sent to a cluster, as data with a display."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flytenb.bridge.entities.kind import short_name, titled
from flytenb.display.limits import Limits
from flytenb.display.part import Group, Note, Section
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.errors import ExportError, FlytenbError, headline
from flytenb.ship.cells import Cells
from flytenb.ship.cluster_rules import entities_of, find_surprises
from flytenb.ship.draft import draft
from flytenb.ship.finding import Finding
from flytenb.ship.image_rules import find_missing, missing_by_default
from flytenb.ship.machine_reads import find_machine_reads
from flytenb.ship.pod_check import PodReport
from flytenb.wording.quantities import count_text

_LIMITS = Limits(cell=200, items=200)
_HOW_TO_SHIP = "ship its file along: it must lie beside the exported module"


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings, errors first, each once."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: f.severity != "error"))


def _uncompiled(entity: Any, error: Exception) -> Finding:
    hint = error.hint if isinstance(error, FlytenbError) else ""
    message = error.message if isinstance(error, FlytenbError) else headline(error)
    way_out = hint or "correct the workflow, and draw it: %flyte draw"
    return Finding(f"it doesn't compile: {message}", titled(entity), way_out)


@dataclass(frozen=True, repr=False)
class Preflight(Displayed):
    """What may go wrong for an entity on a cluster. Created by `flytenb.check`.

    Attributes:
        name: of the entity.
        findings: what was found, errors first; each has `severity` (`"error"` or `"warning"`), `what`, `where` and
            `way_out`.
        executed: with `pod`, the names of the tasks that were run as their pods; a warning gives the reason for
            each other one.
    """

    name: str
    findings: tuple[Finding, ...]
    executed: tuple[str, ...] | None = None

    @classmethod
    def of(cls, entities: Sequence[Any], cells: Cells, namespace: Mapping[str, Any]) -> Preflight:
        """Check entities of a notebook.

        Raises:
            ExportError: for an entity that no variable holds.
        """
        made = draft(entities, cells, namespace)
        roots = [*entities, *made.entities]
        found = [*made.findings, *find_surprises(roots), *find_machine_reads(made.needed)]
        found += [Finding(f"{name} is your own module", name, _HOW_TO_SHIP, "warning") for name in made.modules]
        used = entities_of(roots)
        found += [f for each in used for f in find_missing(each, made.packages)]
        found += missing_by_default(used, made.packages)
        return cls(", ".join(made.names), _sorted(found))

    def with_pods(self, reports: Iterable[PodReport]) -> Preflight:
        """Return the check with what pods gave."""
        reports = list(reports)
        found = _sorted([*self.findings, *(f for report in reports for f in report.findings)])
        return Preflight(self.name, found, tuple(dict.fromkeys(n for report in reports for n in report.executed)))

    @classmethod
    def of_failed(cls, entities: Sequence[Any], failures: Iterable[tuple[Any, Exception]]) -> Preflight:
        """Return the check of entities of which some can't be compiled, each with its error."""
        found = [_uncompiled(entity, error) for entity, error in failures]
        return cls(", ".join(map(short_name, entities)), _sorted(found))

    @property
    def ok(self) -> bool:
        """Whether there is no error; there may be warnings."""
        return all(finding.severity != "error" for finding in self.findings)

    def require(self) -> None:
        """Raise an error that lists what must be corrected, if there is any.

        Raises:
            ExportError: with every error.
        """
        errors = "\n".join(f"  {finding}" for finding in self.findings if finding.severity == "error")
        if errors:
            raise ExportError(f"{self.name} doesn't run on a cluster:\n{errors}")

    @property
    def _shown(self) -> Rendering:
        parts = [Section(f.what, (f.severity, f.where), Note(f.way_out)) for f in self.findings]
        body = Group(tuple(parts)) if parts else Note("nothing was found")
        ran = "" if self.executed is None else f"{count_text(len(self.executed), 'task')} run as in pods"
        return render_part(Section(f"check of {self.name}", (self._verdict, ran), body), _LIMITS)

    @property
    def _verdict(self) -> str:
        errors = sum(f.severity == "error" for f in self.findings)
        warnings = len(self.findings) - errors
        return f"{count_text(errors, 'error')} · {count_text(warnings, 'warning')}"
