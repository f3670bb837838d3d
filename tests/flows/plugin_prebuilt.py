"""A pre-built container plugin: the task has an image and a template of its own, and no function of the user's."""

from typing import Any

from flytekit import kwtypes, task, workflow
from flytekit.configuration import SerializationSettings
from flytekit.core.interface import Interface
from flytekit.core.python_customized_container_task import PythonCustomizedContainerTask
from flytekit.core.shim_task import ShimTaskExecutor
from flytekit.models.task import TaskTemplate


class GreetExecutor(ShimTaskExecutor):
    """Runs in the image of the plugin, with the template of the task."""

    def execute_from_model(self, tt: TaskTemplate, **kwargs: Any) -> Any:
        return f"{tt.custom['greeting']} {kwargs['name']}"


class Greeter(PythonCustomizedContainerTask[None]):
    """Greets in the words that it was made with."""

    def __init__(self, name: str, greeting: str) -> None:
        super().__init__(
            name=name,
            task_config=None,
            container_image="project/greeter:v1",
            executor_type=GreetExecutor,
            task_type="greeter",
            interface=Interface(kwtypes(name=str), kwtypes(text=str)),
        )
        self.greeting = greeting

    def get_custom(self, settings: SerializationSettings) -> dict[str, Any]:
        return {"greeting": self.greeting}


greet = Greeter(name="greet", greeting="good day,")


@task
def count(text: str) -> int:
    return len(text)


@workflow
def plugin_prebuilt(name: str) -> int:
    return count(text=greet(name=name))


ENTITY = plugin_prebuilt
INPUTS = {"name": "Bo"}
EXPECTED = len("good day, Bo")
