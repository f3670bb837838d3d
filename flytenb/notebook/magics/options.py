"""The options of each `%flyte` verb and what each takes: read by the verbs, told by help, offered by completion."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

Options = Mapping[str, tuple[str, ...]]
"""What a verb's options are called, and the values that each takes."""

OPTIONS: Mapping[str, Options] = {
    "draw": {
        "upstream": ("NODE",),
        "downstream": ("NODE",),
        "between": ("NODE", "NODE"),
        "depth": ("N",),
        "save": ("FILE",),
    },
    "run": {"workers": ("N",), "background": (), "strict": (), "no-cache": (), "processes": ()},
    "runs": {},
    "error": {},
    "debug": {},
    "form": {},
    "show": {"explore": ()},
    "type": {"sample": ("EXPRESSION",)},
    "help": {},
}
TAKES: Mapping[str, str] = {
    "draw": "ENTITY",
    "run": "ENTITY(INPUT=…)",
    "error": "[NODE]",
    "debug": "[NODE]",
    "form": "ENTITY",
    "show": "EXPRESSION",
    "type": "TYPE",
    "help": "[VERB]",
}
"""What stands behind a verb."""


class Help:
    """What one verb does and takes, from its docstring; shows itself as text."""

    def __init__(self, verb: str, handler: Callable[..., Any]) -> None:
        options = (" ".join([f"--{name}", *values]) for name, values in OPTIONS.get(verb, {}).items())
        words = ["%flyte", verb, TAKES.get(verb, ""), *(f"[{option}]" for option in options)]
        self.usage = " ".join(word for word in words if word)
        self.text = inspect.getdoc(handler) or ""

    def __repr__(self) -> str:
        return f"{self.usage}\n\n{self.text}"
