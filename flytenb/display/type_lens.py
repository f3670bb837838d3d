"""The lens on a type, shown: which transformer, what becomes of a value; finding that out is left to `bridge.lens`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from flytenb.display.limits import Limits
from flytenb.display.part import Column, Facts, Group, Note, Part, Section, Table, Text
from flytenb.display.rendering import Rendering, render_part
from flytenb.types import MISSING, TypeFacts, read_type

if TYPE_CHECKING:
    from flytenb.types.container_support import Support
    from flytenb.types.round_trip import Trip


WHOLE = Limits(rows=40, cell=64)
"""Every row of a lookup or a list of checks, each on one line of a terminal."""


@dataclass(frozen=True, repr=False)
class Lens(TypeFacts):
    """What Flyte makes of a type, as data that shows itself."""

    @classmethod
    def of(cls, python_type: Any, sample: Any = MISSING) -> Lens:
        """Look at a type, and at the way of a sample of it into a literal and back."""
        facts = read_type(python_type, sample)
        return cls(**{f.name: getattr(facts, f.name) for f in fields(facts)})

    def __repr__(self) -> str:
        return self._shown.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self._shown._repr_mimebundle_()

    @property
    def _shown(self) -> Rendering:
        return render_part(lens_part(self), WHOLE)


def lens_part(lens: TypeFacts) -> Part:
    """Return the lens as a part, for whoever shows it among other things."""
    parts = [
        Facts(_facts(lens)),
        _trip_part(lens),
        _lookup_part(lens),
    ]
    if lens.schema:
        parts.append(Section("JSON schema", (), Text(lens.schema, "code"), is_folded=True))
    heading = (lens.lookup.transformer, "refused" if lens.refusal else "")
    return Section(lens.type, heading, Group(tuple(parts)))


def _facts(lens: TypeFacts) -> list[tuple[str, str]]:
    lookup = lens.lookup
    rows = [("careful", warning) for warning in lens.warnings]
    rows += [("transformer", f"{lookup.transformer} {lookup.name!r} of {lookup.home}")]
    rows += [("why", f"{step.question}: {step.answer}") for step in lookup.steps if step.is_chosen]
    rows += [("would match too", other) for other in lookup.others]
    rows.append(("literal type", lens.literal_type or f"none: {lens.refusal}"))
    rows.append(("dataclass field", _supported(lens.field)))
    rows.append(("container input", _supported(lens.container_input)))
    rows.append(("container output", _supported(lens.container_output)))
    return rows


def _supported(support: Support) -> str:
    return f"yes, {support.how}" if support.is_supported else f"no: {support.how}"


def _trip_part(lens: TypeFacts) -> Part:
    title = "there and back"
    if lens.trip is None:
        return Section(title, (), Note(f"{lens.no_sample}; give one: flytenb.lens({lens.type}, sample=…)"))
    trip = lens.trip
    rows = [(stop.place, stop.value, stop.type) for stop in trip.stops]
    table = Table(("", Column("value"), Column("type")), rows)
    facts = ("a sample made from the type",) if lens.is_generated else ()
    notes = [Note(note) for note in trip.notes]
    return Section(title, (*facts, _verdict(trip)), Group((table, *_changes(trip), *notes)))


def _verdict(trip: Trip) -> str:
    if trip.error:
        return f"stopped after {trip.stops[-1].place}"
    return "came back as it was" if trip.difference is None else "came back changed"


def _changes(trip: Trip) -> list[Part]:
    if trip.error:
        return [Text(trip.error, "flow")]
    if trip.difference is None:
        return []
    changed = trip.difference
    where = changed.path or "the value"
    return [Facts([("first difference", where), ("went in", changed.before), ("came back", changed.after)]),
            Text(changed.reason, "flow")]  # fmt: skip


def _lookup_part(lens: TypeFacts) -> Part:
    """The questions in flytekit's order; those after the answer show what would have been found."""
    rows = []
    chosen = next((i for i, s in enumerate(lens.lookup.steps) if s.is_chosen), len(lens.lookup.steps))
    for i, step in enumerate(lens.lookup.steps):
        mark = "taken" if i == chosen else "asked" if i < chosen else ""
        rows.append((mark, step.question, step.answer))
    return Section("the lookup, in flytekit's order", (), Table(("", "question", "answer"), rows))
