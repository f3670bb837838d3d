"""All checks of a type, run: for each one what happened, and the fix if it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytenb.bridge.type_engine.scratch_storage import scratch_storage
from flytenb.bridge.type_engine.transformers import captured_log, find_transformer
from flytenb.types.conformance.checks import CHECKS
from flytenb.types.conformance.subject import BrokenError, Subject
from flytenb.types.round_trip import explain
from flytenb.types.samples import NoSampleError, sample_of


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: the check.
        ok: whether it passed.
        what: what happened.
        fix: how to fix it, `""` if it passed.
    """

    name: str
    ok: bool
    what: str
    fix: str = ""


def run_checks(python_type: Any, samples: Iterable[Any] = (), wrong: Sequence[Any] | None = None) -> tuple[Check, ...]:
    """Check a type with samples.

    Args:
        python_type: the type.
        samples: values of it; without any, one is made from the type.
        wrong: values that it must reject; by default an object, a number and a text.

    Raises:
        NoSampleError: if there are no samples and none can be made.
    """
    with scratch_storage() as stored, captured_log():
        given = tuple(samples) or (_made(python_type, stored.parent / "samples"),)
        rejected = tuple(_values_of_other_types(python_type)) if wrong is None else tuple(wrong)
        subject = Subject(python_type, find_transformer(python_type), given, rejected, stored)
        return tuple(_run(name, check, subject) for name, check in CHECKS)


def _made(python_type: Any, folder: Path) -> Any:
    try:
        return sample_of(python_type, folder)
    except NoSampleError as error:
        raise NoSampleError(error.message, "pass some: flytenb.check_transformer(T, [sample, …])") from error


def _run(name: str, check: Callable[[Subject], str], subject: Subject) -> Check:
    try:
        return Check(name, True, check(subject))
    except BrokenError as broken:
        return Check(name, False, broken.what, broken.fix)
    except Exception as error:
        return Check(name, False, f"raised {explain(error)}", "fix what raised this, or the rows above first")


def _values_of_other_types(python_type: Any) -> Iterator[Any]:
    for value in (object(), 12345, "another type"):
        if not isinstance(python_type, type) or not isinstance(value, python_type):
            yield value
