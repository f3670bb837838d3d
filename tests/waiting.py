"""What tests wait for, with a limit that only a failing test reaches."""

from __future__ import annotations

import re
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

PATIENCE = 600
"""Seconds after which something counts as hanging: far more than anything takes, on a busy machine too."""


_LIMITS = {
    "flytenb.bridge.cluster.connection": "_PATIENCE",
    "flytenb.wording.text": "PATIENCE",
    "flytenb.display.values.files": "_PATIENCE",
    "flytenb.display.values.lazy": "_PATIENCE",
    "flytenb.display.values.pictures": "_PATIENCE",
    "flytenb.notebook.live.page_controller": "_PATIENCE",
    "flytenb.types.conformance.connector_checks": "_LIMIT",
    "flytenb.types.conformance.other_process": "_TIME_LIMIT",
    "flytenb.bridge.execution.pod": "_TIME_LIMIT",
}


def be_patient() -> None:
    """Give what flytenb waits for in the modules that are loaded as much time as it needs."""
    for module, name in _LIMITS.items():
        if module in sys.modules:
            setattr(sys.modules[module], name, float(PATIENCE))


def is_soon(condition: Callable[[], Any], seconds: float) -> bool:
    """Wait until a condition holds, at most a number of seconds; return whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds; fail if it never does."""
    assert is_soon(condition, PATIENCE), "it never came true"


def is_executed(function: Any) -> bool:
    """Tell whether a thread executes a function."""
    tops = sys._current_frames().values()
    return any(frame.f_code is function.__code__ for top in tops for frame, _ in traceback.walk_stack(top))


def are_workers_idle() -> bool:
    """Tell whether no thread of runs has a job, not even the end of one."""
    modules = sys.modules.get("flytenb.runner.resources"), sys.modules.get("flytenb.runner.workers")
    if None in modules:
        return True
    pool, waits = modules[0].resources.workers, modules[1].WorkerPool._do_next.__code__  # type: ignore[union-attr]
    threads = [thread for thread in threading.enumerate() if re.fullmatch(r"flytenb-\d+", thread.name)]
    frames = sys._current_frames()
    tops = [frames.get(thread.ident or 0) for thread in threads]
    return pool._idle == len(threads) and all(top is not None and top.f_code is waits for top in tops)
