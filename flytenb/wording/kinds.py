"""Kinds of nodes and other constants in words. The enums themselves are in `model`."""

from __future__ import annotations


def constant_text(name: str) -> str:
    """Return the name of a constant in words: `timed out` for `TIMED_OUT`."""
    return name.lower().replace("_", " ")


_PHASE_SIGNS = {
    "QUEUED": "○",
    "RUNNING": "▶",
    "SUCCEEDED": "✓",
    "FAILED": "✕",
    "ABORTED": "■",
    "SKIPPED": "–",
    "TIMED_OUT": "◷",
    "REUSED": "↻",
}


def phase_sign(phase: str) -> str:
    """Return a phase as one character, `""` for an unknown one."""
    return _PHASE_SIGNS.get(phase, "")


def phase_words(phase: str, *, has_started: bool = True) -> str:
    """Return a phase in words: `timed out`; what was aborted was `stopped`, or `did not run`."""
    if phase == "ABORTED":
        return "stopped" if has_started else "did not run"
    return "re-used" if phase == "REUSED" else constant_text(phase)


def phase_text(phase: str, *, has_started: bool = True) -> str:
    """Return a phase as displays spell it: `✓ succeeded`, `■ stopped`, `↻ re-used`."""
    return f"{phase_sign(phase)} {phase_words(phase, has_started=has_started)}".strip()


def kind_text(kind: str) -> str:
    """Return the kind of a node: `launch plan`, `subworkflow`, `failure handler`."""
    return "failure handler" if kind == "failure" else constant_text(kind)


def entity_text(kind: str) -> str:
    """Return the kind of an entity by itself: a workflow is a subworkflow only as a node of another one."""
    return "workflow" if kind == "subworkflow" else kind_text(kind)
