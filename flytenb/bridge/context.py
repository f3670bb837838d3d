"""The flytekit context of a node's code: one per node, with directories that are made on first use.

flytekit itself makes two directories per task call and deletes neither.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flytekit.core.context_manager import (
    CompilationState,
    ExecutionParameters,
    ExecutionState,
    FlyteContext,
    FlyteContextManager,
    OutputMetadataTracker,
    flyte_context_Var,
)
from flytekit.core.promise import flyte_entity_call_handler
from flytekit.core.reference_entity import ReferenceEntity

from flytenb.bridge import private
from flytenb.bridge.stopping import current_attempt
from flytenb.locks import new_lock, new_rlock

compile_lock = new_rlock()
"""Held while a workflow that several threads can reach is compiled. Taken by plain `with` statements only: a request to
stop must not arrive between acquiring and releasing it."""


RUN_DIRECTORY = "/flytenb-run-"
"""Part of the paths of the directories of runs."""
_announced: dict[str, object] = {}
"""Each notice of this process, with what added it."""
# Looked up once: an attribute of an enumeration's class takes 0.3 µs in Python 3.11.
_LOCAL_TASK = ExecutionState.Mode.LOCAL_TASK_EXECUTION
AS_POD = ExecutionState.Mode.TASK_EXECUTION
"""The mode in which outputs are packed as by a pod: files and directories are uploaded."""


class Workspace:
    """The directory and flytekit contexts of one run; the directory is made on first use and removed by `close`.

    Args:
        root: the directory of the run, in a process that runs one of its nodes.

    Attributes:
        lock: held while a directory or a context is made.
        base: the flytekit context around all nodes.
        engine: the engine of raw containers, and whether they may use the network.
        notices: what the run has to say once in a process, for whoever waits for it.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.lock = new_lock()
        self._root = root
        self.engine = ("auto", False)
        self.notices: deque[str] = deque()
        context = FlyteContextManager.current_context()
        self.base = context
        self._parameters = context.user_space_params
        self._template = dict(context.__dict__, compilation_state=None, in_a_condition=False, level=context.level + 1)

    @property
    def root(self) -> Path:
        """The run's own directory."""
        with self.lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix=RUN_DIRECTORY.removeprefix("/")))
            return self._root

    def has_made(self, path: str) -> bool:
        """Whether a local path is in the directory of a run, or where flytekit stores outputs: no user changes it."""
        return RUN_DIRECTORY in path or path.startswith(str(self.base.file_access.raw_output_prefix))

    def next_checkpoint(self, earlier: list[str]) -> tuple[str, str | None]:
        """Return the directory of an attempt's checkpoint, and that of the latest earlier attempt that wrote one.

        Args:
            earlier: the checkpoint directories of the node's attempts; the new one is appended.
        """
        source = next((path for path in reversed(earlier) if any(Path(path).iterdir())), None)
        earlier.append(tempfile.mkdtemp(dir=self.root))
        return earlier[-1], source

    def announce(self, text: str) -> None:
        """Add a notice, unless a run of this process has had it."""
        mine = object()
        if _announced.setdefault(text, mine) is mine:
            self.notices.append(text)

    def close(self) -> None:
        """Remove the directory, if one was made."""
        with self.lock:
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
                self._root = None

    def context(
        self,
        mode: ExecutionState.Mode = _LOCAL_TASK,
        worker_queue: Any = None,
    ) -> FlyteContext:
        """Build the context of one node: parameters, decks and working directory, all lazy."""
        made = object.__new__(FlyteContext)
        # Twelve times as fast as the frozen dataclass's constructor; a run builds one per node.
        made.__dict__.update(self._template)
        made.__dict__["execution_state"] = _NodeState(self, mode, _NodeParameters(self, self._parameters))
        made.__dict__["output_metadata_tracker"] = OutputMetadataTracker()
        made.__dict__["worker_queue"] = worker_queue
        return made

    def enter_to_pack(self) -> FlyteContext:
        """Enter to pack outputs as a pod does: files and directories are uploaded.

        In flytekit's local mode a file stays where the task wrote it, which here is gone when the run is over.
        """
        return self.enter(self.context(AS_POD))

    def enter(self, context: FlyteContext | None = None) -> FlyteContext:
        """Replace this thread's flytekit contexts by a stack that holds only this node's.

        The context variable holds one mutable list: threads that share a copy of it corrupt each other, so every node
        starts with a list of its own, whatever the node before it left behind.
        """
        made = context if context is not None else self.context()
        flyte_context_Var.set([self.base, made])
        return made

    def enter_unmade(self) -> NodeStack:
        """Enter as `enter` does, with a context that is made on first use."""
        stack = NodeStack(self)
        flyte_context_Var.set(stack)
        return stack

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Leave the node during the block, to compile: flytekit checks first whether something executes."""
        token = flyte_context_Var.set([self.base])
        try:
            yield
        finally:
            flyte_context_Var.reset(token)

    @contextmanager
    def entered(self, mode: ExecutionState.Mode = _LOCAL_TASK) -> Iterator[None]:
        """Enter during the block, on a thread that isn't a worker, such as the notebook's."""
        token = flyte_context_Var.set([self.base, self.context(mode)])
        try:
            yield
        finally:
            flyte_context_Var.reset(token)


class NodeStack(list[Any]):
    """The stack of a node's contexts, as flytekit keeps it; the node's context is made when the stack is first read.

    Most tasks never read their context, and making it takes longer than the rest of a node's overhead.

    Attributes:
        mode: the execution mode of the node.
    """

    __slots__ = ("_mode", "_workspace")

    def __init__(self, workspace: Workspace) -> None:
        self.append(workspace.base)
        self.append(None)
        self._workspace = workspace
        self._mode = _LOCAL_TASK

    @property
    def mode(self) -> ExecutionState.Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: ExecutionState.Mode) -> None:
        self._mode = mode
        made = list.__getitem__(self, 1)
        if made is not None:
            made.execution_state.mode = mode

    def __getitem__(self, index: Any) -> Any:
        self._make()
        return list.__getitem__(self, index)

    def __iter__(self) -> Iterator[Any]:
        self._make()
        return list.__iter__(self)

    def _make(self) -> None:
        if list.__getitem__(self, 1) is not None:
            return
        with self._workspace.lock:
            if list.__getitem__(self, 1) is None:
                self[1] = self._workspace.context(self._mode)


_CALL_HANDLERS = (flyte_entity_call_handler.__code__, ReferenceEntity.__call__.__code__)
"""The code of flytekit that decides what a call of a task, workflow or reference does."""


class _NodeState(ExecutionState):  # type: ignore[misc]
    """An execution state with directories that are made on first use.

    It is a local one, as secrets, decks and plugins ask for, except to what handles calls: what a task's own code calls
    runs and returns Python values, as in a pod. In a local execution it would return a promise.
    """

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

    def is_local_execution(self) -> bool:
        """Tell whether this is a local execution to the caller."""
        if self.mode is _LOCAL_TASK and sys._getframe(1).f_code in _CALL_HANDLERS:
            return False
        return bool(super().is_local_execution())

    def with_params(
        self,
        working_dir: Any = None,
        mode: ExecutionState.Mode | None = None,
        engine_dir: Any = None,
        branch_eval_mode: Any = None,
        user_space_params: ExecutionParameters | None = None,
    ) -> ExecutionState:
        """Return a copy of the same class, unless other directories are given."""
        if working_dir or engine_dir:
            return super().with_params(working_dir, mode, engine_dir, branch_eval_mode, user_space_params)
        made = _NodeState(self._workspace, mode or self.mode, user_space_params or self.user_space_params)
        made._node_dir = self._node_dir
        made.branch_eval_mode = branch_eval_mode or self.branch_eval_mode
        return made


class _NodeParameters(ExecutionParameters):  # type: ignore[misc]
    """The result of `flytekit.current_context()` in a task; what is expensive is made on first use."""

    def __init__(self, workspace: Workspace, base: ExecutionParameters | None) -> None:
        if base is not None:
            self.__dict__.update(base.__dict__)
        self._workspace = workspace
        self._attrs = dict(base._attrs) if base is not None else {}
        attempt = current_attempt()
        if attempt.decks is None:
            attempt.decks = []
        self._decks = attempt.decks  # those of all contexts of one attempt
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
        """The checkpoint: `read` returns what the latest attempt that wrote one has written."""
        if self._checkpoint is None:
            earlier = current_attempt().checkpoints
            made = self._workspace.next_checkpoint([] if earlier is None else earlier)
            self._checkpoint = private.checkpoint_in(*made, scratch=tempfile.mkdtemp(dir=self._workspace.root))
        return self._checkpoint


def workspace_of_node() -> Workspace | None:
    """Return the workspace of the run whose node's code this thread runs, None outside of a node."""
    found = (context.user_space_params for context in flyte_context_Var.get() or ())
    return next((each._workspace for each in found if isinstance(each, _NodeParameters)), None)


def is_in_node() -> bool:
    """Tell whether this thread runs a node's code."""
    return workspace_of_node() is not None


@contextmanager
def at_rest() -> Iterator[None]:
    """Leave this thread's execution or compilation, so that a workflow compiles the same wherever it is first used."""
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
    """Enter a new compilation state on this thread; concurrent compiles need separate context lists."""
    context = FlyteContextManager.current_context()
    state = CompilationState(prefix=prefix)
    with FlyteContextManager.with_context(context.with_compilation_state(state)) as inner:
        yield inner
