"""Notebook files: the code cells of `.ipynb` and MyST Markdown, and writing a new notebook."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.headless import FileCell

_GRAMMARS = "rfc3987_syntax"


def read_cells(file: Path) -> list[FileCell]:
    """Return the code cells of a notebook; those tagged `skip-execution` are empty.

    Raises:
        UsageError: for a file that isn't a notebook.
    """
    try:
        cells = _read(file)
    except OSError as e:
        raise UsageError(f"can't read {str(file)!r}: {e.strerror}", hint="give the path of a notebook") from None
    except Exception as e:  # of each format's own
        hint = "expected .ipynb of version 4, or MyST Markdown (.md)"
        raise UsageError(f"{str(file)!r} isn't a notebook: {e}", hint=hint) from None
    code = [(_text(cell["source"]), cell["metadata"].get("tags", ())) for cell in cells if cell["cell_type"] == "code"]
    if not code:
        raise UsageError(f"{str(file)!r} has no code cells", hint="in MyST Markdown they begin with ```{code-cell}")
    return [
        FileCell(number, "" if "skip-execution" in tags else source, "raises-exception" in tags)
        for number, (source, tags) in enumerate(code, 1)
    ]


def _read(file: Path) -> list[Mapping[str, Any]]:
    if file.suffix == ".ipynb":
        cells: list[Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return cells
    text = file.read_text(encoding="utf-8")
    with _without_grammars():
        import jupytext
    return list(jupytext.reads(text, fmt=file.suffix or ".md").cells)


def _text(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


@contextmanager
def _without_grammars() -> Iterator[None]:
    """Let jsonschema, which jupytext imports, do without the grammars of addresses: they take seconds to parse."""
    is_hidden = _GRAMMARS not in sys.modules
    if is_hidden:
        sys.modules[_GRAMMARS] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules[_GRAMMARS]
