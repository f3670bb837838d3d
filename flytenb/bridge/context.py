"""The flytekit context in which a node's code runs: made by hand, a fresh one per node, directories only when touched.

flytekit's own way makes two directories per task call and deletes neither.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flytekit.core.checkpointer import SyncCheckpoint
from flytekit.core.context_manager import (
    CompilationState,
    ExecutionParameters,
    ExecutionState,
    FlyteContext,
    FlyteContextManager,
    OutputMetadataTracker,
    flyte_context_Var,
)

compile_lock = threading.RLock()
"""Concurrent compiles come out wrong in flytekit, so there is one at a time."""


class Workspace:
    """The directory of one run, made when a node first touches it and removed by `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: Path | None = None
        context = FlyteContextManager.current_context()
        self._base = context
        self._parameters = context.user_space_params
        self._template = dict(context.__dict__, compilation_state=None, in_a_condition=False, level=context.level + 1)

    @property
    def root(self) -> Path:
        """The run's own directory."""
        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="flytenb-run-"))
            return self._root

    def close(self) -> None:
        """Remove the directory, if one was made."""
        with self._lock:
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
                self._root = None

    def context(
        self,
        mode: ExecutionState.Mode = ExecutionState.Mode.LOCAL_TASK_EXECUTION,
        worker_queue: Any = None,
    ) -> FlyteContext:
        """Build the context for one node: its own parameters, decks and working directory, all lazy."""
        made = object.__new__(FlyteContext)
        # Twelve times as fast as the frozen dataclass's own constructor, and a run builds one per node.
        made.__dict__.update(self._template)
        made.__dict__["execution_state"] = _NodeState(self, mode, _NodeParameters(self, self._parameters))
        made.__dict__["output_metadata_tracker"] = OutputMetadataTracker()
        made.__dict__["worker_queue"] = worker_queue
        return made

    def enter_to_pack(self) -> FlyteContext:
        """Enter as a pod would hand its outputs over: files and directories are uploaded, away from who made them.

        In flytekit's local mode a file stays where the task wrote it, which here is gone when the run is over.
        """
        return self.enter(self.context(ExecutionState.Mode.TASK_EXECUTION))

    def enter(self, context: FlyteContext | None = None) -> FlyteContext:
        """Make this thread's flytekit context a fresh stack that holds just this node's.

        The context variable holds one mutable list: threads that share a copy of it corrupt each other, so every node
        starts with a list of its own, whatever the node before it left behind.
        """
        made = context if context is not None else self.context()
        flyte_context_Var.set([self._base, made])
        return made

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Leave the node for a while, to compile: flytekit asks which mode it is in before whether it compiles."""
        token = flyte_context_Var.set([self._base])
        try:
            with compile_lock:
                yield
        finally:
            flyte_context_Var.reset(token)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Enter for a while on a thread that is somebody else's, such as the notebook's own."""
        token = flyte_context_Var.set([self._base, self.context()])
        try:
            yield
        finally:
            flyte_context_Var.reset(token)


class _NodeState(ExecutionState):  # type: ignore[misc]
    """An execution state that makes its directories when asked for them, not when built."""

    def __init__(self, workspace: Workspace, mode: ExecutionState.Mode, parameters: ExecutionParameters) -> None:
        self._workspace = workspace
        self._node_dir: str | None = None
        self.mode = mode
        self.branch_eval_mode = None
        self.user_space_params = parameters

    @property
    def working_dir(self) -> str:
        if self._node_dir is None:
            self._node_dir = tempfile.mkdtemp(dir=self._workspace.root)
        return self._node_dir

    @property
    def engine_dir(self) -> str:
        path = Path(self.working_dir) / "engine_dir"
        path.mkdir(exist_ok=True)
        return str(path)


class _NodeParameters(ExecutionParameters):  # type: ignore[misc]
    """What `flytekit.current_context()` gives a task; everything that costs something is made on first use."""

    def __init__(self, workspace: Workspace, base: ExecutionParameters | None) -> None:
        if base is not None:
            self.__dict__.update(base.__dict__)
        self._workspace = workspace
        self._attrs = dict(base._attrs) if base is not None else {}
        self._decks: list[Any] = []
        self._timeline_deck = None
        self._checkpoint: Any = None
        self._working_directory: str | None = None

    @property
    def working_directory(self) -> str:
        if self._working_directory is None:
            self._working_directory = tempfile.mkdtemp(dir=self._workspace.root) + "/"
        return str(self._working_directory)

    @property
    def checkpoint(self) -> Any:
        if self._checkpoint is None:
            self._checkpoint = SyncCheckpoint(checkpoint_dest=tempfile.mkdtemp(dir=self._workspace.root))
        return self._checkpoint


@contextmanager
def at_rest() -> Iterator[None]:
    """Leave what this thread executes or compiles, so that a workflow compiles the same wherever it is first used."""
    top = FlyteContextManager.current_context()
    is_resting = top.compilation_state is None and (top.execution_state is None or top.execution_state.mode is None)
    token = None if is_resting else flyte_context_Var.set(flyte_context_Var.get()[:1])
    try:
        yield
    finally:
        if token is not None:
            flyte_context_Var.reset(token)


@contextmanager
def compiling(prefix: str) -> Iterator[FlyteContext]:
    """Hold the one compile lock and a clean compilation state on this thread."""
    with compile_lock:
        context = FlyteContextManager.current_context()
        state = CompilationState(prefix=prefix)
        with FlyteContextManager.with_context(context.with_compilation_state(state)) as inner:
            yield inner
