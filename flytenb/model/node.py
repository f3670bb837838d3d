"""What a graph is made of, as frozen data: nodes with ports and a path, and the edges between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Setting = str | int | float | bool
"""What a badge can say."""


class Kind(StrEnum):
    """What a node is. The last four are ours: Flyte has no node for them, a reader needs one."""

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
"""Kinds that never run: the last segment of their path starts with `@`, which no Flyte node id can."""


class EdgeKind(StrEnum):
    """Why an arrow is there: a value flows, an order was asked for (`>>`), or a branch may take this way."""

    DATA = "data"
    ORDER = "order"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output: its name, its type as a reader would write it, and its default in short."""

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
        path: where it stands, e.g. `n2/n0`: the ids from the outermost workflow inwards.
        kind: what it is.
        name: the entity's short name, as the user wrote it; for a constant its value in short, for a gate its name.
        interface: what goes in and comes out.
        settings: what a badge can say: `retries`, `timeout` (seconds), `cache` (version), `cache_serialize`,
            `interruptible`, `image`, `cpu`, `mem`, `gpu`, `disk`, `accelerator`, `concurrency`,
            `min_success_ratio`, `min_successes`, `bound` (inputs that a map doesn't map over), `of` (what a map maps,
            what kind of entity handles a failure or hides in a reference), `gate` (`approve`, `input` or `sleep`),
            `duration` (seconds), `language`, `task_type`, `value` (a constant, longer than its name), `error` (what a
            failing case says), `alias` (a name given by `with_overrides`), `failure_policy`, `fixed` and `defaults`
            (a launch plan's inputs), `schedule`, `recursive` (a workflow inside itself, not opened again), `version`,
            `project`, `domain`. Absent means unset.
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
        """Whether it is drawn but never runs."""
        return self.kind in PSEUDO_KINDS


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from `source` to `target` (paths).

    Attributes:
        output: the source's output, with the attribute path taken from it: `o0`, `o0.x`, `o0[2]`; `""` if no data.
        input: the target's input, with the place in it that is filled: `xs`, `xs[1]`, `xs['k']`; `""` if no data.
        label: a case's condition in words, else `""`.
    """

    source: str
    target: str
    kind: EdgeKind = EdgeKind.DATA
    output: str = ""
    input: str = ""
    label: str = ""
