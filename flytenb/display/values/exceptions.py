"""Display of an exception as a value: its message, its causes, its frames."""

from __future__ import annotations

import traceback
from typing import Any

from flytenb.display.part import Entry, Group, Part, Section, Text, Tree
from flytenb.display.registry import BUILT_IN
from flytenb.display.view import View
from flytenb.wording.text import LateError, message_of
from flytenb.wording.values import class_name

register = BUILT_IN.register
_FRAMES = 8
_CAUSES = 5


@register(BaseException)
def show_exception(value: BaseException, view: View) -> Part:
    """Show an exception's message and notes, its frames and its causes."""
    parts: list[Part] = []
    message = _message(value)
    if message:
        parts.append(Text(message[: view.limits.block], missing=max(len(message) - view.limits.block, 0)))
    notes = getattr(value, "__notes__", ())
    parts.extend(Text(note[: view.limits.block]) for note in list(notes)[:4] if isinstance(note, str))
    frames = traceback.extract_tb(value.__traceback__, limit=-_FRAMES)
    if frames:
        lines = tuple(
            Entry(f"{f.filename}:{f.lineno}", "", f"in {f.name}: {f.line or ''}".rstrip(": ")) for f in frames
        )
        parts.append(Section("", ("frames, the last one raised",), Tree(tuple(lines))))
    causes = _causes(value)
    if causes:
        parts.append(Section("", ("caused by",), Tree(tuple(Entry(class_name(c), "", _message(c)) for c in causes))))
    if isinstance(value, BaseExceptionGroup):
        members = view.entries((f"[{i}]", e, None) for i, e in enumerate(value.exceptions))
        parts.append(Tree(members, len(value.exceptions)))
    return Section(class_name(value), (), Group(tuple(parts)) if parts else None)


def _message(error: BaseException) -> str:
    try:
        return message_of(error)
    except LateError as late:
        return f"<its message can't be read: {late}>"
    except Exception as again:
        return f"<its message raised {class_name(again)}>"


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: Any = error
    while at is not None and len(found) < _CAUSES:
        following = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        if following is None or following in found or following is error:
            break
        found.append(following)
        at = following
    return found
