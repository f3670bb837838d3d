"""End of a run, once: its resources are released, its jobs called, its waiters woken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flytenb.bridge.patches import during_runs
from flytenb.errors import headline
from flytenb.model import Phase
from flytenb.runner.interrupts import Latch
from flytenb.runner.journal import Journal, complain, name_of
from flytenb.runner.resources import resources

if TYPE_CHECKING:
    from flytenb.bridge.context import Workspace
    from flytenb.runner.step import Scope


class Ending:
    """The end of a run.

    Args:
        journal: the journal of the run.
        workspace: the workspace of the run.

    Attributes:
        finished: set when the run has ended.
    """

    def __init__(self, journal: Journal, workspace: Workspace) -> None:
        self.finished = Latch()
        self._journal = journal
        self._workspace = workspace
        self._jobs: list[Callable[[], Any]] = []
        self._is_wound_up = False

    def wind_up(self, root: Scope | None) -> None:
        """Release the resources of an ended run and wake its waiters. Without the lock."""
        with self._journal.lock:
            if self._is_wound_up:
                return
            self._is_wound_up = True
        self._release()
        if self._journal.run_record.phase is Phase.ABORTED:
            resources.workers.submit(self._workspace.close)  # so that `cancel` doesn't wait for a large directory
        else:
            self._workspace.close()
        with self._journal.lock:
            jobs, self._jobs = self._jobs, []
            if root is not None:
                root.let_go()
            if jobs:
                resources.workers.submit(lambda: _call_all(jobs))
            resources.workers.release()
            self.finished.set()

    def _release(self) -> None:
        """Release what the start of the run took."""
        resources.printing.end()
        during_runs.end()

    def add(self, job: Callable[[], Any]) -> None:
        """Call `job` at the end of the run, at once if it has ended."""
        with self._journal.lock:
            if not self.finished.is_set():
                self._jobs.append(job)
                return
        job()


def _call_all(jobs: Iterable[Callable[[], Any]]) -> None:
    """Call the jobs for the end of a run; one that raises is reported and doesn't stop the others."""
    for job in jobs:
        try:
            job()
        except BaseException as e:
            complain(f"a job for the end of a run, {name_of(job)}, raised {headline(e)}")
