"""The user's own modules that a shipment takes along."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

import flytenb
from flytenb.ship.shipped_files import ShippedFiles
from tests.ship.notebooks import open_notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

WARNS = 'import {inner}\nDIGITS = "\\d"\ndef same(x):\n    return x is 1\n'
"""A module of which Python warns."""


def test_own_modules_are_read_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has warned when they were imported, and says nothing of a file that isn't."""
    (tmp_path / "ship_outer.py").write_text(WARNS.format(inner="ship_inner"))
    (tmp_path / "ship_inner").mkdir()
    (tmp_path / "ship_inner" / "__init__.py").write_text(WARNS.format(inner="os"))
    (tmp_path / "ship_inner" / "template.py").write_text("class {{ name }}:\n")
    monkeypatch.syspath_prepend(tmp_path)
    with open_notebook() as notebook:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook.run(
                "from flytekit import task\nimport ship_outer",
                "@task\ndef step(x: int) -> bool:\n    return x is 1 or '\\d' == ship_outer.DIGITS",
            )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            files = ShippedFiles.of(flytenb.export(notebook.names["step"]), "pipeline")
    for name in ("ship_outer", "ship_inner"):
        sys.modules.pop(name)
    assert [str(warning.message) for warning in caught] == []
    assert [*files.contents] == ["pipeline.py", "ship_inner/__init__.py", "ship_inner/template.py", "ship_outer.py"]
