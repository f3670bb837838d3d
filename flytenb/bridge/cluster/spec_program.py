"""Program that imports modules and makes specs: it has imported flytekit, and forks for each module.

Importing flytekit takes longer than all the rest. The process ends after ten minutes without a request.
"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flytenb.bridge.cluster.module_specs import import_flytekit, write_specs
from flytenb.bridge.cluster.specs import REPLY

_PATIENCE = 600.0
"""Seconds without a request after which the process ends."""


def main() -> None:
    """Answer each request by the exit status of a child, until the input ends or nothing comes."""
    import_flytekit()
    gc.freeze()  # children share the memory
    while select.select([sys.stdin], [], [], _PATIENCE)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        child = os.fork()
        if child == 0:
            os._exit(_become(**json.loads(line)))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"\n{REPLY}{status}\n")
        sys.stdout.flush()


def _become(folder: str, reply: str, variables: Mapping[str, str], request: Mapping[str, Any]) -> int:
    """Make specs in this child; what the module prints goes to the file of errors."""
    errors = os.open(Path(reply, "errors"), os.O_WRONLY | os.O_CREAT)
    for descriptor, source in enumerate((os.open(os.devnull, os.O_RDONLY), errors, errors)):
        os.dup2(source, descriptor)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.path.insert(0, folder)
    try:
        write_specs(request, Path(reply, "specs"))
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main()
