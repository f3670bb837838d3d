"""What runs each kind of node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flyteidl.core import literals_pb2 as lit

from tests.cluster.array_node import run_array_node
from tests.cluster.branch_node import run_branch_node
from tests.cluster.gate_node import run_gate_node
from tests.cluster.task_node import run_task_node
from tests.cluster.workflow_node import run_workflow_node

HANDLERS: Mapping[str, Callable[[Any], lit.LiteralMap]] = {
    "task_node": run_task_node,
    "branch_node": run_branch_node,
    "workflow_node": run_workflow_node,
    "gate_node": run_gate_node,
    "array_node": run_array_node,
}
