"""Raw containers that a cell calls: run by the engine of the session's settings, as in a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flytenb.errors import ContainerError, ContainerExitError
from flytenb.session.configuration import Choice
from flytenb.session.host import host
from tests.processes import processes_with
from tests.ship.notebooks import Notebook, open_notebook

_CELL = """
import flytenb
from flytekit import ContainerTask, kwtypes, task, workflow
from flytekit.types.file import FlyteFile

def container(script, inputs, outputs):
    return ContainerTask(
        name="boxed", image="localhost/none:1", input_data_dir="/var/inputs", output_data_dir="/var/outputs",
        inputs=kwtypes(**inputs), outputs=kwtypes(**outputs), command=["sh", "-c", script],
    )

script = "echo begun; echo $(({{.inputs.x}} + 1)) > /var/outputs/y; cat /var/inputs/text > /var/outputs/copy"
add = container(script, {"x": int, "text": str}, {"y": int, "copy": FlyteFile})
fails = container("echo the reason; exit 3", {}, {"y": int})

@workflow
def added(x: int) -> int:
    y, copy = add(x=x, text="a")
    return y

@task
def add_inside(x: int) -> int:
    return add(x=x, text="b").y
"""


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    with open_notebook() as notebook:
        host.session.configured["engine"] = Choice("host", "the test")
        notebook.run(_CELL)
        yield notebook
        host.session.configured.clear()


def test_a_call_returns_the_values_that_the_container_wrote(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.run("made = add(x=1, text='é\\n')")
    assert notebook.names["made"].y == 2
    assert Path(notebook.names["made"].copy).read_text() == "é\n"
    assert "begun\n" in capsys.readouterr().out
    assert notebook.run("added(x=4)") == 5


def test_a_failed_command_fails_the_call(notebook: Notebook) -> None:
    with pytest.raises(ContainerExitError) as raised:
        notebook.run("fails()")
    assert str(raised.value) == "container task 'boxed' ended with status 3: the reason"


def test_a_call_within_a_task_uses_the_engine_of_its_run(notebook: Notebook) -> None:
    assert notebook.run("flytenb.run(add_inside, x=6).result") == 7
    with pytest.raises(ContainerError, match=r"'localhost/none:1' isn't unpacked"):
        notebook.run("flytenb.options(engine='bubblewrap').run(add_inside, x=6)")


def test_the_engine_is_that_of_the_session(notebook: Notebook) -> None:
    host.session.configured["engine"] = Choice("bubblewrap", "the test")
    with pytest.raises(ContainerError, match=r"'localhost/none:1' isn't unpacked"):
        notebook.run("add(x=1, text='')")


def test_an_interrupted_call_ends_its_processes(notebook: Notebook) -> None:
    seconds = f"10{os.getpid()}"
    notebook.run(f"endless = container('kill -INT {os.getpid()}; sleep {seconds}', {{}}, {{}})")
    with pytest.raises(KeyboardInterrupt):
        notebook.run("endless()")
    assert not processes_with(seconds)
