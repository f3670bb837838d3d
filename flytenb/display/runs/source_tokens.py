"""The source of a node in the colours of its language: pieces of text of a kind."""

from __future__ import annotations

import re
from itertools import groupby

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound

Pieces = list[tuple[str, str]]
"""Kinds and texts of a line. A kind is `keyword`, `string`, `comment`, `number`, `known` (a name that is defined or
built in) or `""`; the page has a style for each."""
_KINDS = (
    (Comment, "comment"),
    (String, "string"),
    (Number, "number"),
    (Operator.Word, "keyword"),
    (Keyword, "keyword"),
    (Name.Builtin, "known"),
    (Name.Function, "known"),
    (Name.Class, "known"),
    (Name.Decorator, "known"),
)
_FAILED = re.compile(r"^line (\d+): ", re.MULTILINE)


def source_lines(source: str, language: str) -> list[Pieces]:
    """Return the lines of a source, each as its pieces; of an unknown language, each as one piece.

    Args:
        source: the text.
        language: its name in Pygments.
    """
    try:
        tokens = get_lexer_by_name(language, stripnl=False, ensurenl=False).get_tokens(source)
    except ClassNotFound:
        tokens = [(_TokenType(), source)]
    lines: list[Pieces] = [[]]
    for kind, group in groupby(tokens, lambda token: _kind_of(token[0])):
        first, *more = "".join(text for _, text in group).split("\n")
        lines[-1] += [(kind, first)] if first else []
        lines += [[(kind, text)] if text else [] for text in more]
    return lines[:-1] if lines[-1] == [] else lines


def _kind_of(token: _TokenType) -> str:
    return next((kind for base, kind in _KINDS if token in base), "")


def failed_line(message: str) -> int:
    """Return the line that the error of a container cell names, 0 if it names none."""
    found = _FAILED.findall(message)
    return int(found[-1]) if found else 0
