"""Which differences between an image and the kernel break a task."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import Any

import flytekit
import pytest

from flytenb.bridge.execution.image_facts import PROGRAM, ImageFacts, TaskSource, breaking, harmless

HERE = (sys.version_info[0], sys.version_info[1])
SOURCE = TaskSource("cells", "fit", {}, {"numpy": "numpy", "odd": ""}, {"numpy": "2.0"}, has_pickles=False)
SAME = ImageFacts(HERE, flytekit.__version__, True, (), {"numpy": "2.0"}, "")
OTHER = (3, HERE[1] + 1)


@pytest.mark.parametrize(("changes", "pickles", "breaks", "differs"), [
    ({}, True, "", ""),
    ({"flytekit": None}, False, "no flytekit", ""),
    ({"flytekit": "1.13.9"}, False, "flytekit 1.13.9, whose literals", "flytekit 1.13.9"),
    ({"flytekit": "1.14.0b1"}, False, "", "flytekit 1.14.0b1, and the kernel"),
    ({"has_command": False}, False, "isn't on its PATH", ""),
    ({"missing": ("numpy",)}, False, "no numpy (numpy 2.0)", ""),
    ({"missing": ("odd",)}, False, "no odd", ""),
    ({"versions": {"numpy": "1.26"}}, False, "", "numpy 1.26, and the kernel 2.0"),
    ({"versions": {"numpy": None}}, False, "", ""),
    ({"python": OTHER}, False, "", f"Python 3.{OTHER[1]}, and the kernel 3.{HERE[1]}"),
    ({"python": OTHER}, True, "a value of the task is pickled", f"Python 3.{OTHER[1]}"),
])  # fmt: skip
def test_a_difference_breaks_the_task_or_is_named(
    changes: dict[str, Any], pickles: bool, breaks: str, differs: str
) -> None:
    facts, source = dataclasses.replace(SAME, **changes), dataclasses.replace(SOURCE, has_pickles=pickles)
    for found, expected in ((breaking(facts, source), breaks), (harmless(facts, source), differs)):
        texts = [*found]
        assert len(texts) == bool(expected)
        assert expected in "".join(texts)


def test_the_program_reads_the_python_that_runs_it() -> None:
    needed = json.dumps({"flytekit": "flytekit", "no_such_module": "", "json": "no-such-package"})
    command = [sys.executable, "-c", PROGRAM, needed, "no-such-program"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = ImageFacts.read(f"a line of the entry point\n{printed}\n")
    versions = {"flytekit": flytekit.__version__, "no-such-package": None}
    assert found is not None
    assert found == ImageFacts(HERE, flytekit.__version__, False, ("no_such_module",), versions, found.path)
    assert ImageFacts.read("sh: python3: not found\n") is None
