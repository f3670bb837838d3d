"""`check(…, pod=True)`: each task in the process of its pod, from the exported module."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import flytenb
from flytenb.engines import unpack
from flytenb.errors import InputError, UsageError
from tests.engine import IMAGE, packed_busybox
from tests.ship.notebooks import open_notebook
from tests.ship.run_flows import FLOWS

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
    assert found.executed == ("right", "half", "of_the_process", "fails_there")


def test_inputs_and_outputs_that_a_cluster_refuses_to_read_are_found() -> None:
    with open_notebook() as notebook:
        notebook.run(
            CELLS[0].replace("\nfrom pod_helpers import twice", ""),
            "@task\ndef make(n: int) -> str:\n    return 'x' * n",
            "@task\ndef count(text: str) -> int:\n    return len(text)",
            "@workflow\ndef long(n: int = 11_000_000) -> int:\n    return count(text=make(n=n))",
        )
        large = flytenb.check(notebook.names["long"], pod=True)
        small = flytenb.check(notebook.names["long"], pod=True, inputs={"n": 10_000_000})
    assert {(f.severity, f.where, f.what) for f in large.findings} == {
        ("error", "task make", "its outputs have 11.0 MB, and a cluster reads 10.5 MB by default"),
        ("error", "task count", "its inputs have 11.0 MB, and a cluster reads 10.5 MB by default"),
    }
    assert small.findings == ()


MORE = (
    "from datetime import datetime, timezone\nfrom flytekit import ImageSpec, conditional, dynamic, eager",
    "image = ImageSpec(name='i', registry='example.org')",
    "@task(container_image=image)\ndef inc_by(x: int, by: int) -> int:\n    return x + by",
    "@dynamic\ndef spread(n: int) -> list[int]:\n    return [inc_by(x=i, by=os.getpid()) for i in range(n)]",
    "@dynamic\ndef grow(n: int) -> int:\n    for _ in range(2 if 'POD_CHECK' in os.environ else 3):\n"
    "        n = inc(x=n)\n    return n",
    "@eager\nasync def count(x: int) -> int:\n    try:\n        picky(x=-x)\n    except Exception:\n"
    "        return twofold(x=x) + twofold(x=len(os.environ.get('POD_CHECK', '')))",
    "@eager\nasync def grows(x: int) -> int:\n    more = twofold(x=x) if 'POD_CHECK' in os.environ else 2 * x\n"
    "    return await wait(x=more)",
    "@task\nasync def wait(x: int) -> int:\n    return x",
    "@task\ndef picky(x: int) -> int:\n    if x < 0:\n        raise ValueError(x)\n    return x",
    "@task\ndef twofold(x: int) -> int:\n    return 2 * x",
    "@task\ndef unused(x: int) -> int:\n    return x",
    "@workflow\ndef kinds(x: int) -> tuple[float, int]:\n    spread(n=2)\n    grow(n=x)\n    create_node(count, x=x)\n"
    "    create_node(grows, x=x)\n"
    "    square(x=x)\n    either = conditional('big').if_(x > 100).then(unused(x=x)).else_().then(inc(x=x))\n"
    "    return double(x=ellipse_area(a=1.0, b=2.0)), either",
)


def test_each_kind_is_run_or_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")  # so that bubblewrap runs the container
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("POD_CHECK", "here")
    archive = tmp_path / "busybox.tar"
    archive.write_bytes(packed_busybox())
    unpack(archive, IMAGE)
    with open_notebook() as notebook:
        notebook.run("import os\nfrom flytekit.core.node_creation import create_node")
        notebook.run(*((FLOWS / f"{name}.py").read_text() for name in ("container", "connector")), *MORE)
        found = flytenb.check(notebook.names["kinds"], pod=True, inputs={"x": 3})
    errors = {f.where: f.what for f in found.findings if f.severity == "error"}
    assert set(errors) == {"task spread", "task grow", "task count", "task grows"}
    assert errors["task count"] == "it calls twofold with x 0 in its pod and 4 here, for x=3"
    assert errors["task grows"] == "its pod calls twofold 0 times, and 1 time here, for x=3"
    assert errors["task spread"].startswith("dn1.by is ")  # the last of two
    assert errors["task grow"] == "its pod makes the nodes dn0, dn1, dn2, and dn0, dn1 here, for n=3"
    why = {f.where: f.what for f in found.findings if f.severity == "warning" and "wasn't run" in f.what}
    assert why == {
        "task picky": "it wasn't run as its pod: its node didn't succeed in the run",
        "task square": "it wasn't run as its pod: a service runs it, by a connector of the cluster",
        "task unused": "it wasn't run as its pod: no node of the run used it",
    }
    assert {*found.executed} == {
        *("spread", "inc_by", "grow", "inc", "twofold", "ellipse-area", "double", "count", "grows", "wait"),
    }
    assert "10 tasks run as in pods" in repr(found)
