"""States of boxes that aren't nodes of a run: those that represent several nodes, and failing cases of branches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from flytenb.model import EdgeKind, Graph, Kind, NodeState, Phase

_NOT_TAKEN = (Phase.SKIPPED, Phase.QUEUED)


def drawn_states(states: Mapping[str, NodeState], shown_at: Mapping[str, str]) -> dict[str, NodeState]:
    """Return the states of drawn nodes; a folded node's state is merged into the node that represents it.

    Args:
        states: node states by path.
        shown_at: for each path that isn't drawn, the path of the node that represents it.
    """
    members: dict[str, list[NodeState]] = {}
    for path, at in shown_at.items():
        if path in states:
            members.setdefault(at, []).append(states[path])
    return {**states, **{path: merge_states(found, states.get(path)) for path, found in members.items()}}


def case_states(graph: Graph, branch: str, state_of: Callable[[str], NodeState | None]) -> dict[str, NodeState]:
    """Return the states of the failing cases of a branch that has ended: failed for the one taken, else skipped.

    Args:
        graph: the drawn graph.
        branch: the path of the branch.
        state_of: returns the state of a node, None for one without a state.
    """
    own = state_of(branch)
    if own is None or not own.phase.is_terminal:
        return {}
    others = Phase.ABORTED if own.phase is Phase.ABORTED else Phase.SKIPPED
    cases = [graph.nodes[edge.target] for edge in graph.edges_from(branch) if edge.kind is EdgeKind.CASE]
    states = [state_of(case.path) for case in cases if case.parent == branch and case.kind is not Kind.CASE]
    is_failed_by_node = any(state is not None and state.phase not in _NOT_TAKEN for state in states)
    found = {}
    for case in cases:
        if case.kind is Kind.CASE:
            message = str(case.settings.get("error", ""))
            is_taken = own.phase is Phase.FAILED and not is_failed_by_node and message in own.text
            found[case.path] = NodeState(Phase.FAILED if is_taken else others)
    return found


def merge_states(members: Iterable[NodeState], own: NodeState | None = None) -> NodeState:
    """Return one state for several nodes: the worst phase, and how many have finished.

    Args:
        members: the states of the nodes.
        own: the state of their container, if it is one; its phase is used.
    """
    inside = list(members)
    phases = Counter(state.phase for state in inside)
    finished = sum(number for phase, number in phases.items() if phase.is_terminal)
    if own is not None:
        return own if own.total else replace(own, done=finished, total=len(inside))
    text = next((state.text for state in inside if state.text), "")
    return NodeState(_phase(phases, finished, len(inside)), done=finished, total=len(inside), text=text)


def _phase(phases: Counter[Phase], finished: int, total: int) -> Phase:
    for phase in (Phase.FAILED, Phase.TIMED_OUT, Phase.RUNNING):
        if phases[phase]:
            return phase
    if finished < total:
        return Phase.RUNNING if finished else Phase.QUEUED
    if phases[Phase.ABORTED]:
        return Phase.ABORTED
    return Phase.SKIPPED if phases[Phase.SKIPPED] == total else Phase.SUCCEEDED
