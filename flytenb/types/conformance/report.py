"""A type put to the test: every check run, each row with what happened and how to mend it; showing is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flytenb.types.conformance.case import BrokenError, Case
from flytenb.types.conformance.checks import CHECKS
from flytenb.types.lookup import find_transformer
from flytenb.types.quiet import quiet
from flytenb.types.round_trip import explain
from flytenb.types.samples import NoSampleError, sample_of
from flytenb.types.scratch_folder import laboratory


@dataclass(frozen=True)
class Check:
    """One row of the result.

    Attributes:
        name: what was tried.
        ok: whether it works.
        what: what happened.
        mend: what to do about it, `""` if it works.
    """

    name: str
    ok: bool
    what: str
    mend: str = ""


def run_checks(python_type: Any, samples: Iterable[Any] = (), wrong: Sequence[Any] | None = None) -> tuple[Check, ...]:
    """Try a type on samples of it.

    Args:
        python_type: the type.
        samples: values of it; without any, one is made from the type.
        wrong: values that it must refuse; an object, a number and a text if not given.

    Raises:
        NoSampleError: if there are no samples and none can be made.
    """
    with laboratory() as stored, quiet():
        given = tuple(samples) or (_made(python_type, stored.parent / "samples"),)
        refused = tuple(_strangers(python_type)) if wrong is None else tuple(wrong)
        case = Case(python_type, find_transformer(python_type), given, refused, stored)
        return tuple(_run(name, check, case) for name, check in CHECKS)


def _made(python_type: Any, folder: Path) -> Any:
    try:
        return sample_of(python_type, folder)
    except NoSampleError as error:
        raise NoSampleError(error.message, "give some: flytenb.check_transformer(T, [sample, …])") from error


def _run(name: str, check: Callable[[Case], str], case: Case) -> Check:
    try:
        return Check(name, True, check(case))
    except BrokenError as broken:
        return Check(name, False, broken.what, broken.mend)
    except Exception as error:
        return Check(name, False, f"raised {explain(error)}", "mend what raised this, or the rows above first")


def _strangers(python_type: Any) -> Iterator[Any]:
    """Values that are surely of another type."""
    for value in (object(), 12345, "a stranger"):
        if not isinstance(python_type, type) or not isinstance(value, python_type):
            yield value
