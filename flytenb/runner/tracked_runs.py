"""Runs of MLflow that tasks start, as links of their nodes."""

from __future__ import annotations

import sys
from typing import Any

from flytenb.bridge.stopping import current_attempt
from flytenb.runner.record import Record
from flytenb.wording.packages import loaded

MLFLOW = "mlflow.tracking.fluent"
"""The module with the runs of a thread; it is loaded before the first one is started."""


def mlflow_links(since: float) -> tuple[tuple[str, str], ...]:
    """Return the run that this thread started last, with its address, if that was after `since`.

    The address of a run in a store without a server is that of the store, and the id of the run.

    Args:
        since: seconds since the epoch.
    """
    mlflow: Any = loaded("mlflow")
    try:
        run = mlflow.last_active_run()
        if run is None or run.info.start_time < int(since * 1000):
            return ()
        store = str(mlflow.get_tracking_uri())
    except Exception:  # a store that doesn't answer
        return ()
    place = f"experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    address = f"{store.rstrip('/')}/#/{place}" if store.startswith(("http://", "https://")) else f"{store} {place}"
    return ((f"MLflow run {run.info.run_name}", address),)


def note_links(record: Record) -> None:
    """Add the links to what the current attempt of a node has started, in this process or in its own."""
    links = current_attempt().links or (mlflow_links(record.started or 0.0) if MLFLOW in sys.modules else ())
    if links:
        record.links = links
        record.write("".join(f"{name}: {address}\n" for name, address in links))
