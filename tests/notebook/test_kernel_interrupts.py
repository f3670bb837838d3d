"""An interrupt in a real kernel: whatever a run is at, it is over, its state is true and the kernel goes on."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest

from tests.engine import IMAGE, docker_engine
from tests.kernel import Kernel
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

CELLS = """
import asyncio
import time
from datetime import timedelta
from pathlib import Path

import flytenb
from flytekit import approve, dynamic, eager, map_task, task, workflow


@task
def spins(mark: str) -> str:
    Path(mark).touch()
    while not Path("stop").exists():
        time.sleep(0.005)
    Path("went on").touch()
    return mark


@task
def one(x: int) -> int:
    return x + 1


@task
def marked(mark: str) -> str:
    Path(mark).touch()
    return mark


@workflow
def parallel(mark: str) -> list[str]:
    return [spins(mark=marked(mark="first")), marked(mark=spins(mark=mark))]


@workflow
def mapping(mark: str) -> list[str]:
    return map_task(spins)(mark=[mark, mark, mark])


@dynamic
def grown(mark: str) -> str:
    return marked(mark=spins(mark=mark))


@eager
async def waiting(mark: str) -> str:
    marked(mark="first")
    return spins(mark=mark)


@eager
async def sleeping(mark: str) -> str:
    Path(mark).touch()
    await asyncio.sleep(1000)
    return mark


@workflow
def gated(mark: str) -> str:
    return marked(mark=approve(marked(mark=mark), "well?", timeout=timedelta(hours=1)))
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run(CELLS).ok()
        yield kernel


@pytest.fixture(autouse=True)
def clean(kernel: Kernel) -> Iterator[None]:
    for name in ("mark", "stop", "went on"):
        (kernel.cwd / name).unlink(missing_ok=True)
    yield
    (kernel.cwd / "stop").touch()


@pytest.mark.parametrize(
    ("call", "queued", "running"),
    [
        ("parallel", ["n3"], ["n1", "n2"]),
        ("parallel --processes", ["n3"], ["n1", "n2"]),
        ("mapping", [], ["n0", "n0/0", "n0/1", "n0/2"]),
        ("grown", ["n0/dn1"], ["n0", "n0/dn0"]),
        ("waiting", [], ["n0", "n0/e1"]),
        ("sleeping", [], ["n0"]),
        ("gated", ["n2"], ["n1"]),
    ],
)
def test_an_interrupted_run_is_over_and_its_state_is_true(
    kernel: Kernel, call: str, queued: list[str], running: list[str]
) -> None:
    mark = kernel.cwd / "mark"
    name, _, options = call.partition(" ")
    cut = kernel.run(f"%flyte run {name}(mark='mark') {options}", interrupt_when=mark.exists)
    assert cut.fails().ename == "KeyboardInterrupt"
    kernel.run("runs = %flyte runs\nrun = runs[-1]").ok()
    assert kernel.value("[run.name.rpartition('.')[2], str(run.phase)]") == [name, "ABORTED"]
    phases = kernel.value("{path: str(node.phase) for path, node in run.nodes.items()}")
    ended = {path for path, phase in phases.items() if phase == "ABORTED"}
    assert set(phases.values()) <= {"ABORTED", "SUCCEEDED"}
    assert {*queued, running[-1]} <= ended
    assert kernel.value("[run.inputs, run.nodes['n0'].attempts, run.duration > 0]") == [{"mark": "mark"}, 1, True]
    assert kernel.run("run.result").fails().ename == "RunCancelledError"
    kernel.run("print(flytenb.run(one, x=1).result)").ok()
    assert not (kernel.cwd / "went on").exists()


def test_an_interrupted_await_comes_back_and_its_run_goes_on(kernel: Kernel) -> None:
    mark = kernel.cwd / "mark"
    cut = kernel.run("run = flytenb.start(spins, mark='mark')\nawait run", interrupt_when=mark.exists)
    assert cut.fails().ename == "CancelledError"
    assert kernel.value("str(run.phase)") == "RUNNING"
    (kernel.cwd / "stop").touch()
    assert kernel.run("print((await run).result)").ok().text == "mark\n"


@pytest.mark.docker
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_ends_the_container(kernel: Kernel) -> None:
    with docker_engine() as engine:
        client = docker.DockerClient(base_url=engine)
        kernel.run(f"""
            import os

            from flytekit import ContainerTask

            os.environ["DOCKER_HOST"] = {engine!r}
            boxed = ContainerTask(name="boxed", image={IMAGE!r}, command=["sleep", "1000"])
        """).ok()
        cut = kernel.run("%flyte run boxed()", interrupt_when=lambda: bool(client.containers.list()))
        assert cut.fails().ename == "KeyboardInterrupt"
        kernel.run("runs = %flyte runs").ok()
        assert kernel.value("str(runs[-1].nodes['n0'].phase)") == "ABORTED"
        kernel.run(f"""
            import docker

            client = docker.DockerClient(base_url={engine!r})
            for _ in range(20 * {PATIENCE}):
                if not client.api.containers(all=True):
                    break
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("the container runs on")
            client.close()
            print(flytenb.run(one, x=1).result)
        """).ok()
        client.close()
