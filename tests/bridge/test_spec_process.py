"""The process that makes specs: each module is imported afresh, with the variables of now."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from flytenb.bridge.cluster.module_specs import make_specs
from flytenb.bridge.cluster.registration import read_message
from flytenb.bridge.cluster.spec_process import spec_process
from flytenb.bridge.cluster.specs import SpecRequest
from flytenb.errors import RegistrationError

MODULE = """
import os
import sys
from flytekit import task

print("printed while it is imported")
assert sys.path[0] == os.getcwd()

@task(environment={{"A": os.environ.get("SPEC_A", "none"), "B": "{b}"}})
def step(x: int) -> int:
    return x
"""
REQUEST = SpecRequest("spec_module", "step", "flytesnacks", "development", "v1", "archive", builds_images=False)


def files_in(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.py")}


def variables(folder: Path, b: str) -> dict[str, str]:
    (folder / "spec_module.py").write_text(MODULE.format(b=b))
    [spec] = make_specs(files_in(folder), REQUEST)
    return {pair.key: pair.value for pair in read_message(spec).template.container.env}


def test_each_module_is_imported_afresh_with_the_variables_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert variables(tmp_path, "1").items() >= {"A": "none", "B": "1"}.items()
    process = spec_process._process
    assert process is not None
    monkeypatch.setenv("SPEC_A", "set")
    assert variables(tmp_path, "2").items() >= {"A": "set", "B": "2"}.items()
    assert spec_process._process is process
    with pytest.raises(RegistrationError, match="own: ZeroDivisionError: division by zero"):
        (tmp_path / "spec_module.py").write_text("1 / 0")
        make_specs(files_in(tmp_path), REQUEST)
    assert spec_process._process is process
    os.killpg(process.pid, signal.SIGKILL)  # its group is its own
    process.wait()
    assert variables(tmp_path, "3")["B"] == "3"


def test_a_variable_of_flytekit_starts_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec_process.begin()
    before = spec_process._process
    monkeypatch.setenv("FLYTE_SPEC_TEST", "set")
    spec_process.begin()
    assert spec_process._process is not before
    assert before is not None
    assert before.returncode is not None
