"""Which run a run resumes, and what is set in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flytenb.bridge.entities.interface import short_name
from flytenb.errors import UsageError
from flytenb.model import Phase
from flytenb.reach.earlier_definitions import current_definition
from flytenb.reach.syntax_trees import parse
from flytenb.runner.input_equality import is_same_content
from flytenb.runner.past import Past, Resumption
from flytenb.runner.run import Run
from flytenb.runner.two_pasts import TwoPasts
from flytenb.wording.values import brief

if TYPE_CHECKING:
    from flytenb.session.session import Session


@dataclass(frozen=True)
class Resuming:
    """How the runs of some options resume an earlier one.

    Attributes:
        run: the run to resume, or whether to resume the entity's last one.
        good: another run, from which those nodes are taken that `run` doesn't have; None for no other.
        from_node: the node that runs again in any case, with all that follows it.
        only_node: the node that runs alone, on its inputs of the earlier run.
        outputs: outputs that are given, by `NODE.output`.
        keeps_answers: whether gates take the answers of that run.
    """

    run: Run | bool = False
    good: Run | None = None
    from_node: str = ""
    only_node: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    keeps_answers: bool = False

    def __post_init__(self) -> None:
        """Check the choices.

        Raises:
            UsageError: for a run that isn't one, or choices that exclude each other.
        """
        if not isinstance(self.run, Run | bool):
            raise UsageError(
                f"resume must be a run, True or False, got {brief(self.run)}",
                hint="resume=True resumes the last run of the entity",
            )
        if self.only_node and (self.from_node or self.outputs):
            raise UsageError("only_node excludes from_node and outputs", hint="leave out one of them")

    def past(self, entity: Any, session: Session, keep: str = "") -> Past | None:
        """Return what a run of an entity takes from the run that it resumes, None if it resumes none.

        Args:
            entity: the entity.
            session: the session, with its last run.
            keep: the folder of kept runs, of which the last one is resumed if the session has none.

        Raises:
            UsageError: if there is no such run, or if it is one of another entity.
            UnknownNameError: if it has no such node.
        """
        if self.run is False and not self.from_node and not (self.outputs and session.last_run(entity)):
            return None
        run, good = self._find(entity, session, keep)
        start = run.nodes[self.from_node].path if self.from_node else ""
        resumption, places = Resumption(start, self.keeps_answers), _Places(session)
        good = good if good is not run and not start else None
        if good is None:
            return Past(run._scheduler, lambda: run.graph, resumption, places.of)
        before = Past(good._scheduler, lambda: good.graph, resumption, places.of)
        return TwoPasts(run._scheduler, lambda: run.graph, resumption, places.of, before)

    def _find(self, entity: Any, session: Session, keep: str) -> tuple[Run, Run | None]:
        """Return the run to resume, and another one from which those nodes are taken that it doesn't have."""
        name = short_name(entity)
        if isinstance(self.run, bool):
            run = session.last_run(entity)
            if run is not None:
                return run, None if run.phase is Phase.SUCCEEDED else session.last_good_run(entity)
            kept = _kept(keep, entity)
            if kept:
                return kept[-1], kept[0]
            hint = "run it once without resume, and keep the run; or pass resume=<a run>"
            raise UsageError(f"there is no run of {name!r} to resume", hint=hint)
        run = self.run
        if getattr(run, "_entity_name", getattr(run.entity, "name", None)) != entity.name:
            raise UsageError(f"resume must be a run of {name!r}, got {brief(run)}", hint=f"run.name is {run.name!r}")
        return run, self.good

    def only(
        self, entity: Any, given: Mapping[str, Any], session: Session, keep: str = ""
    ) -> tuple[Any, dict[str, Any]]:
        """Return the entity of the node that runs alone, as it is defined now, and its inputs of the earlier run.

        Raises:
            UsageError: if there is no such run, if it had other inputs, or if the node has none.
            UnknownNameError: if it has no such node.
        """
        run, _ = self._find(entity, session, keep)
        had = run.inputs
        for name, value in given.items():
            if name in had and not is_same_content(run._root.types[name], value, had[name]):
                raise UsageError(
                    f"{self.only_node!r} runs on the inputs of {brief(run)}, which had {name}={brief(had[name])}, "
                    f"got {name}={brief(value)}",
                    hint="leave the inputs out, or resume without only_node",
                )
        node = run.nodes[self.only_node]
        if node.entity is None or node.started is None:
            why = "is a branch" if node.entity is None else f"didn't run in {brief(run)}"
            raise UsageError(f"node {node.path!r} {why}", hint="choose a node that ran: run.nodes lists them")
        return current_definition(node.entity), node.inputs


def _kept(keep: str, entity: Any) -> Sequence[Run]:
    if not keep:
        return ()
    from flytenb.session.kept_runs import folder_of, last_kept  # rarely needed

    return last_kept(folder_of(keep), entity)


class _Places:
    """Where the names of a notebook were defined last."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, name: str) -> str:
        """Return ` in cell 12`, or nothing."""
        for cell in reversed(self._session.cells.all):
            if name in _names_bound(cell.source):
                return f" in {cell.place}"
        return ""


def _names_bound(source: str) -> set[str]:
    try:
        tree = parse(source)
    except SyntaxError:
        return set()
    return {name for node in ast.walk(tree) for name in _bound_by(node)}


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
