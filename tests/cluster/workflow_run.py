"""Propeller's loop over a workflow: nodes run as soon as what they need is there."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flyteidl.core import compiler_pb2, tasks_pb2
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ
from flyteidl.core import workflow_pb2 as wf

from tests.cluster.bindings import promised_by, resolve_all
from tests.cluster.compiler import END, START
from tests.cluster.engine import Engine
from tests.cluster.failure import Failure
from tests.cluster.identifiers import Key, Parent, key_of
from tests.cluster.node_run import NodeRun
from tests.cluster.stop import Stop, Stopped

_ERROR_TYPE = typ.LiteralType(simple=typ.ERROR, structure=typ.TypeStructure(tag="FlyteError"))


@dataclass(frozen=True)
class Closure:
    """The tasks and workflows of a compiled closure, by key."""

    tasks: Mapping[Key, tasks_pb2.TaskTemplate]
    workflows: Mapping[Key, compiler_pb2.CompiledWorkflow]

    @classmethod
    def of(cls, compiled: compiler_pb2.CompiledWorkflowClosure) -> Closure:
        tasks = {key_of(task.template.id): task.template for task in compiled.tasks}
        return cls(tasks, {key_of(each.template.id): each for each in compiled.sub_workflows})


class WorkflowRun:
    """One run of a workflow: of an execution, of a node, or of what a dynamic task made.

    Attributes:
        outputs: what nodes gave, by id.
        folder: where the data of its nodes are.
    """

    def __init__(
        self,
        engine: Engine,
        closure: Closure,
        workflow: compiler_pb2.CompiledWorkflow,
        parent: Parent | None,
        folder: str,
        stop: Stop,
    ) -> None:
        self.engine, self.closure, self.workflow = engine, closure, workflow
        self.parent, self.folder, self.stop = parent, folder, Stop(stop)
        self.outputs: dict[str, lit.LiteralMap] = {}
        self._has_failed = False
        self._changed = threading.Condition()

    def run(self, inputs: lit.LiteralMap) -> lit.LiteralMap:
        """Run the workflow and return its outputs.

        Raises:
            Failure: if a node has failed.
            Stopped: if it was stopped.
        """
        self.outputs[START] = inputs
        self._record_end(START, inputs)
        try:
            self._run_nodes()
        except Failure as failure:
            if self.workflow.template.HasField("failure_node"):
                self._run_failure_node(failure)
            raise
        given = resolve_all(self.workflow.template.outputs, self.outputs)
        self._record_end(END, given)
        return given

    def _run_nodes(self) -> None:
        template, connections = self.workflow.template, self.workflow.connections
        nodes = {node.id: node for node in template.nodes if node.id not in (START, END)}
        waiting = {name: {*connections.upstream[name].ids} - {START} for name in nodes}
        ended: queue.SimpleQueue[tuple[str, BaseException | None]] = queue.SimpleQueue()
        running: set[str] = set()
        failure: BaseException | None = None
        goes_on = template.metadata.on_failure == wf.WorkflowMetadata.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE

        while True:
            if failure is None or (goes_on and not self.stop.is_set):
                ready = [name for name, needed in waiting.items() if not needed]
                for name in ready:
                    del waiting[name]
                    running.add(name)
                    self._start(nodes[name], ended)
            if not running:
                break
            name, error = ended.get()
            running.remove(name)
            if error is None:
                for needed in waiting.values():
                    needed.discard(name)
                continue
            failure = failure or error
            self._notify(has_failed=True)
            if not goes_on or not isinstance(error, Failure):
                self.stop.set()
        if failure is not None:
            raise failure

    def _start(self, node: wf.Node, ended: queue.SimpleQueue[tuple[str, BaseException | None]]) -> None:
        def target() -> None:
            error: BaseException | None = None
            try:
                self.run_node(node, self.parent, self.folder)
            except BaseException as e:
                error = e
            ended.put((node.id, error))

        threading.Thread(target=target, name=node.id, daemon=True).start()

    def run_node(
        self,
        node: wf.Node,
        parent: Parent | None,
        folder: str,
        stop: Stop | None = None,
        change: Callable[[lit.LiteralMap], None] = lambda inputs: None,
    ) -> lit.LiteralMap:
        """Run a node of the workflow and keep its outputs."""
        given = NodeRun(self, node, parent, folder, stop or self.stop).run(change)
        self.outputs[node.id] = given
        self._notify()
        return given

    def run_case(self, case: wf.Node, parent: Parent, folder: str, stop: Stop) -> lit.LiteralMap:
        """Run a case of a branch as soon as the nodes that it refers to have succeeded."""
        promised = {name for binding in case.inputs for name in promised_by(binding.binding)}
        before = (promised | {*case.upstream_node_ids}) - {START}
        needed = {name for name in before if not case.id.startswith(f"{name}-")}  # not its branches
        with stop.calling(self._notify), self._changed:
            self._changed.wait_for(lambda: needed <= self.outputs.keys() or self._has_failed or stop.is_set)
        if not needed <= self.outputs.keys():
            raise Stopped
        return self.run_node(case, parent, folder, stop)

    def _notify(self, *, has_failed: bool = False) -> None:
        with self._changed:
            self._has_failed |= has_failed
            self._changed.notify_all()

    def _record_end(self, name: str, values: lit.LiteralMap) -> None:
        run = NodeRun(self, wf.Node(id=name), self.parent, self.folder, self.stop)
        run.enter(values)
        run.succeed(values)

    def _run_failure_node(self, failure: Failure) -> None:
        """Run the workflow's handler; if it fails, its error replaces that of the workflow."""
        node = self.workflow.template.failure_node

        def set_error(inputs: lit.LiteralMap) -> None:
            if "err" in inputs.literals:
                error = typ.Error(failed_node_id=node.id, message=failure.error.message)
                value = lit.Literal(scalar=lit.Scalar(error=error))
                union = lit.Union(value=value, type=_ERROR_TYPE)
                inputs.literals["err"].CopyFrom(lit.Literal(scalar=lit.Scalar(union=union)))

        self.run_node(node, self.parent, self.folder, Stop(self.engine.stop), set_error)
