"""The lens on a type: its transformer and the round trip of a value. `types` reads the facts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from flytenb.display.limits import Limits
from flytenb.display.part import Column, Facts, Group, Note, Part, Section, Table, Text
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.types import MISSING, TypeFacts, read_type

if TYPE_CHECKING:
    from flytenb.bridge.execution.container_contract import Support
    from flytenb.types.round_trip import RoundTrip


WHOLE = Limits(rows=40, cell=64)
"""All rows of a lookup or a list of checks, each on one line of a terminal."""


@dataclass(frozen=True, repr=False)
class Lens(Displayed, TypeFacts):
    """How Flyte treats a type, as data with a display."""

    @classmethod
    def of(cls, python_type: Any, sample: Any = MISSING) -> Lens:
        """Read the facts about a type, with the round trip of a sample."""
        facts = read_type(python_type, sample)
        return cls(**{f.name: getattr(facts, f.name) for f in fields(facts)})

    @property
    def _shown(self) -> Rendering:
        return render_part(lens_part(self), WHOLE)


def lens_part(lens: TypeFacts) -> Part:
    """Return the lens as a part."""
    parts = [
        Facts(_facts(lens)),
        _round_trip_part(lens),
        _lookup_part(lens),
    ]
    if lens.schema:
        parts.append(Section("JSON schema", (), Text(lens.schema, "code"), is_folded=True))
    heading = (lens.lookup.transformer, _outcome(lens))
    return Section(lens.type, heading, Group(tuple(parts)))


def _outcome(lens: TypeFacts) -> str:
    if lens.refusal:
        return "rejected"
    return "" if lens.trip is None else f"round trip: {_verdict(lens.trip)}"


def _facts(lens: TypeFacts) -> list[tuple[str, str]]:
    lookup = lens.lookup
    rows = [("warning", warning) for warning in lens.warnings]
    rows += [("transformer", f"{lookup.name!r} of {lookup.home}")]
    chosen = [step for step in lookup.steps if step.is_chosen]
    rows += [("why", ", ".join(filter(None, (step.text, _particulars(lens, step.answer))))) for step in chosen]
    rows += [("also matches", other) for other in lookup.others]
    rows.append(("literal type", lens.literal_type or f"none: {lens.refusal}"))
    rows.append(("dataclass field", _supported(lens.field)))
    rows.append(("container input", _supported(lens.container_input)))
    rows.append(("container output", _supported(lens.container_output)))
    return rows


def _particulars(lens: TypeFacts, answer: str) -> str:
    """Return an answer without the name of the transformer, which the heading has."""
    lookup = lens.lookup
    return answer.removeprefix(lookup.transformer).removeprefix(f" {lookup.name!r}").removeprefix(", ")


def _supported(support: Support) -> str:
    return f"yes, {support.how}" if support.is_supported else f"no: {support.how}"


def _round_trip_part(lens: TypeFacts) -> Part:
    title = "round trip"
    if lens.trip is None:
        return Section(title, (), Note(f"{lens.no_sample}; pass one: flytenb.lens({lens.type}, sample=…)"))
    trip = lens.trip
    rows = [(stage.name, stage.value, stage.type) for stage in trip.stages]
    table = Table(("", Column("value"), Column("type")), rows)
    facts = ("a sample made from the type",) if lens.is_generated else ()
    notes = [Note(note) for note in trip.notes]
    return Section(title, facts, Group((table, *_changes(trip), *notes)))


_FAILURES = {
    "Python": "no literal can be made of it",
    "literal": "its literal can't be written",
    "bytes": "it can't be read again",
}
"""What has failed, by the last form that a value had."""


def _verdict(trip: RoundTrip) -> str:
    if trip.error:
        return _FAILURES[trip.stages[-1].name]
    return "unchanged" if trip.change is None else "changed"


def _changes(trip: RoundTrip) -> list[Part]:
    if trip.error:
        return [Text(trip.error, "flow")]
    if trip.change is None:
        return []
    change = trip.change
    rows = [("first change", change.path or "the value"), ("before", change.before), ("after", change.after)]
    return [Facts(rows), Text(change.reason, "flow")]


def _lookup_part(lens: TypeFacts) -> Part:
    """Return the questions in the order of flytekit; those after the answer show what would be found."""
    rows = []
    chosen = next((i for i, s in enumerate(lens.lookup.steps) if s.is_chosen), len(lens.lookup.steps))
    for i, step in enumerate(lens.lookup.steps):
        mark = "chosen" if i == chosen else "asked" if i < chosen else ""
        answer = step.answer
        if i == chosen:
            answer = ", ".join(filter(None, ("yes", _particulars(lens, answer))))
        rows.append((mark, step.text, answer))
    return Section("lookup, in the order of flytekit", (), Table(("", "question", "answer"), rows), is_folded=True)
