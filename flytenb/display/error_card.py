"""A failed run in at most fifteen lines: which node, with what, where in the user's code, and what didn't run."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from flytenb.display.brief import brief
from flytenb.display.hints import hint_for
from flytenb.model import Phase

if TYPE_CHECKING:
    from flytenb.runner.failure import Failure
    from flytenb.runner.run import Run

_MOST_LINES = 15
_MOST_FRAMES = 3
_WIDTH = 160


class ErrorCard:
    """The lines, as IPython asks an exception for them; plain text, so that it travels with the exception."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines

    def __call__(self) -> list[str]:
        return list(self.lines)


def attach(run: Run, shell: Any = None) -> None:
    """Let a failed run's exception show itself as a card, in IPython; its arguments stay as they were."""
    if run.error is None:
        return
    card = ErrorCard(tuple(card_lines(run, shell)))
    try:
        run.error.exception._render_traceback_ = card  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        return  # an exception with __slots__ keeps IPython's own traceback


def card_lines(run: Run, shell: Any = None) -> list[str]:
    """Return the card of a failed run."""
    failure = run.error
    assert failure is not None
    lines = failure_lines(run, failure, shell)
    if run.also_failed:
        others = ", ".join(f"{f.path} ({type(f.exception).__name__})" for f in run.also_failed[:3])
        lines.append(_cut(f"  also failed: {others}{', …' if len(run.also_failed) > 3 else ''}"))
    not_run = [n.path for n in run.nodes.values() if n.phase in (Phase.ABORTED, Phase.QUEUED) and n.path]
    if not_run:
        lines.append(_cut(f"  did not run: {', '.join(not_run[:6])}{', …' if len(not_run) > 6 else ''}"))
    return [*lines[: _MOST_LINES - 1], "  the whole traceback: run.error.full()"]


def failure_lines(run: Run, failure: Failure, shell: Any = None) -> list[str]:
    """Return what is known of one failure."""
    first, *rest = [*_lines(str(failure.exception)), ""][:3]
    lines = [f"{type(failure.exception).__name__}: {first}", *[f"  {line}" for line in rest if line]]
    lines.append(_place(run, failure))
    if failure.inputs:
        given = ", ".join(f"{name}={brief(value, 40)}" for name, value in failure.inputs.items())
        lines.append(_cut(f"  inputs: {given}"))
    lines += [_cut(f"  earlier: {earlier.splitlines()[0]}") for earlier in failure.retries[-2:] if earlier]
    lines += _frames(failure, shell)
    hint = hint_for(failure.exception)
    if hint:
        lines.append(f"  hint: {hint}")
    return lines


def _place(run: Run, failure: Failure) -> str:
    node = run.graph.nodes.get(failure.path)
    name = f" ({node.name})" if node is not None else ""
    verb = "timed out" if failure.phase is Phase.TIMED_OUT else "failed"
    attempts = run.nodes[failure.path].attempts if failure.path in run.nodes else 1
    tries = f" at attempt {attempts}" if attempts > 1 else ""
    return _cut(f"  node {failure.path}{name} of {run.name} {verb}{tries}")


def _frames(failure: Failure, shell: Any) -> list[str]:
    lines = []
    for frame in failure.frames[-_MOST_FRAMES:]:
        lines.append(_cut(f"  {_frame_place(frame, shell)}, in {frame.name}"))
        if frame.line:
            lines.append(_cut(f"    {frame.line.strip()}"))
    return lines


def _frame_place(frame: traceback.FrameSummary, shell: Any) -> str:
    """`Cell In[3], line 2` for a cell, file and line for a file."""
    compiler = getattr(shell, "compile", None)
    if compiler is not None:
        found = compiler.format_code_name(frame.filename)
        if found is not None:
            return f"{' '.join(found)}, line {frame.lineno}"
    return f"{frame.filename}, line {frame.lineno}"


def _lines(text: str) -> list[str]:
    return [_cut(line.rstrip()) for line in text.splitlines() if line.strip()] or [""]


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
