"""The options of each `%flyte` verb and how many values each takes: read by the verbs, offered by completion."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

NODE_OPTIONS = frozenset({"upstream", "downstream", "between"})
"""Options whose values are nodes of the graph."""

OPTIONS: Mapping[str, Mapping[str, int]] = {
    "draw": {"upstream": 1, "downstream": 1, "between": 2, "depth": 1, "save": 1},
    "run": {"workers": 1, "background": 0, "strict": 0, "no-cache": 0, "processes": 0},
    "runs": {},
    "show": {"explore": 0},
    "type": {"sample": 1},
    "error": {},
    "debug": {},
}


class Help:
    """What one verb does and takes, from its docstring; shows itself as text."""

    def __init__(self, verb: str, handler: Callable[..., Any], options: Mapping[str, int]) -> None:
        self.verb = verb
        self.text = inspect.getdoc(handler) or ""
        self.options = tuple(f"--{name}{' …' * values}" for name, values in options.items())

    def __repr__(self) -> str:
        return "\n".join([f"%flyte {self.verb} {' '.join(f'[{o}]' for o in self.options)}".rstrip(), "", self.text])
