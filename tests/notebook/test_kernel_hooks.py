"""An interrupt in a real kernel while code of a user's blocks: the cell ends, the run is over, the kernel goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import ROOT, Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

CELLS = f"""
import sys
sys.path.insert(0, {ROOT!r})
import threading
from pathlib import Path

import flytenb
from tests import hooks

class Marked(threading.Event):
    def set(self):
        super().set()
        Path("mark").touch()

def arm(place, *, later=False):
    hooks.went_on.clear()
    hooks.hook.arm(place, later=later, certain=place != "finish job")
    hooks.hook.reached = Marked()

for place in hooks.PLACES:
    flytenb.graph(place.entity)
"""


def begin() -> Kernel:
    kernel = Kernel()
    kernel.run(CELLS).ok()
    return kernel


@pytest.fixture(scope="module")
def kernels() -> Iterator[list[Kernel]]:
    """The kernel of these tests; one that no longer answers is replaced."""
    found = [begin()]
    yield found
    found[0].__exit__()


@pytest.fixture
def kernel(kernels: list[Kernel]) -> Iterator[Kernel]:
    (kernels[0].cwd / "mark").unlink(missing_ok=True)
    yield kernels[0]
    try:
        kernels[0].run("hooks.hook.disarm()").ok()
    except (TimeoutError, RuntimeError):
        kernels[0].__exit__()
        kernels[0] = begin()


@pytest.mark.parametrize(
    ("place", "entity", "later"),
    [
        ("to_literal", "one_value", False),
        ("to_python_value", "one_value", True),
        ("to_python_value", "mapped", True),
        ("to_python_value", "to_eager", True),
        ("to_literal", "to_dynamic", True),
        ("body of a dynamic", "to_dynamic", False),
        ("reduce of a value", "things", False),
        ("str of an exception", "fails", False),
        ("hash method", "cached", False),
        ("create of a connector", "on_service", False),
        ("get of a connector", "on_service", False),
        ("do of a connector", "on_blocking", False),
    ],
)
def test_an_interrupt_ends_the_cell_while_a_hook_blocks(kernel: Kernel, place: str, entity: str, later: bool) -> None:
    kernel.run(f"arm({place!r}, later={later})").ok()
    mark = kernel.cwd / "mark"
    cut = kernel.run(f"flytenb.run(hooks.{entity}, x=3)", interrupt_when=mark.exists)
    assert cut.fails().ename == "KeyboardInterrupt"
    assert not kernel.value("hooks.hook.release.is_set()"), "the cell ended only when the hook did"
    kernel.run("runs = %flyte runs\nrun = runs[-1]").ok()
    phases = kernel.value("{'': str(run.phase)} | {path: str(node.phase) for path, node in run.nodes.items()}")
    assert phases[""] == "ABORTED"
    assert not {"RUNNING", "QUEUED"} & set(phases.values()), phases
    assert kernel.run("print(flytenb.run(hooks.trivial, x=1).result)").ok().text == "2\n"


@pytest.mark.parametrize("place", ["listener", "finish job"])
def test_an_interrupt_ends_the_cell_while_what_watches_a_run_blocks(kernel: Kernel, place: str) -> None:
    """A listener or a job delays nothing: the run may be over before the interrupt comes."""
    kernel.run(f"""
        arm({place!r})
        run = flytenb.options(listeners=[hooks.listener]).start(hooks.plain, x=3)
        run.on_finish(hooks.finish_job)
    """).ok()
    done = kernel.run("run.wait()\nprint(run.phase, hooks.hook.release.is_set())").ok()
    assert done.text == "SUCCEEDED False\n"
    assert kernel.run("print(flytenb.run(hooks.trivial, x=1).result)").ok().text == "2\n"


FORKS = """
import multiprocessing
import os
import select
import signal
import traceback

from flytekit import eager, task, workflow
from flytenb.errors import FlytenbError

@task
def inc(x: int) -> int:
    return x + 1

@workflow
def twice(x: int) -> int:
    return inc(x=inc(x=x))

@task
def waits(x: int) -> int:
    stop.wait(600)
    return x

@workflow
def long(x: int) -> int:
    return inc(x=waits(x=inc(x=x)))

def answer():
    try:
        return f"result {flytenb.run(twice, x=1).result}"
    except FlytenbError as e:
        return f"says {e}"
    except BaseException:
        return traceback.format_exc()

def in_a_fork():
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, answer().encode())
        os._exit(0)
    ready, _, _ = select.select([reader], [], [], 600)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return os.read(reader, 10_000).decode() if ready else "hangs"

def in_a_process():
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=lambda: answers.put(answer()), daemon=True)
    child.start()
    try:
        return answers.get(timeout=600)
    except Exception as e:
        return f"hangs: {e!r}"
    finally:
        child.kill()
        child.join()
"""


@pytest.mark.parametrize("how", ["in_a_fork", "in_a_process"])
def test_a_child_of_the_kernel_runs_a_workflow_or_says_why_not(kernel: Kernel, how: str) -> None:
    kernel.run(FORKS).ok()
    kernel.run("stop = threading.Event()\ngoing = [flytenb.start(long, x=i) for i in range(4)]").ok()
    try:
        for _ in range(5):
            said = kernel.run(f"import warnings\nwarnings.simplefilter('ignore')\nprint({how}())").ok().text
            assert said.startswith(("result 3", "says ")), said
    finally:
        kernel.run("stop.set()").ok()
    assert kernel.run("print([run.wait().result for run in going])").ok().text == "[2, 3, 4, 5]\n"
