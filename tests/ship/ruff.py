"""What ruff says of exported modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RULES = "E4,E7,E9,F,I"
"""What ruff checks by default, and the order of imports."""
FIRST_PARTY = 'lint.isort.known-first-party = ["tests"]'
"""What a flow imports from beside it."""


def complaints(folder: Path, width: int = 88, rules: str = RULES) -> str:
    """Return what ruff finds in the modules of a folder, and how it would format them.

    F821 is left out: in the type `FlyteFile["png"]`, ruff takes the text for a name.
    """
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    common = ["--isolated", "--no-cache", "--line-length", str(width), "--config", FIRST_PARTY, "."]
    said = ""
    for command in (["check", "--quiet", "--select", rules, "--ignore", "F821"], ["format", "--quiet", "--diff"]):
        done = subprocess.run([*ruff, *command, *common], cwd=folder, capture_output=True, text=True)
        said += done.stdout + done.stderr
    return said
