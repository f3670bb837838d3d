"""`check(…, pod=True)`: each task in the process of its pod, from the exported module."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import flytenb
from flytenb.errors import InputError, UsageError
from tests.ship.notebooks import open_notebook

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
    ),
    pytest.mark.slow,  # each task is a process that imports flytekit
]

CELLS = (
    "import os\nfrom dataclasses import dataclass\nfrom flytekit import map_task, task, workflow\n"
    "from pod_helpers import twice",
    "@dataclass\nclass Point:\n    x: float",
    "@task\ndef right(n: int) -> Point:\n    return Point(twice(n))",
    "@task\ndef half(n: int) -> float:\n    return n / 2",
    "@task\ndef of_the_process(p: Point) -> int:\n    return os.getpid()",
    "@task\ndef fails_there(p: Point) -> str:\n    return os.environ['POD_CHECK']",
    "@workflow\ndef wf(n: int) -> tuple[int, str]:\n    p = right(n=n)\n    map_task(half)(n=[1, 2])\n"
    "    return of_the_process(p=p), fails_there(p=p)",
    "@workflow\ndef fine(n: int = 3) -> Point:\n    return right(n=n)",
)


def test_each_task_is_compared_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pod_helpers.py").write_text("def twice(x):\n    return 2.0 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    with open_notebook() as notebook:
        notebook.run(*CELLS)
        fine, wf = notebook.names["fine"], notebook.names["wf"]
        found = flytenb.check(fine, pod=True).findings
        assert [f.what for f in found] == ["pod_helpers is your own module"], found
        with pytest.raises(UsageError, match="along with pod=True"):
            flytenb.check(fine, inputs={"n": 3})
        with pytest.raises(InputError):
            flytenb.check(wf, pod=True)
        monkeypatch.setenv("POD_CHECK", "here")
        flytenb.run(wf, n=3)
        monkeypatch.delenv("POD_CHECK")
        found = notebook.run("%flyte check wf --pod")
    sys.modules.pop("pod_helpers")
    errors = {f.where: f for f in found.findings if f.severity == "error"}
    assert set(errors) == {"task of_the_process", "task fails_there"}
    assert "in its pod and" in errors["task of_the_process"].what
    assert errors["task of_the_process"].what.endswith("for p=Point(x=6.0)")
    assert "POD_CHECK" in errors["task fails_there"].what
    assert not found.ok


def test_images_are_not_built_for_it() -> None:
    with open_notebook() as notebook:
        notebook.run(
            "from flytekit import ImageSpec, dynamic, task\nimage = ImageSpec(name='i', registry='example.org')",
            "@task(container_image=image)\ndef step(x: int) -> int:\n    return x",
            "@dynamic\ndef many(n: int) -> list[int]:\n    return [step(x=i) for i in range(n)]",
        )
        found = flytenb.check(notebook.names["many"], pod=True, inputs={"n": 2})
    assert [f.what for f in found.findings] == ["it wasn't run as its pod: its pod compiles a workflow"]
