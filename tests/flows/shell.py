"""A shell task between two Python tasks; its output is a file whose place is computed."""

from pathlib import Path

from flytekit import kwtypes, task, workflow
from flytekit.extras.tasks.shell import OutputLocation, ShellTask
from flytekit.types.file import FlyteFile

count_words = ShellTask(
    name="count words",
    script="printf '%s' {inputs.text} | wc -c > {outputs.counted}",
    inputs=kwtypes(text=str),
    output_locs=[OutputLocation(var="counted", var_type=FlyteFile, location="{ctx.working_directory}/count.txt")],
)


@task
def clean(text: str) -> str:
    return text.strip()


@task
def read(counted: FlyteFile) -> int:
    return int(Path(counted).read_text())


@workflow
def shell(text: str) -> int:
    return read(counted=count_words(text=clean(text=text)))


ENTITY = shell
INPUTS = {"text": " hello "}
EXPECTED = 5
