"""What `check` finds before anything is sent to a cluster, one case for each rule, and nothing in what is right."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

import flytenb
from flytenb.errors import ExportError
from tests.ship.notebooks import open_notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

START = "import flytekit\nfrom flytekit import ContainerTask, ImageSpec, LaunchPlan, kwtypes, task, workflow"
STEP = "@task{}\ndef step(x: int) -> int:\n    return x"
WF = "@workflow\ndef wf(x: int{}) -> int:\n    return step(x=x)"
MANY = "@workflow\ndef wf(x: int) -> int:\n    for _ in range({}):\n        x = step(x=x)\n    return x"
IMAGE = "image = ImageSpec(name='i', python_version='{}', packages=['pandas=={}'])"

CASES: dict[str, tuple[list[str], str, str]] = {
    "nothing": ([STEP.format(""), WF.format("")], "", ""),
    "what export refuses": (
        ["N = [1]", "N.append(2)", STEP.format("").replace("return x", "return x + len(N)"), WF.format("")],
        "error",
        "N, a list, isn't what its statements give now",
    ),
    "what a task has changed": (
        [
            "SEEN = []",
            STEP.format("").replace("return x", "SEEN.append(x)\n    return x"),
            WF.format(""),
            "wf(x=1)",
        ],
        "warning",
        "SEEN, a list, was changed by step when a task ran",
    ),
    "a name that nothing defines": (
        [STEP.format("").replace("return x", "return x + NOWHERE"), WF.format("")],
        "error",
        "nothing defines 'NOWHERE'",
    ),
    "a wide default": (
        [STEP.format(""), WF.format(" = 2**63")],
        "error",
        "the default of x is 9223372036854775808",
    ),
    "a wide constant": (
        [STEP.format(""), WF.format("").replace("x=x", f"x={2**63}")],
        "error",
        "Value out of range: 9223372",
    ),
    "the widest constant": ([STEP.format(""), WF.format(" = 2**63 - 1").replace("x=x", f"x={2**63 - 1}")], "", ""),
    "a pickled type": (
        [
            "class Box:\n    pass",
            "@task\ndef step(x: int) -> Box:\n    return Box()",
            WF.format("").replace("-> int", "-> Box"),
        ],
        "warning",
        "output o0 of type Box is pickled",
    ),
    "an output of a container": (
        [
            "c = ContainerTask(name='c', image='busybox', outputs=kwtypes(o=list[int]), command=['true'],"
            " input_data_dir='/i', output_data_dir='/o')",
            "@workflow\ndef wf() -> list[int]:\n    return c()",
        ],
        "error",
        "output o of type list[int]: co-pilot reads only",
    ),
    "too many nodes": (
        [
            STEP.format(""),
            "@workflow\ndef wf(x: int) -> int:\n    for _ in range(101):\n        x = step(x=x)\n    return x",
        ],
        "error",
        "it has 101 nodes",
    ),
    "as many nodes as there may be": (
        [
            STEP.format(""),
            "@workflow\ndef wf(x: int) -> int:\n    for _ in range(100):\n        x = step(x=x)\n    return x",
        ],
        "",
        "",
    ),
    "nodes that collide": (
        [
            STEP.format(""),
            "@workflow\ndef wf(x: int) -> int:\n    a = step(x=x).with_overrides(node_name='s')\n"
            "    return step(x=a).with_overrides(node_name='s')",
        ],
        "error",
        "2 nodes are named 's', of which a cluster runs one",
    ),
    "names that collide": (
        [
            "a = ContainerTask(name='c', image='busybox', command=['true'])",
            "b = ContainerTask(name='c', image='busybox', command=['false'])",
            "@workflow\ndef wf() -> None:\n    a()\n    b()",
        ],
        "error",
        "2 tasks are named 'c'",
    ),
    "an image with another Python": (
        [IMAGE.format("3.9", metadata.version("pandas")), STEP.format("(container_image=image)"), WF.format("")],
        "warning",
        f"the image has Python 3.9, and this kernel 3.{sys.version_info.minor}",
    ),
    "a tag with another Python": (
        [STEP.format("(container_image='cr.flyte.org/flyteorg/flytekit:py3.9-1.16.0')"), WF.format("")],
        "warning",
        "the image has Python 3.9",
    ),
    "an image with another version": (
        [IMAGE.format(f"3.{sys.version_info.minor}", "1.0"), STEP.format("(container_image=image)"), WF.format("")],
        "warning",
        "the image installs pandas 1.0, and here is",
    ),
    "an image without a package": (
        [
            "import numpy as np",
            "image = ImageSpec(name='i')",
            STEP.format("(container_image=image)").replace("return x", "return int(np.abs(x))"),
            WF.format(""),
        ],
        "warning",
        "numpy is imported, and the image doesn't install numpy",
    ),
    "a workflow that doesn't compile": (
        [STEP.format(""), "@workflow\ndef wf(x: int) -> int:\n    return step(y=x)"],
        "error",
        "it doesn't compile",
    ),
}


@pytest.mark.filterwarnings("ignore:.*is given to more than one node:UserWarning")  # when it compiles, as well
@pytest.mark.parametrize("name", CASES)
def test_check_finds(name: str) -> None:
    cells, severity, what = CASES[name]
    with open_notebook() as notebook:
        notebook.run(START, *cells)
        found = flytenb.check(notebook.names["wf"])
    if not severity:
        assert found.findings == ()
        assert "nothing was found" in repr(found)
        return
    assert [f.severity for f in found.findings if what in f.what] == [severity], found
    assert found.ok is (severity == "warning")
    assert all(f.way_out for f in found.findings)
    assert found.findings[0].what.split()[0] in repr(found)
    if severity == "error":
        with pytest.raises(ExportError):
            found.require()


def test_own_modules_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_helpers.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_helpers", raising=False)
    with open_notebook() as notebook:
        notebook.run(START, "from own_helpers import twice", STEP.format("").replace("return x", "return twice(x)"))
        notebook.run(WF.format(""))
        found = flytenb.check(notebook.names["wf"])
        made = flytenb.export(notebook.names["wf"])
    sys.modules.pop("own_helpers")
    assert [(f.severity, f.what) for f in found.findings] == [("warning", "own_helpers is your own module")]
    assert made.modules == ("own_helpers",)
    assert "\n\nfrom own_helpers import twice\n" in made.text  # a section of its own


def test_the_magic_returns_what_the_function_does() -> None:
    with open_notebook() as notebook:
        notebook.run(START, STEP.format(""), WF.format(""))
        assert notebook.run("%flyte check wf") == flytenb.check(notebook.names["wf"])
