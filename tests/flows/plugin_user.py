"""A user container plugin: the user's function, a configuration that is sent along, and hooks before and after it."""

from dataclasses import asdict, dataclass
from typing import Any

from flytekit import PythonFunctionTask, current_context, task, workflow
from flytekit.configuration import SerializationSettings
from flytekit.core.context_manager import ExecutionParameters
from flytekit.extend import TaskPlugins


@dataclass
class Pool:
    """Configuration of the pool plugin."""

    workers: int
    queue: str = "default"


class PoolTask(PythonFunctionTask[Pool]):
    """Opens a pool for its function, and checks what comes out of it."""

    def __init__(self, task_config: Pool, task_function: Any, **kwargs: Any) -> None:
        super().__init__(
            task_config=task_config, task_function=task_function, task_type="pool", task_type_version=2, **kwargs
        )

    def pre_execute(self, user_params: ExecutionParameters) -> ExecutionParameters:
        return user_params.builder().add_attr("POOL", list(range(self.task_config.workers))).build()

    def post_execute(self, user_params: ExecutionParameters, rval: Any) -> Any:
        return sorted(rval)

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        return asdict(self.task_config)


TaskPlugins.register_pythontask_plugin(Pool, PoolTask)


@task(task_config=Pool(workers=3))
def share(total: int) -> list[int]:
    workers = current_context().pool
    return [total // len(workers) + worker for worker in reversed(workers)]


@workflow
def plugin_user(total: int) -> list[int]:
    return share(total=total)


ENTITY = plugin_user
INPUTS = {"total": 30}
EXPECTED = [10, 11, 12]
