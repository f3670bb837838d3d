"""Print ten docstrings, ten messages and three pages of the docs, picked at random, for review.

Usage: python docs/pick_texts.py [SEED]
"""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

Reader = Callable[[str, str], Iterator[str]]
"""Yields the texts of a file, each under its place, from the name and the content of the file."""


def docstrings(name: str, content: str) -> Iterator[str]:
    """Yield the docstrings of a module."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)):
            yield f"{name}:{getattr(node, 'lineno', 1)} {getattr(node, 'name', '')}\n{text}"


def messages(name: str, content: str) -> Iterator[str]:
    """Yield what a module raises with a message, as it is written there."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            texts = [n.value for n in ast.walk(node.exc) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            if any(" " in text for text in texts):
                yield f"{name}:{node.lineno}\n{ast.unparse(node)}"


def first_paragraph(name: str, content: str) -> Iterator[str]:
    """Yield the first paragraph of a page."""
    blocks = content.split("\n\n")
    yield f"{name}\n{next(block for block in blocks if not block.startswith(('#', '`', '!')))}"


def pick(count: int, read: Reader, files: Iterator[Path], seed: int) -> list[str]:
    """Return some texts of the files; changes of other files don't change which ones of a file are picked first."""
    ranked = []
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        for number, text in enumerate(read(name, file.read_text(encoding="utf-8"))):
            ranked.append((random.Random(f"{seed} {name} {number}").random(), text))
    return [text for _, text in sorted(ranked)[:count]]


def main(seed: int) -> None:
    """Print the texts of a seed."""
    picked = pick(10, docstrings, (ROOT / "flytenb").rglob("*.py"), seed)
    picked += pick(10, messages, (ROOT / "flytenb").rglob("*.py"), seed)
    picked += pick(3, first_paragraph, (ROOT / "docs").rglob("*.md"), seed)
    print(*picked, sep="\n\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10_000))
