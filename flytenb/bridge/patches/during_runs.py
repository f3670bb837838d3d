"""What of flytekit is replaced while a run goes on, and put back when the last one has ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from flytekit.types.file.file import FlyteFilePathTransformer

from flytenb.bridge import private
from flytenb.bridge.context import is_in_node
from flytenb.bridge.replacement import Replacement


def _validate_what_exists(validate: Callable[..., None]) -> Callable[..., None]:
    """Let flytekit check the type of a file (with python-magic) only if it is there, as the check's own text says.

    It fails for a file that hasn't been downloaded yet, and so for one that is only handed on (1.16.31).
    """

    @wraps(validate)
    def validate_file_type(self: Any, python_type: Any, source_path: Any) -> None:
        if Path(source_path).exists():
            validate(self, python_type, source_path)

    return validate_file_type


def _miss_in_nodes(get: Callable[..., Any]) -> staticmethod[..., Any]:
    """Let flytekit's local cache miss for what a task's code calls: it runs each time, as in a pod, whose disk is new.

    flytekit's cache would answer with what an older definition returned; so it would for a task that converts its
    values itself, after the run's own cache was asked.
    """
    return staticmethod(lambda *args, **kwargs: None if is_in_node() else get(*args, **kwargs))


def _keep_nothing_in_nodes(put: Callable[..., None]) -> staticmethod[..., None]:
    return staticmethod(lambda *args, **kwargs: None if is_in_node() else put(*args, **kwargs))


_REPLACEMENTS = (
    Replacement(FlyteFilePathTransformer, "validate_file_type", _validate_what_exists),
    Replacement(private.local_cache(), "get", _miss_in_nodes),
    Replacement(private.local_cache(), "set", _keep_nothing_in_nodes),
)


def begin() -> None:
    """Replace it for one more run."""
    for replacement in _REPLACEMENTS:
        replacement.__enter__()


def end() -> None:
    """End that for one run."""
    for replacement in _REPLACEMENTS:
        replacement.__exit__()
