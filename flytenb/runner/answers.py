"""Answers of a rehearsal: stand-ins for services, found for each task, and the step that takes an answer."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flytenb.bridge.entities.interface import short_name
from flytenb.bridge.execution.backend_request import as_output, is_backend_task, is_replaceable, read_request
from flytenb.bridge.execution.packing import build_packing
from flytenb.bridge.stopping import current_attempt
from flytenb.errors import FlytenbError, closest
from flytenb.locks import new_lock
from flytenb.model.request import Request
from flytenb.reach.state_kinds import MAIN_THREAD
from flytenb.reach.state_uses import NOTHING, StateUse
from flytenb.runner.record import Record
from flytenb.runner.sql_answer import ask, is_connection
from flytenb.runner.step import EntityStep, RunControl, Scope
from flytenb.wording.values import brief

if TYPE_CHECKING:
    from flytenb.bridge.execution.packing import Pack

_NONE = object()


class Answers:
    """The answers of one rehearsal and the requests that they answered.

    Args:
        given: one answer for all tasks, or a mapping from tasks to answers.

    Attributes:
        notes: how statements were translated and what else differs from the service, by node.
        raised: the exceptions that were given as answers and raised.
    """

    def __init__(self, given: Any = None) -> None:
        self._given = given
        self._lock = new_lock()
        self._requests: list[Request] = []
        self._used: set[Any] = set()
        self.notes: dict[str, tuple[str, ...]] = {}
        self.raised: list[BaseException] = []

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests in the order of the nodes, whatever ran first."""
        with self._lock:
            return tuple(sorted(self._requests, key=lambda r: (_order(r.node), r.attempt)))

    @property
    def unused(self) -> tuple[Any, ...]:
        """The keys of the given mapping that no request was answered by, if any was."""
        keys = list(self._given) if isinstance(self._given, Mapping) else []
        return tuple(key for key in keys if key not in self._used) if self._used else ()

    def replaces(self, entity: Any) -> bool:
        """Tell whether a node of an entity is answered instead of run."""
        return is_replaceable(entity) and (is_backend_task(entity) or self._key(entity) is not _NONE)

    def state_use(self, entity: Any) -> StateUse:
        """Return what its answer uses: a connection serves one node at a time, one of SQLite on its own thread."""
        given = self._find(entity)
        if isinstance(given, sqlite3.Connection):
            return StateUse(writes=frozenset({MAIN_THREAD}))
        return StateUse(writes=frozenset({f"connection {id(given)}"})) if is_connection(given) else NOTHING

    def add(self, request: Request) -> None:
        """Keep a request."""
        with self._lock:
            self._requests.append(request)

    def answer(self, task: Any, request: Request) -> Any:
        """Return the outputs of a task in the form in which a task returns them.

        Raises:
            FlytenbError: if no answer was given for the task, or one without its outputs.
            BaseException: the exception that is its answer.
        """
        given = self._find(task)
        key = self._key(task)
        if key is not _NONE:
            self._used.add(key)
        outputs = task.python_interface.outputs
        if given is _NONE:
            if outputs:
                raise self._missing(task, request, outputs)
            return None
        if isinstance(given, BaseException) or (isinstance(given, type) and issubclass(given, BaseException)):
            error = given() if isinstance(given, type) else given
            self.raised.append(error)
            raise error
        if is_connection(given):
            given, self.notes[request.node] = ask(given, request, _row_names(task))
        elif callable(given):
            given = given(request)
        return _in_order(given, outputs, request.task)

    def _key(self, task: Any) -> Any:
        """Return the key of the mapping for a task: itself, its name, type or class, or that of its configuration."""
        if not isinstance(self._given, Mapping):
            return _NONE
        classes = (*type(task).__mro__, *type(getattr(task, "task_config", None)).__mro__)
        for key in (task, short_name(task), task.name, task.task_type, *classes[:-1]):
            if key is not object and key in self._given:
                return key
        return _NONE

    def _find(self, task: Any) -> Any:
        key = self._key(task)
        if key is not _NONE:
            return self._given[key]
        if isinstance(self._given, Mapping):
            is_recorded = set(self._given) == set(task.python_interface.outputs)
            return self._given if is_recorded else _NONE
        return _NONE if self._given is None else self._given

    def _missing(self, task: Any, request: Request, outputs: Mapping[str, Any]) -> FlytenbError:
        shown = ", ".join(f"{name!r}: …" for name in outputs)
        hint = f"with_={{{request.task!r}: {{{shown}}}}}, a frame, a function of the request or a database connection"
        if isinstance(self._given, Mapping) and self._given:
            names = [key for key in self._given if isinstance(key, str)]
            got = closest(request.task, names) or f"got answers for {', '.join(map(brief, self._given))}"
            hint = f"{got}; {hint}"
        return FlytenbError(f"no answer was given for task {request.task!r} (type {request.task_type!r})", hint)


class RequestStep(EntityStep):
    """Read the request of a task, take its answer as the task's outputs."""

    __slots__ = ("answers", "pack")

    def __init__(self, record: Record, scope: Scope, answers: Answers) -> None:
        super().__init__(record, scope)
        self.answers = answers
        self.pack: Pack = build_packing(self.use.entity)

    def execute(self, run: RunControl) -> None:
        task = self.use.entity
        request = read_request(task, self.path, self.tries, self.take_inputs(run), run.workspace)
        self.answers.add(request)
        run.journal.note(self.record, f"{_summary(request)}\n")
        answer: Callable[..., Any] = self.answers.answer
        box = [current_attempt().run(answer, {"task": task, "request": request})]
        run.workspace.enter_to_pack()
        self.put_outputs(self.pack(box), run)


def _summary(request: Request) -> str:
    """Return a request in one or two lines for the log of its node."""
    if request.sql is None:
        data = request.to_dict()  # without passwords
        return f"{request.task_type}: {brief(data.get('call') or data.get('custom', {}))}"
    return f"{request.sql}\n{brief(request.parameters)}" if request.parameters else request.sql


def _in_order(given: Any, outputs: Mapping[str, Any], task: str) -> Any:
    """Return an answer as a task returns it."""
    names = list(outputs)
    if not names:
        return None
    if isinstance(given, Mapping) and (len(names) > 1 or set(given) == set(names)):
        if set(given) != set(names):
            expected, got = (", ".join(map(repr, found)) for found in (names, given))
            raise FlytenbError(f"the answer for task {task!r} must have the outputs {expected}, got {got or 'none'}")
        given = tuple(given[name] for name in names) if len(names) > 1 else given[names[0]]
    if len(names) == 1:
        return as_output(given, outputs[names[0]])
    if isinstance(given, tuple) and len(given) == len(names):
        return tuple(map(as_output, given, outputs.values()))
    return given


def _row_names(task: Any) -> tuple[str, ...]:
    """Return the outputs that are filled from the columns of one row; empty if an output is a table."""
    variables = task.interface.outputs
    if any(v.type.structured_dataset_type or v.type.schema for v in variables.values()):
        return ()
    return tuple(variables)


def _order(path: str) -> list[tuple[int, str]]:
    """Return a key that sorts n2 before n10."""
    return [(int(digits or 0), text) for text, digits in re.findall(r"([^\d]*)(\d*)", path)]
