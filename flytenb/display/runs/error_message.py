"""Messages, notes and code of errors as lines of a card, without what flytekit adds to them."""

from __future__ import annotations

import re
import subprocess
import textwrap

from flytenb.display.runs.remote_calls import is_rpc, refused_call, server_message
from flytenb.display.runs.stack_frames import cut
from flytenb.errors import FlytenbError, say
from flytenb.wording.text import WIDTH, without_code
from flytenb.wording.values import class_name, clean

_MOST_SAID = 4000
_DUMP = re.compile(r"Flyte Serialized object \(\w+\):(?:\n[ \t]+.*)+")
"""A literal in flytekit's format, one line per brace; written on one line here."""
_EXECUTING = re.compile(r"\AError encountered while executing '[^'\n]*':\n  ")
"""What flytekit puts before the message of an error when a task or workflow is called; the frames have the names."""
_CONVERTING = re.compile(r"\n(?:Failed to convert type .+ to type .+\.\n)?Error Message: (.+)\Z", flags=re.S)
"""What flytekit writes after the name of the output or input: the types in two sentences."""


def message_lines(error: BaseException, most: int) -> list[str]:
    """Return the exception's name and the first lines of its message; all on one line if `most` is 1."""
    message = shown_message(error)
    message = _DUMP.sub(lambda dump: " ".join(dump[0].split()), message[:_MOST_SAID])
    lines = [clean(line.strip()) for line in message.splitlines() if line.strip()]
    name = class_name(error)
    head = f"{name}: {lines[0]}" if lines else name
    if most == 1:
        return [cut(head)]
    wrapped = [part for line in [head, *lines[1:]] for part in textwrap.wrap(line, WIDTH - 2)]
    shown = wrapped[:most]
    if len(wrapped) > most:
        shown[-1] = cut(f"{shown[-1][: WIDTH - 4]} …")
    return [shown[0], *(f"  {line}" for line in shown[1:])]


def process_lines(error: BaseException) -> list[str]:
    """Return the last line of what a failed command wrote, if it was read: of standard error, else of its output."""
    if not isinstance(error, subprocess.SubprocessError):
        return []
    for name in ("stderr", "stdout"):
        said = getattr(error, name, None) or ""
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        if lines := [line for line in text[-_MOST_SAID:].splitlines() if line.strip()]:
            return [cut(f"  its {name}: {clean(lines[-1].strip())}")]
    return []


def shown_message(error: BaseException) -> str:
    """Return an error's message without the code and the cause that flytekit adds; the cause has its own line."""
    if isinstance(error, FlytenbError):
        return error.message
    if is_rpc(error):
        return server_message(error)
    if not is_flytekits(error):
        return _without_prefix(error)
    message = _CONVERTING.sub(r"\n\1", without_code(_without_prefix(error)))
    refused = refused_call(error)
    if refused is None:
        return message
    # flytekit's own message may be "None"; the server's message is then only in the cause.
    return "\n".join([server_message(refused), *([message] if message not in ("None", "") else [])])


def _without_prefix(error: BaseException) -> str:
    said = say(error)
    first = error.args[0] if len(error.args) == 1 else None
    if isinstance(first, str) and said == repr(first):  # a KeyError shows its text as a literal
        said = first if _EXECUTING.match(first) else said
    while prefix := _EXECUTING.match(said):
        said = said[prefix.end() :]
    return said


def is_flytekits(error: BaseException) -> bool:
    """Tell whether the class of an error is flytekit's."""
    return type(error).__module__.startswith("flytekit.")


def first_line(message: str) -> str:
    """Return the first line of the message of an error."""
    return clean(without_code(message).partition("\n")[0])


def note_lines(error: BaseException, most: int) -> list[str]:
    """Return the notes added with `add_note`, one per line."""
    try:
        notes = getattr(error, "__notes__", ())
    except Exception:
        return []
    texts = [note for note in notes if isinstance(note, str)] if isinstance(notes, list | tuple) else []
    lines = [line.strip() for text in texts for line in text[:_MOST_SAID].splitlines() if line.strip()]
    return [cut(f"  note: {clean(line)}") for line in lines[:most]]


def syntax_lines(error: BaseException) -> list[str]:
    """Return the place in the code of a syntax error, which no frame has: the code never ran."""
    if not isinstance(error, SyntaxError) or not error.text or not error.lineno:
        return []
    start, stop = (error.offset or 1) - 1, (error.end_offset or error.offset or 0) - 1
    line = error.text.rstrip("\n")
    width = max(stop - start, 1) if error.end_lineno in (None, error.lineno) else len(line) - start
    left = start - (len(line) - len(line.lstrip()))
    carets = [f"    {' ' * left}{'^' * width}"] if left >= 0 and 4 + left + width <= WIDTH else []
    return [cut(f"  {clean(error.filename or '')}, line {error.lineno}"), cut(f"    {clean(line.strip())}"), *carets]
