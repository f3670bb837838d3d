"""The processes of pods on this machine."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from flytenb.bridge.cluster.pod_process import _finish
from tests.waiting import PATIENCE


def test_a_pod_ends_with_its_command_whatever_that_leaves_behind(tmp_path: Path) -> None:
    script = "import subprocess\nprint('é', subprocess.Popen(['sleep', '900'], start_new_session=True).pid)"
    status, said = _finish([sys.executable, "-X", "utf8", "-c", script], tmp_path, os.environ, PATIENCE)
    mark, process = said.split()
    os.kill(int(process), signal.SIGKILL)
    assert (status, mark) == (0, "é")


def test_a_pod_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    assert _finish(["sleep", "900"], tmp_path, os.environ, 0.1) == (None, "")
