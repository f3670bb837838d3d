"""Tasks of functions in their own image: a real one of this Python, in a Docker engine of the tests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from flytenb.bridge import context
from flytenb.errors import ContainerError, ExportError
from flytenb.model import Phase
from tests.engine import docker_engine, import_image
from tests.python_image import IMAGE, packed_python
from tests.ship.notebooks import Notebook, open_notebook
from tests.waiting import PATIENCE, is_soon

CELLS = f'''
import os
import time
from dataclasses import dataclass
from pathlib import Path

import flytekit
import flytenb
from flytekit import map_task, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

IMAGE = "{IMAGE}"
FACTOR = 3

@dataclass
class Part:
    size: int
    file: FlyteFile

def tripled(x: int) -> int:
    return x * FACTOR

@task(container_image=IMAGE, environment={{"WHERE": "there"}})
def build(
    x: int, file: FlyteFile, part: Part, folder: FlyteDirectory
) -> tuple[Part, FlyteFile, dict[str, list[float]], str]:
    print("hello from the image")
    with open("out.txt", "w") as out:
        names = ",".join(sorted(path.name for path in Path(folder).iterdir()))
        out.write(names + Path(file).read_text() + Path(part.file).read_text() + os.environ["WHERE"])
    return Part(tripled(x), FlyteFile("out.txt")), FlyteFile("out.txt"), {{"é": [0.1, float(x)]}}, os.uname().nodename

@task
def describe(part: Part, host: str) -> str:
    return f"{{part.size}} {{Path(part.file).read_text()}} {{host == os.uname().nodename}}"

@workflow
def built(x: int, file: FlyteFile, part: Part, folder: FlyteDirectory) -> tuple[str, FlyteFile, dict[str, list[float]]]:
    made, copy, numbers, host = build(x=x, file=file, part=part, folder=folder)
    return describe(part=made, host=host), copy, numbers

@task(container_image=IMAGE, retries=1)
def second(x: int) -> int:
    checkpoint = flytekit.current_context().checkpoint
    if checkpoint.read() is None:
        checkpoint.write(b"begun")
        raise FlyteRecoverableException("not yet")
    if x < 0:
        raise ValueError(f"negative: {{x}}")
    return x + 1

@workflow
def seconds(xs: list[int]) -> list[int]:
    return map_task(second)(x=xs)

@task(container_image=IMAGE)
def endless(x: int) -> int:
    print("ready", flush=True)
    time.sleep(100_000)
    return x
'''


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with docker_engine() as address:
        import_image(address, packed_python(), IMAGE)
        yield address


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setattr(context, "_announced", {})
    with open_notebook() as notebook:
        notebook.run(CELLS)
        yield notebook


@pytest.fixture
def there(notebook: Notebook, engine: str, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.setenv("DOCKER_HOST", engine)
    return notebook


def start(notebook: Notebook, name: str, engine: str = "docker", **inputs: Any) -> Any:
    notebook.names["given"] = inputs
    notebook.run(f"started = flytenb.options(engine={engine!r}).start({name}, **given)")
    return notebook.names["started"]


def error_of(done: Any, kind: type[Exception]) -> str:
    assert done.phase is Phase.FAILED
    assert type(done.error.exception) is kind, done.error.full()
    return str(done.error.exception)


@pytest.mark.slow
@pytest.mark.docker
def test_values_and_files_go_in_and_come_out(there: Notebook, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("in,")
    file, part, folder = (there.names[name] for name in ("FlyteFile", "Part", "FlyteDirectory"))
    path = str(tmp_path / "a")
    given = {"file": file(path), "part": part(1, file(path)), "folder": folder(str(tmp_path))}
    done = start(there, "built", x=2, **given).wait()
    assert done.error is None, done.error.full()
    told, copy, numbers = done.result
    assert told == "6 a,bin,in,there False"
    assert Path(copy).read_text() == "a,bin,in,there"
    assert numbers == {"é": [0.1, 2.0]}
    assert "hello from the image\n" in done.nodes["build"].log


@pytest.mark.slow
@pytest.mark.docker
def test_a_recoverable_error_is_tried_again_and_another_is_the_nodes(there: Notebook) -> None:
    done = start(there, "seconds", xs=[-7]).wait()
    said = error_of(done, ContainerError)
    assert said.startswith("task 'second' failed in image 'localhost/tasks:1': ValueError: negative: -7\n")
    assert 'File "flytenb_cells.py", line' in said
    assert "in second\n" in said
    assert done.nodes["n0/0"].attempts == 2


@pytest.mark.slow
@pytest.mark.docker
def test_a_cancelled_task_leaves_no_container(there: Notebook, engine: str) -> None:
    run = start(there, "endless", x=1)
    assert is_soon(lambda: "ready" in run.nodes["n0"].log or run.phase.is_terminal, PATIENCE)
    assert run.cancel().wait().phase is Phase.ABORTED
    client = docker.DockerClient(base_url=engine)
    assert is_soon(lambda: client.api.containers(all=True) == [], PATIENCE)  # one request, since it may vanish
    client.close()


@pytest.mark.slow
@pytest.mark.docker
def test_what_the_image_lacks_is_named(there: Notebook) -> None:
    there.run("""
        import pytest as testing

        @task(container_image=IMAGE)
        def test(x: int) -> int:
            return testing.approx(x).expected
    """)
    said = error_of(start(there, "test", x=1).wait(), ContainerError)
    assert f"task 'test' can't run in its image '{IMAGE}': it has no pytest (pytest {pytest.__version__})" in said
    assert "ImageSpec(packages=" in said


@pytest.mark.slow
@pytest.mark.docker
def test_what_only_the_kernel_has_fails_the_node(there: Notebook) -> None:
    there.run("""
        shell = get_ipython()

        @task(container_image=IMAGE)
        def lost(x: int) -> int:
            return shell.execution_count
    """)
    assert "can't export lost" in error_of(start(there, "lost", x=1).wait(), ExportError)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("'localhost/missing:1'", "localhost/missing:1"),
        ("flytekit.ImageSpec(name='missing', registry='localhost', tag_format='v1')", "localhost/missing:v1"),
    ],
)
def test_a_task_whose_image_isn_t_there_runs_in_the_kernel_which_is_said_once(
    image: str,
    name: str,
    notebook: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    notebook.run(f"""
        @task(container_image={image})
        def where() -> str:
            return os.uname().nodename
    """)
    notice = f"flytenb: tasks of image {name!r} run in the kernel, since docker doesn't have it\n"
    for count in (1, 0):
        done = start(notebook, "where").wait()
        assert done.result == socket.gethostname()
        assert done.nodes["n0"].log == notice
        assert capsys.readouterr().out.count(notice) == count


def test_a_task_runs_in_the_kernel_with_another_engine(notebook: Notebook) -> None:
    done = start(notebook, "second", "host", x=1).wait()
    assert done.result == 2
    assert "flytenb:" not in done.nodes["n0"].log
