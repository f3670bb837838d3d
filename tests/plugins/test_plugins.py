"""Plugins that install together, each one used by its sample; `make plugins` tries the others, each by itself."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.catalogue import PLUGINS
from tests.plugins.environments import ROOT, install, made_environment

SHARED = {name: plugin for name, plugin in PLUGINS.items() if plugin.shared}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of each plugin, in one process: a notebook may use several of them too."""
    python = made_environment(tmp_path_factory.mktemp("plugins") / "environment")
    requirements = [r for plugin in SHARED.values() for r in (plugin.distribution, *plugin.requirements)]
    assert install(python, "--editable", f"{ROOT}[frames]", *requirements) == ""
    command = [str(python), "-m", "tests.plugins.try_plugin", *SHARED]
    tried = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    found = {trial["name"]: trial for trial in map(json.loads, tried.stdout.splitlines())}
    return {name: found.get(name, {"step": "", "error": tried.stderr[-2000:]}) for name in SHARED}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARED)
def test_a_plugin_works_unchanged(trials: dict[str, Any], name: str) -> None:
    step = "rehearse" if SHARED[name].needs else "run"
    assert trials[name] == {"name": name, "step": step, "error": ""}


def test_every_plugin_has_a_sample_and_no_sample_is_left_over() -> None:
    modules = {path.stem for path in (Path(__file__).parent / "samples").glob("*.py")} - {"__init__"}
    assert modules == {plugin.sample for plugin in PLUGINS.values()}
