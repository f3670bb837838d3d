"""Nodes, ports and edges of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Setting = str | int | float | bool
"""The value of a setting of a node."""


class Kind(StrEnum):
    """The kind of a node. The last four are for drawings: Flyte has no node for them."""

    TASK = "task"
    CONTAINER = "container"
    SQL = "sql"
    SHELL = "shell"
    CONNECTOR = "connector"
    MAP = "map"
    DYNAMIC = "dynamic"
    EAGER = "eager"
    SUBWORKFLOW = "subworkflow"
    LAUNCH_PLAN = "launch_plan"
    BRANCH = "branch"
    GATE = "gate"
    REFERENCE = "reference"
    STUB = "stub"
    FAILURE = "failure"
    CASE = "case"
    INPUTS = "inputs"
    OUTPUTS = "outputs"
    CONSTANT = "constant"


PSEUDO_KINDS = frozenset({Kind.CASE, Kind.INPUTS, Kind.OUTPUTS, Kind.CONSTANT})
"""Kinds that don't run. The last segment of their path starts with `@`, which Flyte's node ids can't."""


class EdgeKind(StrEnum):
    """The reason for an edge: a value, an order (`>>`), or a case of a branch."""

    DATA = "data"
    ORDER = "order"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output: its name, the text of its type, and the text of its default."""

    name: str
    type: str
    default: str | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """The inputs and outputs of an entity, in declared order."""

    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One use of an entity.

    Attributes:
        path: the ids from the outermost workflow inwards, e.g. `n2/n0`.
        kind: its kind.
        name: the short name of the entity; the text of a constant; the name of a gate.
        interface: its inputs and outputs.
        settings: the values of badges: `retries`, `timeout` (seconds), `cache` (version), `cache_serialize`,
            `interruptible`, `image`, `cpu`, `mem`, `gpu`, `disk`, `accelerator`, `concurrency`,
            `min_success_ratio`, `min_successes`, `bound` (inputs that a map doesn't map over), `of` (the mapped
            entity, or the kind of the entity of a failure handler or reference), `gate` (`approve`, `input` or
            `sleep`), `duration` (seconds), `language`, `task_type`, `value` (a longer text of a constant), `error`
            (the message of a failing case), `alias` (a name given by `with_overrides`), `failure_policy`, `fixed` and
            `defaults` (a launch plan's inputs), `schedule`, `recursive` (a workflow inside itself), `version`,
            `project`, `domain`, `decorators` (of its function, outermost first), `stale` (what was redefined since the
            last run), `colour`, `badge` and `label` (a user's style), `asked` (a part was asked for by it).
            Absent means unset.
        children: paths of the nodes directly inside, in compiled order.
    """

    path: str
    kind: Kind
    name: str
    interface: Interface = field(default_factory=Interface)
    settings: Mapping[str, Setting] = field(default_factory=dict)
    children: tuple[str, ...] = ()

    @property
    def parent(self) -> str:
        """The path of the node around this one, `""` at the top."""
        return self.path.rpartition("/")[0]

    @property
    def id(self) -> str:
        """The last segment of the path: Flyte's own node id."""
        return self.path.rpartition("/")[2]

    @property
    def is_pseudo(self) -> bool:
        """Whether it is only drawn and doesn't run."""
        return self.kind in PSEUDO_KINDS


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge from `source` to `target` (paths).

    Attributes:
        output: the output of the source, with the attribute path: `o0`, `o0.x`, `o0[2]`; `""` without a value.
        input: the input of the target, with the position in it: `xs`, `xs[1]`, `xs['k']`; `""` without a value.
        label: the condition of a case, else `""`.
    """

    source: str
    target: str
    kind: EdgeKind = EdgeKind.DATA
    output: str = ""
    input: str = ""
    label: str = ""
