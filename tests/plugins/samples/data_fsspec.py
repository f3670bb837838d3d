"""Files behind a protocol of fsspec; the package itself is empty, flytekit has the code."""

import fsspec
from flytekit import task, workflow
from flytekit.types.file import FlyteFile


@task
def write(text: str) -> str:
    with fsspec.open("memory://notes/a.txt", "w") as file:
        file.write(text)
    return "memory://notes/a.txt"


@task
def read(path: str) -> str:
    with FlyteFile(path).open("r") as file:
        return file.read()


@workflow
def notes(text: str) -> str:
    return read(path=write(text=text))


ENTITY = notes
INPUTS = {"text": "hello"}
EXPECTED = "hello"
