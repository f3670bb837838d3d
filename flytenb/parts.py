"""Parts that displays return, and the pieces of input controls: what the author of an extension imports."""

from flytenb.display.limits import Limits
from flytenb.display.part import (
    Column,
    Entry,
    Facts,
    Group,
    Histogram,
    Html,
    Media,
    Note,
    Part,
    Picture,
    Section,
    Slices,
    Table,
    Text,
    Tree,
    Value,
    Window,
)
from flytenb.notebook.forms.control import Control, ControlError, ValueControl
from flytenb.notebook.forms.control_context import ControlContext
from flytenb.notebook.forms.python_source import PythonSource

__all__ = [
    "Column",
    "Control",
    "ControlContext",
    "ControlError",
    "Entry",
    "Facts",
    "Group",
    "Histogram",
    "Html",
    "Limits",
    "Media",
    "Note",
    "Part",
    "Picture",
    "PythonSource",
    "Section",
    "Slices",
    "Table",
    "Text",
    "Tree",
    "Value",
    "ValueControl",
    "Window",
]
