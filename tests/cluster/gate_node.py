"""Gates: approvals, inputs and waits."""

from __future__ import annotations

from flyteidl.admin import signal_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ

from tests.cluster.failure import USER, Failure
from tests.cluster.node_run import NodePhase, NodeRun


def run_gate_node(run: NodeRun) -> lit.LiteralMap:
    run.set_phase(NodePhase.RUNNING)
    gate = run.node.gate_node
    match gate.WhichOneof("condition"):
        case "approve":
            answer = _answer(run, gate.approve.signal_id, typ.LiteralType(simple=typ.BOOLEAN))
            if not answer.scalar.primitive.boolean:
                words = "received a reject signal to disapprove the node input values"
                raise Failure("ReceivedRejectSignal", words, USER)
            return run.inputs
        case "signal":
            answer = _answer(run, gate.signal.signal_id, gate.signal.type)
            return lit.LiteralMap(literals={gate.signal.output_variable_name: answer})
    _wait(run, gate.sleep.duration.ToTimedelta().total_seconds())
    return lit.LiteralMap()


def _answer(run: NodeRun, name: str, kind: typ.LiteralType) -> lit.Literal:
    """Ask for a signal and return its value when it is set."""
    records, signals = run.engine.records, run.engine.record.signals
    with run.stop.calling(records.notify), records.changing():
        identifier = ids.SignalIdentifier(signal_id=name, execution_id=run.engine.id)
        signal = signals.setdefault(name, signal_pb2.Signal(id=identifier, type=kind))
        records.changed.notify_all()
        records.changed.wait_for(lambda: run.stop.is_set or signal.HasField("value"))
        run.stop.check()
        return signal.value


def _wait(run: NodeRun, seconds: float) -> None:
    records = run.engine.records
    with run.stop.calling(records.notify), records.changed:
        records.changed.wait_for(lambda: run.stop.is_set, seconds)
        run.stop.check()
