"""Answers to gates, as text from the page."""

from __future__ import annotations

import ast
from typing import Any


def parse_answer(text: str, declared: str) -> Any:
    """Return a gate's answer as a Python value: the text itself for `str`, else the literal that it contains.

    Raises:
        ValueError: if it isn't a Python literal such as `3`, `1.5`, `True`, `[1, 2]` or `{"a": 1}`.
    """
    if declared == "str":
        return text
    try:
        return ast.literal_eval({"true": "True", "false": "False", "null": "None"}.get(text.strip(), text.strip()))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(
            f"expected {f'a literal of type {declared}' if declared else 'a Python literal'}, got {text!r}"
        ) from None
