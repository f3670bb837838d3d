"""Where nodes stand that are drawn as one: what a folded group or a closed container says of those in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from flytenb.model import NodeState, Phase


def drawn_states(states: Mapping[str, NodeState], shown_at: Mapping[str, str]) -> dict[str, NodeState]:
    """Return the states of what is drawn: those of nodes that are folded into another are told by that one.

    Args:
        states: where the nodes stand, by path.
        shown_at: for each path that isn't drawn itself, the path of what stands for it.
    """
    members: dict[str, list[NodeState]] = {}
    for path, at in shown_at.items():
        if path in states:
            members.setdefault(at, []).append(states[path])
    return {**states, **{path: merge_states(found, states.get(path)) for path, found in members.items()}}


def merge_states(members: Iterable[NodeState], own: NodeState | None = None) -> NodeState:
    """Return where many nodes stand as if they were one: the worst that happened, and how many are finished.

    Args:
        members: the nodes.
        own: where the container stands that they are in; its phase is the true one.
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
