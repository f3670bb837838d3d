"""Error card: a failed run in at most 15 lines, with the node, its inputs, the user's frames and what didn't run."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any

from flytenb.bridge.execution.calls import is_recoverable
from flytenb.display.runs.error_message import (
    first_line,
    is_flytekits,
    message_lines,
    note_lines,
    process_lines,
    shown_message,
    syntax_lines,
)
from flytenb.display.runs.hints import hint_for
from flytenb.display.runs.stack_frames import CellName, cut, frame_lines, frame_place, hint_line, no_cell
from flytenb.errors import (
    FlytenbError,
    NodeTimeoutError,
    full_traceback,
    is_foreign,
    is_library,
    own_frames,
    package_roots,
)
from flytenb.model import Kind, Phase
from flytenb.reach.code_parts import with_cell_names
from flytenb.wording.quantities import count_text, more_text
from flytenb.wording.text import WIDTH, clip
from flytenb.wording.values import brief, clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flytenb.runner.failure import Failure
    from flytenb.runner.run import Run

MOST_LINES = 15
_MOST_FRAMES = 3
_MOST_CAUSES = 2
_MOST_MEMBERS = 3
_MOST_NOTES = 2
_SHORT = 40
_REMOTE_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)\n(?:    (.+)\n)?', flags=re.M)


class ErrorCard:
    """Lines that IPython shows instead of a traceback; plain text, so that the exception can be pickled."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = tuple(map(clean, lines))

    def __call__(self) -> list[str]:
        return list(self.lines)


class FullError:
    """The full traceback of a failed run."""

    def __init__(self, text: str) -> None:
        self.text = clean(text)

    @classmethod
    def of(cls, run: Run) -> FullError:
        """Return the tracebacks of all failures of a run, the first failure first."""
        failures = [f for f in (run.error, *run.also_failed) if f is not None]
        return cls("\n".join(cls.at(run, failure).text for failure in failures))

    @classmethod
    def at(cls, run: Run, failure: Failure) -> FullError:
        """Return the traceback of one failure of a run."""
        place = f"node {named_path(run, failure.path)} of {run.name}" if failure.path else f"the run of {run.name}"
        return cls(f"{place}\n{failure.full()}")

    @classmethod
    def whole(cls, error: BaseException) -> FullError:
        """Return the traceback of an error outside of any run."""
        return cls(with_cell_names(full_traceback(error)))

    def __repr__(self) -> str:
        return self.text


def card_lines(run: Run, cell_name: CellName = no_cell) -> list[str]:
    """Return the error card of a failed run."""
    failure = run.error
    assert failure is not None
    after = [*_also_failed(run), *_not_run(run), "  the whole traceback: %flyte error, or run.error.full()"]
    room = MOST_LINES - len(after)
    lines = failure_lines(run, failure, cell_name)
    if len(lines) > room:
        lines = failure_lines(run, failure, cell_name, is_short=True)
    return [*lines[:room], *after]


def failure_lines(
    run: Run, failure: Failure, cell_name: CellName = no_cell, *, is_short: bool = False, has_earlier: bool = True
) -> list[str]:
    """Return the lines of one failure.

    Args:
        run: the run.
        failure: the failure.
        cell_name: names the cell of a frame.
        is_short: whether only the most important lines are returned.
        has_earlier: whether the errors of earlier attempts are included.
    """
    failure = failure.within(node.error for node in run.nodes.values())
    lines = message_lines(failure.exception, 2 if is_short else 3)
    lines += note_lines(failure.exception, 1 if is_short else _MOST_NOTES)
    lines += process_lines(failure.exception)
    lines.append(_place(run, failure))
    if failure.inputs:
        lines.append(_inputs(named_inputs(run, failure.path, failure.inputs)))
    earlier = [text for text in failure.retries if text][-1 if is_short else -2 :] if has_earlier else []
    lines += [cut(f"  earlier: {first_line(text)}") for text in earlier]
    lines += _members(failure.exception, cell_name, 1 if is_short else _MOST_MEMBERS)
    frames = [*failure.frames, *_remote_frames(failure)]  # where the result was read, and where the task failed
    lines += frame_lines(frames, cell_name, 1 if is_short else _MOST_FRAMES)
    lines += syntax_lines(failure.exception)
    lines += cause_lines(failure.exception, cell_name, 1 if is_short else _MOST_CAUSES)
    hint = hint_for(failure.exception) or _retries_hint(run, failure)
    if hint:
        lines.append(hint_line(hint))
    return lines


def _retries_hint(run: Run, failure: Failure) -> str:
    """Return why the retries of a node weren't used, `""` if they were."""
    if failure.phase is not Phase.FAILED or isinstance(failure.exception, FlytenbError):
        return ""
    node = run.graph.nodes.get(failure.path) or run.graph.nodes.get(failure.path.rpartition("/")[0])
    retries = 0 if node is None else int(node.settings.get("retries", 0))
    attempts = run.nodes[failure.path].attempts if failure.path in run.nodes else 1
    if attempts > retries or is_recoverable(failure.exception):
        return ""
    unused = count_text(retries - attempts + 1, "retry", "retries")
    return f"{unused} left: only a FlyteRecoverableException is retried, as on a cluster"


