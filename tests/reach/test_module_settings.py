"""Settings that modules hold: what is read of them is the same in another process, and while nothing changes them."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from flytenb.reach.module_settings import SETTINGS, ModuleSetting
from flytenb.reach.process_settings import setting_bytes

ROOT = Path(__file__).parents[2]
PROGRAM = """
import contextlib, hashlib, importlib, multiprocessing, sys
from flytenb.reach.module_settings import SETTINGS
from flytenb.reach.process_settings import setting_bytes

for setting in SETTINGS:
    for name in setting.modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
for setting in SETTINGS:
    print(setting.name, hashlib.sha256(setting_bytes(setting.read())).hexdigest())
print(multiprocessing.get_start_method(allow_none=True))
"""


@cache
def told(seed: str) -> list[str]:
    """Return what another process reads, a line for each setting, and the start method that it has chosen then."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_another_process_reads_the_same() -> None:
    first, second = told("1"), told("2")
    assert len(first) == len(SETTINGS) + 1
    assert first == second


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)
def test_nothing_is_changed_by_reading(setting: ModuleSetting) -> None:
    if any(name in sys.modules for name in setting.modules) or setting.names:
        assert setting_bytes(setting.read()) == setting_bytes(setting.read())


def test_a_setting_counts_for_someone() -> None:
    assert all(setting.modules or setting.names for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_reading_the_start_method_does_not_choose_one() -> None:
    assert told("1")[-1] == "None"
