"""Tables of a session: its entities, its runs, its settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.bridge.entities.interface import read_interface
from flytenb.display.limits import Limits
from flytenb.display.part import Column, PhaseCell, Table, Text
from flytenb.display.rendering import Displayed, Rendering, render_part
from flytenb.model import Phase
from flytenb.reach.look import one_look
from flytenb.render.captions import signature
from flytenb.session.kept_heads import KeptHead
from flytenb.wording.kinds import entity_text
from flytenb.wording.quantities import bytes_text, count_text, duration_text
from flytenb.wording.text import clip_middle
from flytenb.wording.values import brief

if TYPE_CHECKING:
    from flytenb.bridge.cluster.launch_plans import PlanFacts
    from flytenb.cache.store import StoredOutputs
    from flytenb.runner.run import Run
    from flytenb.session.configuration import Choice
    from flytenb.session.session import Definition, Session


_LIMITS = Limits(rows=500, text=60_000, cell=400)
"""Large enough that the latest rows and most signatures are never cut."""


class Listing(Displayed):
    """Table with a display of its own; `.rows` are its cells as text, `listing[n]` is the object in row `n`."""

    def __init__(
        self, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], empty: str, things: Iterable[Any] = ()
    ) -> None:
        self.columns = columns
        self.rows = tuple(rows)
        self._things = tuple(things)
        self._empty = empty

    @classmethod
    def of_session(cls, session: Session) -> Listing:
        """List the entities of a session."""
        things = [definition.entity for definition in session.definitions.values()]
        last = _last_runs(session.runs, things)
        with one_look():
            codes = [_code(session, definition) for definition in session.definitions.values()]
        rows = [
            (
                definition.name,
                entity_text(definition.kind),
                f"[{definition.cell}]" if definition.cell is not None else "",
                code,
                last.get(id(definition.entity), ""),
                _signature(definition.entity),
            )
            for definition, code in zip(session.definitions.values(), codes, strict=True)
        ]
        empty = "nothing is defined yet: define a task or workflow with @task and @workflow, or %%task and %%workflow"
        return cls(("name", "kind", "cell", "code", "last run", "signature"), rows, empty, things)

    @classmethod
    def of_runs(
        cls, runs: Iterable[Run], kept: Iterable[KeptHead] = (), load: Callable[[str], Any] | None = None
    ) -> Listing:
        """List runs, oldest first.

        Args:
            runs: the runs of this notebook.
            kept: the kept runs of other kernels.
            load: returns a kept run by its id, when its row is taken.
        """
        things: list[Any] = [*kept, *runs]
        rows: list[tuple[str, ...]] = []
        for number, run in enumerate(things):
            if isinstance(run, KeptHead):
                phase, why, at = PhaseCell.of(run.phase), run.why, run.id
            else:
                phase, at = PhaseCell.of(run.phase), run.id if run.is_kept else ""
                why = str(run.error) if run.error else ""
            started = "" if run.started is None else _time_text(run.started)
            took = "" if run.duration is None else duration_text(run.duration)
            rows.append((str(number), run.name, phase, started, took, at, why.partition("\n")[0]))
        columns: tuple[str, ...] = ("run", "of", "phase", "started", "took", "kept as", "why")
        if not any(row[5] for row in rows):
            columns, rows = (*columns[:5], columns[6]), [(*row[:5], row[6]) for row in rows]
        later = [_Later(load, run.id) if load is not None and isinstance(run, KeptHead) else run for run in things]
        return cls(columns, rows, "nothing has run yet", later)

    @classmethod
    def of_cache(cls, entries: Iterable[StoredOutputs], now: float) -> Listing:
        """List stored outputs of cached tasks with their age at a time."""
        entries = list(entries)
        rows = [
            (
                entry.task.rpartition(".")[2],
                entry.key.rpartition("-")[2][:8],
                bytes_text(entry.size),
                duration_text(max(now - entry.stored, 0.0)),
                str(entry.hits),
            )
            for entry in entries
        ]
        return cls(("task", "key", "size", "age", "hits"), rows, "the cache holds nothing", entries)

    @classmethod
    def of_settings(cls, chosen: Mapping[str, Choice]) -> Listing:
        """List the value of each setting, where it was set and what it means."""
        from flytenb.session.configuration import RULES

        rows = [(name, brief(c.value), clip_middle(c.place, 56), RULES[name].help) for name, c in chosen.items()]
        return cls(("setting", "value", "set by", "meaning"), rows, "", [c.value for c in chosen.values()])

    @classmethod
    def of_plans(cls, plans: Iterable[PlanFacts]) -> Listing:
        """List launch plans of a cluster that are active, have a schedule, or a name other than their workflow's."""
        shown = [plan for plan in plans if plan.is_active or plan.is_scheduled or plan.name != plan.workflow]
        rows = [
            (plan.name, "active" if plan.is_active else "inactive", _schedule(plan), plan.version, _inputs(plan))
            for plan in shown
        ]
        empty = "no launch plan is active or has a schedule"
        return cls(("launch plan", "state", "schedule", "version", "inputs"), rows, empty, shown)

    def __getitem__(self, number: int) -> Any:
        found = self._things[number]
        return found.read(found.identifier) if isinstance(found, _Later) else found

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def _shown(self) -> Rendering:
        if not self.rows:
            return render_part(Text(self._empty, "flow"))
        columns = [Column(name, is_cut=name == "why") for name in self.columns]
        return render_part(Table(columns, self.rows, is_wrapped=True), _LIMITS)


