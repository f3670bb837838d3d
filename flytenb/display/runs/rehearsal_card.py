"""A rehearsal as text and HTML: each request in full, within limits, and how it was answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flytenb.display.limits import Limits
from flytenb.display.part import Facts, Group, Note, Part, Section, Text
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.display.runs.error_card import named_path
from flytenb.model.request import Request
from flytenb.runner.answers import Answers
from flytenb.runner.run import Run
from flytenb.wording.kinds import phase_text
from flytenb.wording.quantities import count_text
from flytenb.wording.values import brief

_DATA = ("call", "custom", "config", "container")
_SHORT = 60
"""Most characters of data that is shown on one line."""
_WHOLE = Limits(block=20_000, rows=100, text=60_000)


@dataclass(frozen=True, repr=False)
class Rehearsal(Displayed):
    """A run in which services were replaced by answers. Created by `flytenb.rehearse`.

    Attributes:
        run: the run, with all that a run has.
    """

    run: Run
    _answers: Answers

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests in the order of the nodes, one for each attempt."""
        return self._answers.requests

    @property
    def result(self) -> Any:
        """The return value of a call of the entity.

        Raises:
            BaseException: the failed task's own exception, if the run failed.
        """
        return self.run.result

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know about the requests and their answers: translations, differences, likely mistakes."""
        found = [
            f"{r.node}: {note}" for r in self.requests for note in (*r.notes, *self._answers.notes.get(r.node, ()))
        ]
        found += [f"no request was answered by {brief(key)}" for key in self._answers.unused]
        return tuple(dict.fromkeys(found))

    @property
    def _shown(self) -> Rendering:
        return render_part(rehearsal_part(self), _WHOLE)


def rehearsal_part(rehearsal: Rehearsal) -> Part:
    """Return the outcome of a rehearsal, its requests and its notes."""
    run = rehearsal.run
    outcome = [("result", brief(value)) for value in [run.outputs] if value]
    if run.error is not None:
        outcome = [("failed", f"node {named_path(run, run.error.path)}: {run.error}")]
    parts: list[Part] = [Facts(outcome)] if outcome else []
    parts += map(request_part, rehearsal.requests)
    parts += map(Note, rehearsal.notes)
    facts = (phase_text(run.phase), count_text(len(rehearsal.requests), "request"))
    return Section(f"rehearsal of {run.name}", facts, Group(tuple(parts)))


def request_part(request: Request) -> Part:
    """Return a request as a part."""
    attempt = f"attempt {request.attempt}" if request.attempt > 1 else ""
    version = f"version {request.task_version}" if request.task_version else ""
    facts = (request.task_type, version, request.dialect, attempt)
    return Section(f"{request.node} {request.task}", facts, Group(tuple(_bodies(request))))


def _bodies(request: Request) -> Iterator[Part]:
    if request.sql is not None:
        yield Text(request.sql, "code")
    data = request.to_dict()
    texts = {key: json.dumps(data[key], ensure_ascii=False) for key in _DATA if key in data}
    short = [(key, text) for key, text in texts.items() if len(text) <= _SHORT]
    rows = [*((f"parameter {name}", brief(value)) for name, value in request.parameters.items()), *short]
    if rows:
        yield Facts(rows)
    for key in (key for key, text in texts.items() if len(text) > _SHORT):
        whole = json.dumps(data[key], indent=2, ensure_ascii=False)
        yield Section(key, (), Text(whole, "code"), is_folded=key == "container")
    if "inputs" in data:
        lines = (f"{name}: {json.dumps(literal, ensure_ascii=False)}" for name, literal in data["inputs"].items())
        yield Section("inputs", (), Text("\n".join(lines), "code"), is_folded=True)
