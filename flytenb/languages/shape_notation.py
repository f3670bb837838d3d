"""Shapes: types in prefix notation, one letter each.

`b` bool, `i` int, `d` float, `s` str, `T` datetime, `D` timedelta, `a` date, `n` None, `f` file, `F` directory, `t`
table, `j` anything that JSON has. `l X` is a list of X, `m X` a dict from str to X, `o X` X or None, `r N NAME X …` a
record of N fields. One space separates the words.

Programs of Python cells contain the source of this module: it needs Python 3.8 and nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Shape(NamedTuple):
    """A type in prefix notation.

    Attributes:
        tag: its letter.
        parts: the shapes of items, of values or of fields.
        names: the names of a record's fields.
    """

    tag: str
    parts: list[Any]
    names: list[str]
    size: int

    def __str__(self) -> str:
        return WORDS[self.tag] + (f"[{', '.join(map(str, self.parts))}]" if self.tag in "lmo" else "")


WORDS = {
    "b": "bool", "i": "int", "d": "float", "s": "str", "T": "datetime", "D": "timedelta", "a": "date", "n": "None",
    "f": "file", "F": "directory", "l": "list", "m": "dict", "o": "Optional", "r": "record", "t": "table", "j": "JSON",
}  # fmt: skip
"""What each tag is called in messages."""


def read_shape(text: str) -> Shape:
    """Return the shape that a text in prefix notation is.

    Raises:
        ValueError: for another text.
    """
    words = iter(text.split(" "))
    first: Shape | None = None
    open_: list[Shape] = []
    try:
        while first is None or open_:
            tag = next(words)
            shape = Shape(tag, [], [], int(next(words)) if tag == "r" else int(tag in ("l", "m", "o")))
            if tag not in WORDS or shape.size < 0:
                raise ValueError
            first = first or shape
            if open_:
                open_[-1].parts.append(shape)
            open_.append(shape)
            while open_ and len(open_[-1].parts) == open_[-1].size:
                open_.pop()
            if open_ and open_[-1].tag == "r":
                open_[-1].names.append(next(words))
    except (StopIteration, ValueError):
        raise ValueError(f"expected a shape such as 'l d', got {text!r:.200}") from None
    if next(words, None) is not None:
        raise ValueError(f"expected one shape, got {text!r:.200}")
    return first
