"""Tasks that a connector runs: one that answers at once, one that is asked until it is done."""

from dataclasses import dataclass
from typing import Any

from flyteidl.core.execution_pb2 import TaskExecution
from flytekit import kwtypes, task, workflow
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase,
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
    SyncConnectorBase,
    SyncConnectorExecutorMixin,
)
from flytekit.models.literals import LiteralMap
from flytekit.models.task import TaskTemplate


@dataclass
class JobMeta(ResourceMeta):
    """What the job needs to be found again."""

    number: int
    polls: int = 0


def read_number(inputs: LiteralMap | None) -> int:
    return inputs.literals["x"].scalar.primitive.integer


class SquareConnector(SyncConnectorBase):
    name = "square connector"

    def __init__(self) -> None:
        super().__init__(task_type_name="square")

    def do(
        self, task_template: TaskTemplate, output_prefix: str, inputs: LiteralMap | None = None, **kwargs
    ) -> Resource:
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": read_number(inputs) ** 2})


class SlowAddConnector(AsyncConnectorBase):
    name = "slow add connector"
    jobs: dict[int, int] = {}

    def __init__(self) -> None:
        super().__init__(task_type_name="slow_add", metadata_type=JobMeta)

    def create(self, task_template: TaskTemplate, inputs: LiteralMap | None = None, **kwargs) -> JobMeta:
        number = read_number(inputs)
        self.jobs[number] = 0
        return JobMeta(number=number)

    def get(self, resource_meta: JobMeta, **kwargs) -> Resource:
        self.jobs[resource_meta.number] += 1
        if self.jobs[resource_meta.number] < 2:
            return Resource(phase=TaskExecution.RUNNING, message="still adding")
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": resource_meta.number + 100})

    def delete(self, resource_meta: JobMeta, **kwargs) -> None:
        self.jobs.pop(resource_meta.number, None)


ConnectorRegistry.register(SquareConnector(), override=True)
ConnectorRegistry.register(SlowAddConnector(), override=True)


class SquareTask(SyncConnectorExecutorMixin, PythonTask):
    def __init__(self, name: str) -> None:
        super().__init__(
            task_type="square", name=name, interface=Interface(inputs=kwtypes(x=int), outputs=kwtypes(o0=int))
        )


class SlowAddTask(AsyncConnectorExecutorMixin, PythonTask):
    def __init__(self, name: str) -> None:
        super().__init__(
            task_type="slow_add", name=name, interface=Interface(inputs=kwtypes(x=int), outputs=kwtypes(o0=int))
        )

    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"where": "here"}


square = SquareTask(name="square")
slow_add = SlowAddTask(name="slow add")


@task
def inc(x: int) -> int:
    return x + 1


@workflow
def connector(x: int) -> int:
    return inc(x=slow_add(x=square(x=x)))


ENTITY = connector
INPUTS = {"x": 3}
EXPECTED = 110