def _place(run: Run, failure: Failure) -> str:
    # a timeout of ours has said it in its message
    is_said = isinstance(failure.exception, NodeTimeoutError)
    verb = "" if is_said else " timed out" if failure.phase is Phase.TIMED_OUT else " failed"
    attempts = run.nodes[failure.path].attempts if failure.path in run.nodes else 1
    tries = f"{',' if is_said else ' at'} attempt {attempts}" if attempts > 1 else ""
    if not failure.path:
        return cut(f"  the run of {clean(run.name)}{verb} outside of its nodes")
    return cut(f"  node {named_path(run, failure.path)} of {clean(run.name)}{verb}{tries}")


def named_path(run: Run, path: str) -> str:
    """Return the path of a node and the name of its task: `n0/n1 (train)`, `n2/0 (half[0])` for an element of a map."""
    name = clean(run.graph.entity_name(path))
    return f"{path} ({name})" if name else path


def named_inputs(run: Run, path: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return inputs with names that a reader knows: flytekit's name of the only input of a gate is `o0`."""
    node = run.graph.nodes.get(path)
    if node is None or node.kind is not Kind.GATE:
        return inputs
    return dict(zip(("value",), inputs.values(), strict=False))


def _inputs(inputs: Mapping[str, Any]) -> str:
    """Return the inputs on one line; long ones share the room that short ones leave."""
    texts = {name: brief(value, _SHORT) for name, value in inputs.items()}
    long = [name for name, text in texts.items() if len(text) >= _SHORT - _SHORT // 4]
    used = sum(len(name) + 3 + (0 if name in long else len(text)) for name, text in texts.items())
    room = (WIDTH - len("  inputs: ") - used) // max(len(long), 1)
    texts |= {name: brief(inputs[name], max(room, _SHORT)) for name in long}
    return cut(f"  inputs: {', '.join(f'{clean(name)}={text}' for name, text in texts.items())}")


def _remote_frames(failure: Failure) -> list[traceback.FrameSummary]:
    cause = failure.exception.__cause__
    if cause is None or not type(cause).__module__.startswith("flytenb."):
        return []
    found = [
        traceback.FrameSummary(
            file, int(line), name, line=code or None, lookup_line=False
        )  # the source of cells exists only in this process
        for file, line, name, code in _REMOTE_FRAME.findall(str(cause))
    ]
    # Our own message replaces the frames of a library.
    is_ours = isinstance(failure.exception, FlytenbError)
    own = [f for f in found if not is_foreign(f.filename) and not _is_pool(f.filename)]
    return [f for f in own if not (is_ours and is_library(f.filename))]


def _is_pool(filename: str) -> bool:
    return filename.startswith((*package_roots("loky"), *package_roots("concurrent")))


def _members(error: BaseException, cell_name: CellName, most: int) -> list[str]:
    """Return the members of an exception group, nested groups included."""
    if not isinstance(error, BaseExceptionGroup):
        return []
    members = list(_leaves(error))
    lines = [cut(f"  · {_with_place(member, cell_name)}") for member in members[:most]]
    left_out = len(members) - len(lines)
    return [*lines, f"  · and {more_text(left_out)}"] if left_out else lines


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _leaves(member)
    else:
        yield error


def cause_lines(error: BaseException, cell_name: CellName, most: int) -> list[str]:
    """Return the chain of causes and contexts, one per line."""
    lines: list[str] = []
    seen = {id(error)}
    at = error
    while len(lines) < most:
        is_cause = at.__cause__ is not None
        following = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        if following is None or id(following) in seen or type(following).__module__.startswith("flytenb."):
            break
        if not _is_redundant(at, following, is_cause):
            how = "caused by" if is_cause else "while handling"
            lines.append(cut(f"  {how} {_with_place(following, cell_name)}"))
        seen.add(id(following))
        at = following
    return lines


def _is_redundant(error: BaseException, following: BaseException, is_cause: bool) -> bool:
    """Return whether a cause repeats our message or flytekit's, or is internal to flytekit."""
    if isinstance(error, FlytenbError):
        return not own_frames(following.__traceback__)
    if not is_flytekits(error):
        return False
    return shown_message(following) in shown_message(error) or (
        not is_cause and not own_frames(following.__traceback__)
    )


def _with_place(error: BaseException, cell_name: CellName) -> str:
    frames = own_frames(error.__traceback__)
    return f"{message_lines(error, 1)[0]}{f' ({frame_place(frames[-1], cell_name)})' if frames else ''}"


def _also_failed(run: Run) -> list[str]:
    if not run.also_failed:
        return []
    shown = run.also_failed[:3]
    room = WIDTH // len(shown)
    others = [clip(f"{named_path(run, f.path)}: {message_lines(f.exception, 1)[0]}", room) for f in shown]
    return [cut(f"  also failed: {', '.join(others)}{', …' if len(run.also_failed) > 3 else ''}")]


def _not_run(run: Run) -> list[str]:
    """Return the nodes that were stopped and those that never ran, without the elements of maps."""
    graph = run.graph.nodes
    failed = [f.path for f in (run.error, *run.also_failed) if f is not None]
    nodes = [
        n
        for n in run.nodes.values()
        if n.phase in (Phase.ABORTED, Phase.QUEUED)
        and n.path in graph
        and not any(path.startswith(f"{n.path}/") for path in failed)  # it failed because of a node inside it
    ]
    return [
        *_listed("stopped", [named_path(run, n.path) for n in nodes if n.started is not None]),
        *_listed("did not run", [named_path(run, n.path) for n in nodes if n.started is None]),
    ]


def _listed(what: str, paths: list[str]) -> list[str]:
    if not paths:
        return []
    return [cut(f"  {what}: {', '.join(paths[:6])}{f', and {more_text(len(paths) - 6)}' if len(paths) > 6 else ''}")]
