"""Workflows that call code of a user's at every place where a run calls one: a table of hooks.

A hook does nothing until it is armed: then it blocks until it is released, or raises. `beside` waits until the hook is
reached, so that what runs after it shows that other nodes go on meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from flyteidl.core.execution_pb2 import TaskExecution
from flytekit import (
    HashMethod,
    WorkflowFailurePolicy,
    dynamic,
    eager,
    kwtypes,
    map_task,
    task,
    wait_for_input,
    workflow,
)
from flytekit.core.base_task import PythonTask, TaskMetadata
from flytekit.core.interface import Interface
from flytekit.core.node_creation import create_node
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase,
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
    SyncConnectorBase,
    SyncConnectorExecutorMixin,
)
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType

from tests.waiting import PATIENCE


class Own(BaseException):
    """An exception of a user's that is no `Exception`."""


RAISED: tuple[type[BaseException], ...] = (
    ValueError,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    MemoryError,
    StopIteration,
    Own,
)


class Hook:
    """What a user supplies: armed for one place, it blocks or raises there."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.release = threading.Event()
        self.disarm()

    def disarm(self) -> None:
        self.place, self.later, self.raises, self.certain = "", "", None, False
        self.release.set()

    def arm(
        self, place: str, raises: type[BaseException] | None = None, *, later: bool = False, certain: bool = True
    ) -> None:
        """Let the hook block, or raise, whenever this place is reached.

        Args:
            place: the name that the place gives.
            raises: what is raised there; without it the hook blocks.
            later: the hook is armed once the task `arms` has run.
            certain: the place is reached in any case, so that `beside` waits for it.
        """
        self.certain = certain
        self.reached, self.release = threading.Event(), threading.Event()
        self.place, self.later, self.raises = ("", place, raises) if later else (place, "", raises)

    def __call__(self, place: str) -> None:
        if place != self.place:
            return
        release = self.release
        self.reached.set()
        if self.raises is not None:
            raise self.raises("from the hook")
        release.wait(10 * PATIENCE)


hook = Hook()
went_on = threading.Event()


@task
def beside(x: int) -> int:
    if hook.raises is None:
        hook.reached.wait(PATIENCE if hook.certain else 0.1)
    return x


@task
def after(x: int) -> int:
    went_on.set()
    return x + 1


@task
def arms(x: int) -> None:
    hook.place = hook.later or hook.place


@task
def trivial(x: int) -> int:
    return x + 1


GO_ON = WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE

# --- values of a type with a transformer ----------------------------------------------------------------------------


class Odd:
    def __init__(self, number: int) -> None:
        self.number = number


class OddTransformer(TypeTransformer[Odd]):
    def __init__(self) -> None:
        super().__init__("odd", Odd)

    def get_literal_type(self, t: type[Odd]) -> LiteralType:
        hook("get_literal_type")
        return LiteralType(simple=SimpleType.INTEGER)

    def to_literal(self, ctx: Any, value: Odd, python_type: Any, expected: Any) -> Literal:
        hook("to_literal")
        return Literal(scalar=Scalar(primitive=Primitive(integer=value.number)))

    def to_python_value(self, ctx: Any, literal: Literal, expected: Any) -> Odd:
        hook("to_python_value")
        return Odd(literal.scalar.primitive.integer)


TypeEngine.register(OddTransformer(), additional_types=[])


@task
def odd(x: int) -> Odd:
    return Odd(x)


@task
def odds(x: int) -> list[Odd]:
    return [Odd(i) for i in range(x)]


@task
def number(o: Odd) -> int:
    return o.number


def in_between(first: Any, second: Any) -> None:
    """Let the hook be armed after one node and before another."""
    armed = arms(x=1)
    first >> armed
    armed >> second


@workflow(failure_policy=GO_ON)
def one_value(x: int) -> tuple[int, int]:
    made = odd(x=x)
    found = number(o=made)
    in_between(made, found)
    return found, after(x=beside(x=x))


@workflow(failure_policy=GO_ON)
def mapped(x: int) -> tuple[list[int], int]:
    made = odds(x=x)
    found = map_task(number)(o=made)
    in_between(made, found)
    return found, after(x=beside(x=x))


@eager
async def eager_number(o: Odd) -> int:
    return number(o=odd(x=o.number))


@workflow(failure_policy=GO_ON)
def to_eager(x: int) -> tuple[int, int]:
    made = odd(x=x)
    found = create_node(eager_number, o=made).o0
    in_between(made, found)
    return found, after(x=beside(x=x))


@dynamic
def grown(o: Odd) -> int:
    hook("body of a dynamic")
    return number(o=Odd(o.number))


@workflow(failure_policy=GO_ON)
def to_dynamic(x: int) -> tuple[int, int]:
    made = odd(x=x)
    found = grown(o=made)
    in_between(made, found)
    return found, after(x=beside(x=x))


# --- values and exceptions with methods of their own ----------------------------------------------------------------


class Thing:
    """Goes by pickle."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        hook("str of a value")
        return "thing"

    def __repr__(self) -> str:
        hook("repr of a value")
        return "Thing()"

    def __eq__(self, other: object) -> bool:
        hook("eq of a value")
        return self is other

    def __hash__(self) -> int:
        hook("hash of a value")
        return 1

    def __reduce__(self) -> Any:
        hook("reduce of a value")
        return Thing, (self.number,)


