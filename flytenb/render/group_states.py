"""States of boxes that represent several nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from flytenb.model import NodeState, Phase


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
