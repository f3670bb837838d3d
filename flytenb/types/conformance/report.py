"""Checks of a type, a task plugin or a connector, run: for each one what happened, and the fix if it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from flytenb.bridge.context import Workspace
from flytenb.bridge.entities.inputs import read_inputs
from flytenb.bridge.execution.connector_facts import is_sync
from flytenb.bridge.execution.connector_loop import ConnectorLoop
from flytenb.bridge.type_engine.scratch_storage import scratch_storage
from flytenb.bridge.type_engine.transformers import captured_log, find_transformer
from flytenb.types.conformance.checks import CHECKS
from flytenb.types.conformance.connector_checks import ASYNC_CHECKS, SYNC_CHECKS
from flytenb.types.conformance.connector_subject import ConnectorSubject
from flytenb.types.conformance.plugin_checks import PLUGIN_CHECKS
from flytenb.types.conformance.plugin_subject import PluginSubject
from flytenb.types.conformance.subject import BrokenError, NotCheckedError, Subject
from flytenb.types.conformance.time_limit import PATIENCE, NoEndError, call_in_time
from flytenb.types.round_trip import explain
from flytenb.types.samples import NoSampleError, sample_of
from flytenb.wording.quantities import duration_text

S = TypeVar("S")


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: the check.
        ok: whether it passed.
        what: what happened.
        fix: how to fix it, `""` if it passed.
        is_checked: False if it couldn't be done; `what` is the reason, and `ok` is True.
    """

    name: str
    ok: bool
    what: str
    fix: str = ""
    is_checked: bool = True


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
        return run_each(CHECKS, subject)


def run_plugin_checks(
    task: Any, inputs: Mapping[str, Any] | None = None, patience: float = PATIENCE
) -> tuple[Check, ...]:
    """Check a task of a plugin; after a check that doesn't end, the others aren't done.

    Args:
        task: the task.
        inputs: its inputs by name; those that are missing and have no default are made from their types.
        patience: seconds that one check may take.

    Raises:
        NoSampleError: if an input is missing and can't be made.
        InputError: for invalid inputs.
    """
    with scratch_storage() as stored, captured_log():
        given = _complete(task, inputs or {}, stored.parent / "samples")
        subject, hangs = PluginSubject(task, given, stored.parent, patience), ""
        rows = []
        for name, check in PLUGIN_CHECKS:
            if hangs:
                rows.append(Check(name, True, f"not checked: {hangs!r} doesn't end", is_checked=False))
                continue
            try:
                rows.append(call_in_time(partial(_run, name, check, subject), patience, subject.stop, subject.place))
            except NoEndError as late:
                hangs, where = name, f", in {late}" if str(late) else ""
                what = f"no end after {duration_text(patience)}{where}"
                rows.append(Check(name, False, what, "a hook must end; pass patience=… if it needs longer"))
        return tuple(rows)


def run_connector_checks(
    connector: Any, task: Any, inputs: Mapping[str, Any], failing: Mapping[str, Any] | None, patience: float
) -> tuple[Check, ...]:
    """Check a connector; on a thread, since a notebook's own event loop runs.

    Args:
        connector: the connector.
        task: a task that it runs.
        inputs: inputs with which a job succeeds; those that are missing are defaults, or made from their types.
        failing: inputs with which a job fails, None if there are none.
        patience: seconds to wait for the end of a call, and for that of a job.

    Raises:
        NoSampleError: if an input is missing and can't be made.
    """
    checks = SYNC_CHECKS if is_sync(connector) else ASYNC_CHECKS

    def work() -> tuple[Check, ...]:
        workspace, loop = Workspace(), ConnectorLoop()
        try:
            with scratch_storage() as stored, captured_log():
                given = _complete(task, inputs, stored.parent / "samples")
                subject = ConnectorSubject(connector, task, given, failing, patience, workspace, loop)
                return run_each(checks, subject)
        finally:
            loop.close()
            workspace.close()

    with ThreadPoolExecutor(1, "flytenb-checks") as pool:
        return pool.submit(work).result()


def _complete(task: Any, given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    made = dict(given)
    for each in read_inputs(task):
        if each.name in made:
            continue
        if each.has_default:
            made[each.name] = each.default
        else:
            try:
                made[each.name] = sample_of(each.type, folder)
            except NoSampleError as error:
                hint = f"pass it: flytenb.check_plugin(task, {{{each.name!r}: …}})"
                raise NoSampleError(f"input {each.name!r}: {error.message}", hint) from error
    return made


def run_each(checks: Iterable[tuple[str, Callable[[S], str]]], subject: S) -> tuple[Check, ...]:
    """Run checks on a subject, each whatever became of those before it."""
    return tuple(_run(name, check, subject) for name, check in checks)


def _made(python_type: Any, folder: Path) -> Any:
    try:
        return sample_of(python_type, folder)
    except NoSampleError as error:
        raise NoSampleError(error.message, "pass some: flytenb.check_transformer(T, [sample, …])") from error


def _run(name: str, check: Callable[[S], str], subject: S) -> Check:
    try:
        return Check(name, True, check(subject))
    except NotCheckedError as reason:
        return Check(name, True, f"not checked: {reason}", is_checked=False)
    except BrokenError as broken:
        return Check(name, False, broken.what, broken.fix)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Check(name, False, f"raised {explain(error)}", "fix what raised this, or the rows above first")


def _values_of_other_types(python_type: Any) -> Iterator[Any]:
    for value in (object(), 12345, "another type"):
        if not isinstance(python_type, type) or not isinstance(value, python_type):
            yield value