class Talkative(Exception):
    def __str__(self) -> str:
        hook("str of an exception")
        return "talkative"

    def __repr__(self) -> str:
        hook("repr of an exception")
        return "Talkative()"

    def __eq__(self, other: object) -> bool:
        hook("eq of an exception")
        return self is other

    def __hash__(self) -> int:
        hook("hash of an exception")
        return 1

    def __reduce__(self) -> Any:
        hook("reduce of an exception")
        return Talkative, ()


@task
def thing(x: int) -> Thing:
    return Thing(x)


@task
def weigh(t: Thing) -> int:
    return t.number


@workflow(failure_policy=GO_ON)
def things(x: int) -> tuple[int, int]:
    return weigh(t=thing(x=x)), after(x=beside(x=x))


@task
def talks(x: int) -> int:
    if x:
        raise Talkative
    return x


@task(retries=1)
def handle(x: int) -> None:
    return None


@workflow(failure_policy=GO_ON, on_failure=handle)
def fails(x: int) -> tuple[int, int]:
    return talks(x=x), after(x=beside(x=x))


# --- hash methods, connectors, gates ---------------------------------------------------------------------------------


def digest(t: Thing) -> str:
    hook("hash method")
    return str(t.number)


@task
def hashed(x: int) -> Annotated[Thing, HashMethod(digest)]:
    return Thing(x)


@task(cache=True, cache_version="hooks")
def weigh_once(t: Annotated[Thing, HashMethod(digest)]) -> int:
    return t.number


@workflow(failure_policy=GO_ON)
def cached(x: int) -> tuple[int, int]:
    return weigh_once(t=hashed(x=x)), after(x=beside(x=x))


@dataclass
class JobMeta(ResourceMeta):
    number: int


class Service(AsyncConnectorBase):
    name = "hooked"

    def __init__(self) -> None:
        super().__init__(task_type_name="hooked", metadata_type=JobMeta)

    async def create(self, task_template: Any, inputs: Any = None, **kwargs: Any) -> JobMeta:
        hook("create of a connector")
        return JobMeta(1)

    async def get(self, resource_meta: JobMeta, **kwargs: Any) -> Resource:
        hook("get of a connector")
        if hook.place == "delete of a connector":
            if went_on.is_set():
                hook.reached.set()
            return Resource(phase=TaskExecution.RUNNING)
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": 1})

    def delete(self, resource_meta: JobMeta, **kwargs: Any) -> None:
        hook("delete of a connector")


class Blocking(SyncConnectorBase):
    name = "hooked_blocking"

    def __init__(self) -> None:
        super().__init__(task_type_name="hooked_blocking")

    def do(self, task_template: Any, output_prefix: str, inputs: Any = None, **kwargs: Any) -> Resource:
        hook("do of a connector")
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": 1})


ConnectorRegistry.register(Service(), override=True)
ConnectorRegistry.register(Blocking(), override=True)
INTERFACE = Interface(inputs=kwtypes(x=int), outputs=kwtypes(o0=int))


