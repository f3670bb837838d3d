"""What a notebook has defined: names, entities, cells, sources, what is stale; the notebook itself is the caller's.

One session belongs to one shell. It does not define, draw or run anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.errors import UnknownNameError, closest

if TYPE_CHECKING:
    from flytenb.model import Kind
    from flytenb.runner.run import Run

_RUNS_KEPT = 20
"""Each holds what flowed through it."""


@dataclass(frozen=True)
class Definition:
    """One entity that a cell defined.

    Attributes:
        name: the variable that holds it.
        entity: flytekit's object.
        kind: what it is.
        cell: the number of the cell's execution, None if it came from elsewhere.
        source: the text of that cell.
    """

    name: str
    entity: Any
    kind: Kind
    cell: int | None
    source: str


class Session:
    """Names and what they stand for, as of the last cell.

    Attributes:
        definitions: what the notebook's names stand for.
        runs: the latest ones, oldest first.
        inputs: what forms were last filled with.
        folded: the error shown in short since the last run started, if any.
    """

    def __init__(self) -> None:
        self.definitions: dict[str, Definition] = {}
        self.runs: deque[Run] = deque(maxlen=_RUNS_KEPT)
        self.inputs: dict[str, Any] = {}
        self.folded: BaseException | None = None

    def update(self, namespace: Mapping[str, Any], cell: int | None, source: str) -> None:
        """Note a cell's new and replaced entities, forget names that are gone and what stale workflows compiled to."""
        from flytenb.bridge.entities.interface import is_entity, kind_of
        from flytenb.bridge.workflow.definition import forget_entity
        from flytenb.bridge.workflow.staleness import forget_stale

        entities = {n: v for n, v in list(namespace.items()) if is_entity(v)}
        found = {n: v for n, v in entities.items() if not n.startswith("_")}
        for name in [n for n in self.definitions if n not in found]:
            del self.definitions[name]
        for name, entity in found.items():
            known = self.definitions.get(name)
            if known is None or known.entity is not entity:
                if known is not None:
                    forget_entity(known.entity)
                self.definitions[name] = Definition(name, entity, kind_of(entity), cell, source)
        forget_stale(entities.values())

    def find(self, name: str) -> Any:
        """Return the entity of that name.

        Raises:
            UnknownNameError: with the closest names.
        """
        if name in self.definitions:
            return self.definitions[name].entity
        hint = closest(name, self.definitions) or "define one with @task or @workflow"
        raise UnknownNameError(f"no task, workflow or launch plan named {name!r}", hint=hint)

    def is_stale(self, name: str) -> bool:
        """Tell whether an entity was made from something that has been redefined since."""
        from flytenb.bridge.workflow.staleness import is_stale

        return is_stale(self.definitions[name].entity)

    def keep(self, run: Run) -> None:
        """Remember a run."""
        self.runs.append(run)
        self.folded = None

    def run_of(self, error: BaseException | None) -> Run | None:
        """The latest run that failed with an error."""
        return next((run for run in reversed(self.runs) if run.error and run.error.exception is error), None)

    def runs_of(self, entity: Any) -> Iterable[Run]:
        """The runs of one entity, oldest first."""
        return [run for run in self.runs if run.entity is entity]
