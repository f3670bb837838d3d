"""What a language is: how a cell's code becomes a program that reads typed inputs and writes typed outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

INPUTS = "/var/inputs"
OUTPUTS = "/var/outputs"
"""The directories of every container cell."""


@dataclass(frozen=True)
class CellPort:
    """One input or output of a cell, as its program sees it.

    Attributes:
        shape: the type in prefix notation, as `l d` for a list of floats; see `docs/languages.md`.
        is_encoded: whether the file holds the lines of `languages.lines`; else it has the form that co-pilot reads and
            writes.
    """

    shape: str
    is_encoded: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell to be made into a program.

    Attributes:
        code: the cell's own text.
        inputs: by name, in declared order.
        outputs: by name, in declared order.
    """

    code: str
    inputs: Mapping[str, CellPort]
    outputs: Mapping[str, CellPort]


@dataclass(frozen=True)
class Language:
    """A language of container cells.

    Attributes:
        name: as in `--lang NAME`.
        title: as drawings show it.
        aliases: other names.
        image: the image of a cell that names none.
        interpreter: the program that is looked for on PATH where no image is used.
        command: makes the words of the command of a program's text, at most 128 KiB.
        program: makes the program's text of a cell. It reads the directories' paths from the environment variables
            FLYTENB_INPUTS and FLYTENB_OUTPUTS, if set; on an error of the cell's code it writes the message, with the
            line of the cell as `line N: TEXT OF THE LINE`, to `_ERROR` among the outputs and exits with status 1.
        refuse: returns why a name or a shape of an input (True) or output (False) can't be used, `""` if it can.
        highlight: the name of the language in Pygments and CodeMirror.
        has_categories: whether its tables have columns of categories.
        has_zones: whether its datetimes have time zones.
    """

    name: str
    title: str
    image: str
    interpreter: str
    command: Callable[[str], list[str]]
    program: Callable[[Cell], str]
    refuse: Callable[[str, CellPort, bool], str]
    highlight: str
    aliases: tuple[str, ...] = ()
    has_categories: bool = True
    has_zones: bool = True
