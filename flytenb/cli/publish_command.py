"""The command `publish`, which is also a filter of git: it doesn't import flytekit."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import rich_click as click

from flytenb.display.picture_outputs import move_pictures
from flytenb.errors import SaveError, UsageError
from flytenb.wording.quantities import count_text
from flytenb.wording.text import clean


def _publish(notebook: Path, save: Path | None, as_json: bool) -> int:
    is_stream = str(notebook) == "-"
    try:
        found = sys.stdin.buffer.read() if is_stream else notebook.read_bytes()
        content = json.loads(found)
        number = move_pictures(content)
    except OSError as e:
        raise UsageError(f"can't read {str(notebook)!r}: {e.strerror}", hint="give the path of a notebook") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise UsageError(f"{str(notebook)!r} isn't a notebook", hint="expected .ipynb of version 4") from None
    made = f"{json.dumps(content, ensure_ascii=False, indent=1)}\n".encode() if number else found
    if is_stream and save is None:
        sys.stdout.buffer.write(made)
        return 0
    file = save or notebook
    try:
        _write(file.resolve(), made)
    except OSError as e:
        raise SaveError(f"can't write {str(file)!r}: {e.strerror}") from None
    said = clean(f"wrote {file}: {count_text(number, 'picture')} moved")
    sys.stdout.write(f"{json.dumps({'file': str(file), 'pictures': number}) if as_json else said}\n")
    return 0


def _write(file: Path, content: bytes) -> None:
    """Write a file as a whole: if that fails or is interrupted, what was there before is there still."""
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        if file.exists():
            shutil.copymode(file, part)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


PUBLISH = click.RichCommand(
    name="publish",
    callback=_publish,
    params=[
        click.Option(
            ["--save", "-o"], type=click.Path(path_type=Path), metavar="FILE", help="The file to write; else NOTEBOOK."
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Write the answer as JSON."),
        click.Argument(["notebook"], type=click.Path(path_type=Path), metavar="NOTEBOOK"),
    ],
    help="Move the pictures of a saved notebook's outputs into outputs of their own.\n\n"
    "Sites that remove images from HTML, such as mails, then show them. Nothing is executed. "
    "`-` reads the notebook from standard input and writes it to standard output.",
)
