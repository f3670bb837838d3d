"""A page in a browser of its own, told of a run: what `parts/live_page.py` measures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving import Measured

PART = Path(__file__).parents[1] / "parts" / "live_page.py"


def page(side: str) -> Callable[[int], Callable[[], Any]]:
    """Take the median update of a page, as the browser's own trace tells it."""

    def prepare(size: int) -> Callable[[], Any]:
        changes = 10 if size >= 100 else 2
        command = [sys.executable, str(PART), "--sides", side, "--sizes", str(size), "--changes", str(changes)]

        def once() -> Measured:
            # A browser's socket lies in this folder, and a socket's path is 107 characters long at most.
            short = {**os.environ, "TMPDIR": "/tmp"}
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=short)
            if done.returncode:
                raise RuntimeError(done.stderr[-200:])
            row = json.loads(done.stdout)
            figures = {name: row[name] for name in ("median_update_ms", "p95_update_ms")}
            return Measured(row["median_update_ms"] / 1000, row["told"], figures)

        return once

    return prepare
