"""Trials of edits between two kernels: one keeps a run, and another one, which knows the edited cells only, resumes it.

As a program it takes rows as JSON, of each the cell to run, and does one of both steps for all of them. Each row has a
folder and a process of its own; both steps are given to interpreters of their own, so that nothing of the first kernel
is in the second: no object, no identity, no order of hashes.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import warnings
from pathlib import Path

import flytenb
import flytenb.api
import flytenb.record.kept_run  # here, and not in each process
from flytenb.model import CacheStatus
from flytenb.session.host import host
from tests.edit_trial import LIBRARIES
from tests.edits import PLACES, PRELUDE
from tests.notebook_cells import NotebookCells

FLOW = "from flytekit import task\n@task\ndef flow(x: int) -> str:\n    return repr(f(x))"


def kept(source: str) -> bool:
    """Run the workflow; return whether the run is on disk."""
    run = flytenb.options(keep="runs", cache=False).run(kernel(source).flow, x=3)
    assert host.keeper.wait()
    return run.is_kept


def resumed(source: str) -> tuple[bool, str, str, str]:
    """Resume the kept run; return whether its node was re-used, its result, that of a call, and why it ran."""
    cells = kernel(source)
    run = flytenb.options(keep="runs", cache=False, resume=True).run(cells.flow, x=3)
    node = run.nodes["n0"]
    return node.cache_status is CacheStatus.REUSED, run.result, repr(cells.f(3)), node.resumed


def kernel(source: str) -> NotebookCells:
    cells = NotebookCells("notebook_of_a_test")
    cells.run(PRELUDE, source, PLACES["called"], FLOW)
    return cells


def main() -> None:
    warnings.simplefilter("ignore")
    step, rows = json.load(sys.stdin)
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()
    for number, (name, source) in enumerate(rows.items()):
        sys.stdout.flush()
        if os.fork() == 0:
            folder = Path(str(number))
            folder.mkdir(exist_ok=True)
            os.chdir(folder)
            try:
                found: object = kept(source) if step == "keep" else resumed(source)
            except BaseException as e:
                found = f"{type(e).__name__}: {e}"
            print(json.dumps([name, found]), flush=True)
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main()
