"""A task of a plugin's own type, chosen by its task_config, and a task without any function."""

from dataclasses import dataclass
from typing import Any

from flytekit import PythonFunctionTask, kwtypes, task, workflow
from flytekit.core.interface import Interface
from flytekit.core.python_function_task import PythonInstanceTask
from flytekit.extend import TaskPlugins


@dataclass
class Loud:
    """Configuration of the loud plugin."""

    times: int


class LoudTask(PythonFunctionTask[Loud]):
    """Runs its function and says the answer more than once."""

    def __init__(self, task_config: Loud, task_function: Any, **kwargs: Any) -> None:
        super().__init__(task_config=task_config, task_function=task_function, task_type="loud", **kwargs)

    def execute(self, **kwargs: Any) -> Any:
        return super().execute(**kwargs) * self.task_config.times


TaskPlugins.register_pythontask_plugin(Loud, LoudTask)


class Adder(PythonInstanceTask[None]):
    """Adds what it was made with."""

    def __init__(self, name: str, amount: int) -> None:
        super().__init__(
            name=name, task_config=None, task_type="adder", interface=Interface(kwtypes(text=str), kwtypes(size=int))
        )
        self.amount = amount

    def execute(self, **kwargs: Any) -> Any:
        return len(kwargs["text"]) + self.amount


add_ten = Adder(name="add ten", amount=10)


@task(task_config=Loud(times=2))
def greet(name: str) -> str:
    return f"hi {name} "


@workflow
def plugin_task(name: str) -> int:
    return add_ten(text=greet(name=name))


ENTITY = plugin_task
INPUTS = {"name": "Bo"}
EXPECTED = 22