@dataclass(frozen=True)
class _Later:
    """A kept run that is read when its row is taken."""

    read: Callable[[str], Any]
    identifier: str


def _time_text(at: float) -> str:
    """Return the time of today, or the date and the time."""
    then = time.localtime(at)
    is_today = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M", then)


def _schedule(plan: PlanFacts) -> str:
    if plan.rate is not None:
        number, unit = plan.rate
        return f"every {unit}" if number == 1 else f"every {count_text(number, unit)}"
    return f"cron {plan.cron}" if plan.cron else ""


def _inputs(plan: PlanFacts) -> str:
    texts = []
    for each in plan.inputs:
        if each.name == plan.time_input:
            texts.append(f"{each.name}: the time of the schedule")
        elif each.is_required:
            texts.append(f"{each.name}: {each.type}")
        else:
            texts.append(f"{each.name}={brief(each.value)}{' fixed' if each.is_fixed else ''}")
    return ", ".join(texts)


def _code(session: Session, definition: Definition) -> str:
    """Return `fresh`, `stale` and why, or which old classes a definition uses."""
    from flytenb.bridge.patches.redefined_classes import old_classes_of

    old = old_classes_of(definition.entity)
    if old:
        return f"uses an old {' and an old '.join(old)}"
    why = session.stale_text(definition.name)
    if why:
        return f"stale: {why}"
    return "stale" if session.is_stale(definition.name) else "fresh"


def _signature(entity: Any) -> str:
    """Return `(n: int) -> DataFrame`, `""` for an entity whose interface can't be read."""
    try:
        return signature("", read_interface(entity))
    except Exception:  # e.g. a workflow that doesn't compile
        return ""


def _last_runs(runs: Iterable[Run], entities: list[Any]) -> dict[int, str]:
    """Return the outcome of the last run of each entity by its id, by itself or as a node of another run.

    Of several nodes in one run, such as the elements of a map, one that failed counts more than those that it stopped.
    """
    found: dict[int, str] = {}
    wanted = set(map(id, entities))
    for run in reversed(list(runs)):
        if not wanted:
            break
        begun = [node for node in run.nodes.values() if node.started is not None and id(node.entity) in wanted]
        begun.sort(key=lambda node: node.phase in (Phase.FAILED, Phase.TIMED_OUT))
        found |= {id(node.entity): _outcome(node.phase, node.duration, f" in {run.name}") for node in begun}
        if id(run.entity) in wanted:
            found[id(run.entity)] = _outcome(run.phase, run.duration)
        wanted -= found.keys()
    return found


def _outcome(phase: str, seconds: float | None, place: str = "") -> str:
    return PhaseCell.of(phase, f"{'' if seconds is None else duration_text(seconds)}{place}".strip())