class ServiceTask(AsyncConnectorExecutorMixin, PythonTask):  # type: ignore[misc]
    def __init__(self, name: str, **metadata: Any) -> None:
        super().__init__(task_type="hooked", name=name, interface=INTERFACE, metadata=TaskMetadata(**metadata))


class BlockingTask(SyncConnectorExecutorMixin, PythonTask):  # type: ignore[misc]
    def __init__(self, name: str) -> None:
        super().__init__(task_type="hooked_blocking", name=name, interface=INTERFACE)


service = ServiceTask("hooked")
late_service = ServiceTask("late_hooked", timeout=timedelta(milliseconds=50))
blocking = BlockingTask("hooked_blocking")


@workflow(failure_policy=GO_ON)
def on_service(x: int) -> tuple[int, int]:
    return service(x=x), after(x=beside(x=x))


@workflow(failure_policy=GO_ON)
def on_late_service(x: int) -> tuple[int, int]:
    return late_service(x=x), after(x=trivial(x=x))


@workflow(failure_policy=GO_ON)
def on_blocking(x: int) -> tuple[int, int]:
    return blocking(x=x), after(x=beside(x=x))


@workflow(failure_policy=GO_ON)
def asks(x: int) -> tuple[int, int]:
    return number(o=wait_for_input("odd", timeout=timedelta(hours=1), expected_type=Odd)), after(x=beside(x=x))


# --- plain workflows -------------------------------------------------------------------------------------------------


@workflow(failure_policy=GO_ON)
def plain(x: int) -> tuple[int, int]:
    return trivial(x=trivial(x=x)), after(x=beside(x=x))


watched = threading.Event()
"""Set once a job has been added, so that the run isn't over before."""


@task
def after_watching(x: int) -> int:
    watched.wait(PATIENCE)
    return x


@workflow(failure_policy=GO_ON)
def watched_run(x: int) -> tuple[int, int]:
    return after_watching(x=x), after(x=x)


def add_finish_job(run: Any) -> None:
    run.on_finish(finish_job)
    watched.set()


def listener(event: Any) -> None:
    hook("listener")


def finish_job() -> None:
    hook("finish job")


@dataclass(frozen=True)
class Place:
    """A place where user's code is called: the hook's name, the workflow that reaches it, and what starts it.

    Attributes:
        name: what the hook is armed for.
        entity: what is run.
        settings: of the run.
        watch: called with the run once it has started.
        harms: whether what the hook raises may fail the run; False if the run must succeed, True if either is right.
        later: whether the hook is armed once the value has been made.
        certain: whether every run of the entity calls the hook.
        compiles: whether flytekit calls the hook while it compiles, which is done by one thread of a process at a time.
    """

    name: str
    entity: Any
    settings: tuple[tuple[str, Any], ...] = ()
    watch: Callable[[Any], Any] | None = None
    harms: bool = True
    later: bool = False
    certain: bool = False
    compiles: bool = False

    def __repr__(self) -> str:
        parts = [self.name, self.entity.name.rpartition(".")[2], *(name for name, _ in self.settings)]
        return "-".join([*parts, *(["later"] if self.later else [])])


STRICT = (("strict", True),)
_TYPED = (one_value, mapped, to_eager, to_dynamic)
PLACES = [
    *(Place(f"to_{way}", e, certain=True) for e in _TYPED for way in ("literal", "python_value")),
    *(Place(f"to_{way}", e, later=True) for e in _TYPED for way in ("literal", "python_value")),
    Place("get_literal_type", mapped),
    Place("get_literal_type", to_dynamic, later=True, compiles=True),
    Place("body of a dynamic", to_dynamic, certain=True),
    *(Place(f"{m} of a value", things) for m in ("str", "repr", "eq", "hash")),
    Place("reduce of a value", things, certain=True),
    *(Place(f"{m} of a value", things, STRICT) for m in ("repr", "reduce")),
    *(Place(f"{m} of an exception", fails) for m in ("str", "repr", "eq", "hash", "reduce")),
    Place("hash method", cached, certain=True),
    *(Place(f"{m} of a connector", on_service, certain=m != "delete") for m in ("create", "get", "delete")),
    Place("do of a connector", on_blocking, certain=True),
    Place("listener", plain, (("listeners", (listener,)),), harms=False, certain=True),
    Place("finish job", watched_run, (), add_finish_job, harms=False),
]
"""Every place."""
