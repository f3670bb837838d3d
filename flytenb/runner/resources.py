"""Resources that all runs of this process share: threads, processes, holders of process-wide state."""

from __future__ import annotations

import os

from flytenb.bridge.execution.connector_loop import ConnectorLoop
from flytenb.cache.single_flight import SingleFlight
from flytenb.engines.fork_server import fork_server
from flytenb.runner.capture import PrintRouting
from flytenb.runner.clock import Clock
from flytenb.runner.exclusion import Exclusion
from flytenb.runner.kept_code import KeptCodes
from flytenb.runner.main_thread import MainThread
from flytenb.runner.process_pool import ProcessPool
from flytenb.runner.workers import WorkerPool


class Resources:
    """What runs share; each part starts its threads or processes when they are first needed.

    Attributes:
        workers: threads that run steps and call listeners.
        clock: calls functions at given times.
        processes: processes of tasks that run in one.
        connectors: the event loop of connector tasks.
        main_thread: calls for the main thread, made while it waits for a run.
        exclusion: the nodes that hold process-wide state, and those that wait for it.
        flights: the calls of cached tasks that are under way.
        codes: the code of the entities that ran last.
        printing: the redirected standard output while runs print.
    """

    def __init__(self) -> None:
        self.workers = WorkerPool()
        self.clock = Clock()
        self.processes = ProcessPool()
        self.connectors = ConnectorLoop()
        self.main_thread = MainThread()
        self.exclusion = Exclusion()
        self.flights = SingleFlight()
        self.codes = KeptCodes()
        self.printing = PrintRouting()

    def start_anew(self) -> None:
        """Start without threads and processes: a forked process has none of its parent's."""
        for part in (self.workers, self.clock, self.processes, self.connectors, self.flights, self.printing):
            part.start_anew()

    def close(self) -> None:
        """End the threads and processes that no run uses; they are started again when they are needed."""
        for part in (self.connectors, self.processes, self.clock, self.workers, fork_server):
            part.close()


resources = Resources()
os.register_at_fork(after_in_child=resources.start_anew)
