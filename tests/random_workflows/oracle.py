"""Plain-Python evaluation of a random program: what a cluster would answer, run and leave undone.

Rules that aren't plain Python are those of Flyte's propeller (`controller/nodes`, v1.16):

- A node runs once all its upstream nodes have succeeded; one downstream of a failure never runs (`predicate.go`).
- The failure policy of the execution holds in subworkflows and dynamic tasks too (`executor.go`: `handleDownstream`
  asks the execution context); a launch plan and what an eager task calls are executions of their own.
- A branch node waits for its operands, and then for the inputs of the case that it takes (`branch/handler.go`).
- A map task fails once `n - failed < ceil(ratio * n)`; else it ends when every element has (`array/handler.go`).
- A failure handler runs after its workflow failed; the error stays the failed node's (`subworkflow.go`).
"""

from __future__ import annotations

import copy
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.random_workflows.program import (
    Alias,
    Arg,
    Attempt,
    Await,
    Call,
    Compare,
    Conditional,
    Const,
    DictOf,
    Dynamic,
    Eager,
    Fail,
    Gather,
    ListOf,
    Map,
    Plan,
    Program,
    Ref,
    Workflow,
    nodes_of,
)
from tests.random_workflows.tasks import PREAMBLE, TASKS, Task

OK = frozenset({"SUCCEEDED"})
FAILED = frozenset({"FAILED"})
SKIPPED = frozenset({"SKIPPED"})
NOT_REACHED = frozenset({"ABORTED", "SKIPPED"})
ANY = frozenset({"SUCCEEDED", "FAILED", "ABORTED", "SKIPPED"})
_OPERATORS = {"<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne, ">=": operator.ge}


@dataclass(frozen=True)
class Failure:
    """An error that a node ends with: its words, its node, and the nodes that must have succeeded before."""

    words: str
    path: str
    before: frozenset[str] = frozenset()

    @property
    def ancestors(self) -> set[str]:
        """The node and what contains it."""
        parts = self.path.split("/")
        return {"/".join(parts[: i + 1]) for i in range(len(parts))}

    def requires(self, path: str) -> bool:
        """Tell whether a node must have run for this failure to come about."""
        if path in self.ancestors:
            return True
        return any(path == b or path.startswith(f"{b}/") for b in self.before)


class Broken(Exception):
    """A node failed, with one of these failures."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        super().__init__()
        self.failures = tuple(failures)

    def after(self, before: frozenset[str]) -> Broken:
        return Broken(Failure(f.words, f.path, f.before | before) for f in self.failures)


@dataclass
class Story:
    """What is expected of a run: phases by path, and how often at least and at most each call is logged, by path."""

    phases: dict[str, frozenset[str]] = field(default_factory=dict)
    calls: list[tuple[str, str, int, int]] = field(default_factory=list)

    def note(self, path: str, entry: str, times: int = 1) -> None:
        self.calls.append((path, entry, times, times))

    def add(self, other: Story) -> None:
        self.phases |= other.phases
        self.calls += other.calls

    def relaxed(self, only: Failure | None = None) -> Story:
        """Return the story in which a failure may have cut off all but what one failure requires."""
        made = Story()
        for path, phases in self.phases.items():
            held = only is not None and only.requires(path)
            made.phases[path] = phases if held else phases | NOT_REACHED
        for path, entry, least, most in self.calls:
            handles = (
                only is not None
                and path.rpartition("/")[2] == "fn0"
                and path.rpartition("/")[0]
                in {
                    "",
                    *only.ancestors,
                }
            )
            held = handles or (only is not None and only.requires(path))
            made.calls.append((path, entry, least if held else 0, most))
        return made

    @property
    def least(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for _, entry, least, _ in self.calls:
            found[entry] = min(1, found[entry] + least) if _is_cached(entry) else found[entry] + least
        return +found

    @property
    def most(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for _, entry, _, most in self.calls:
            found[entry] = min(1, found[entry] + most) if _is_cached(entry) else found[entry] + most
        return +found

    def without_cached(self) -> Story:
        """Return the story of a second run: what is in the cache isn't called."""
        return Story(dict(self.phases), [call for call in self.calls if not _is_cached(call[1])])


@dataclass(frozen=True)
class Expected:
    """What a run must answer: outputs or one of the failures, and its story; `again` is a second run's story."""

    outputs: tuple[Any, ...] | None
    failures: tuple[Failure, ...]
    story: Story
    again: Story


@dataclass(frozen=True)
class Item:
    """A value on its way, and the nodes that it needed; without a value, what it depends on has failed."""

    value: Any
    before: frozenset[str] = frozenset()
    is_there: bool = True


@cache
def _functions(*edited: Task) -> dict[str, Callable[..., Any]]:
    """The tasks as plain functions, some of them edited."""
    import pandas as pd

    space: dict[str, Any] = {"note": lambda *_: None, "pd": pd, "__name__": __name__}
    exec(PREAMBLE, space)
    for name, task in (TASKS | {task.name: task for task in edited}).items():
        if not name.startswith("flaky"):
            exec(task.function(plain=True), space)
    return {name: space[name] for name in TASKS if name in space}


@dataclass(frozen=True)
class Made:
    """A call of a task as a node makes it: its name, its inputs and what it logs."""

    name: str
    args: Mapping[str, Any]
    entry: str


def expect(program: Program) -> Expected:
    """Evaluate a program."""
    outputs, failures, story = _Evaluation(program).everything()
    return Expected(outputs, failures, story, story.without_cached())


def calls_of(program: Program, *edited: Task) -> tuple[tuple[Any, ...], dict[str, Made]] | None:
    """Return the outputs of a program with edited tasks and the calls that make them, None if a call fails."""
    evaluation = _Evaluation(program, *edited)
    outputs, _, story = evaluation.everything()
    entries = {path: entry for path, entry, _, _ in story.calls}
    if outputs is None or evaluation.has_failed:
        return None
    return outputs, {path: Made(*evaluation.made[path], entry) for path, entry in entries.items()}


def _is_cached(entry: str) -> bool:
    """Tell whether a call's answer is kept: equal calls run once, at the same time as well as later."""
    return entry.startswith("cached(")


class _Evaluation:
    def __init__(self, program: Program, *edited: Task) -> None:
        self.program = program
        self.entities = {entity.name: entity for entity in program.entities}
        self.functions = _functions(*edited)
        self.made: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.has_failed = False

    def everything(self) -> tuple[tuple[Any, ...] | None, tuple[Failure, ...], Story]:
        root, story = self.program.root, Story()
        try:
            outputs = self._workflow(root, dict(self.program.inputs), "", story)
        except Broken as broken:
            only = broken.failures[0] if len(broken.failures) == 1 else None
            return None, broken.failures, story if root.policy else story.relaxed(only)
        return outputs, (), story

    # --- entities ---------------------------------------------------------------------------------------------------

    def _call(self, name: str, args: Mapping[str, Any], path: str, story: Story) -> Any:
        """Run what a node calls; its phase goes into the story."""
        self.made[path] = name, copy.deepcopy(dict(args))
        entity = self.entities.get(name)
        try:
            if entity is None:
                value = self._task(name, args, path, story)
            elif isinstance(entity, Workflow):
                value = _one(self._workflow(entity, args, f"{path}/", story))
            elif isinstance(entity, Plan):
                value = self._apart(
                    lambda own: _one(self._workflow(self._wf(entity), _given(entity, args), f"{path}/", own)), story
                )
            elif isinstance(entity, Dynamic):
                story.note(path, f"{name}({args['x']!r})")
                value = self._dynamic(entity, args["x"], path, story)
            else:
                story.note(path, f"{name}({args['x']!r})")
                value = self._eager(entity, args["x"], path, story)
        except Broken:
            self.has_failed = True
            story.phases[path] = FAILED
            raise
        story.phases[path] = OK
        return value

    def _wf(self, plan: Plan) -> Workflow:
        found = self.entities[plan.workflow]
        assert isinstance(found, Workflow)
        return found

    def _apart(self, evaluate: Callable[[Story], Any], story: Story) -> Any:
        """Evaluate an execution of its own: whatever its policy, its failure may cut off what is in it."""
        own = Story()
        try:
            value = evaluate(own)
        except Broken as broken:
            story.add(own.relaxed(broken.failures[0] if len(broken.failures) == 1 else None))
            raise
        story.add(own)
        return value

    def _task(self, name: str, args: Mapping[str, Any], path: str, story: Story) -> Any:
        task = TASKS[name]
        args = copy.deepcopy(dict(args))
        logged = [args[p] for p, kind in task.params if kind not in ("file", "folder", "frame")]
        entry = f"{name}({', '.join(map(repr, logged))})"
        if name.startswith("flaky"):
            retries, times = int(name[-1]), args["times"]
            story.note(path, entry, min(retries, times) + 1)
            if times > retries:
                raise Broken([Failure(f"not yet {args['tag']}", path)])
            return args["x"] + times
        story.note(path, entry)
        try:
            return self.functions[name](**args)
        except Exception as e:
            raise Broken([Failure(str(e), path)]) from e

    def _dynamic(self, dynamic: Dynamic, x: int, path: str, story: Story) -> Any:
        """Run the graph that a dynamic task makes, all of whose nodes are there before the first runs."""
        calls: list[tuple[str, dict[str, Any]]] = []
        if dynamic.form == "map":
            return self._elements(dynamic.target, "x", [x + i for i in range(x % 4)], {}, None, f"{path}/dn0", story)
        if dynamic.form == "nested":
            target, given = (dynamic.other, x // 2) if x % 2 else (dynamic.target, x)
            return self._call(target, {"x": given}, f"{path}/dn0", story)
        if dynamic.form == "chain":
            before: frozenset[str] = frozenset()
            for i in range(x % 3):
                try:
                    x = self._call(dynamic.target, {"x": x}, f"{path}/dn{i}", story)
                except Broken as broken:
                    raise broken.after(before) from None
                before |= {f"{path}/dn{i}"}
            return x
        calls = [(f"{path}/dn{i}", {"x": x + i}) for i in range(x % 4)]
        return self._all(calls, lambda args, at: self._call(dynamic.target, args, at, story))

    def _all(self, calls: list[tuple[str, dict[str, Any]]], call: Callable[[dict[str, Any], str], Any]) -> list[Any]:
        found, failures = [], []
        for at, args in calls:
            try:
                found.append(call(args, at))
            except Broken as broken:
                failures += broken.failures
        if failures:
            raise Broken(failures)
        return found

    def _eager(self, eager: Eager, x: int, path: str, story: Story) -> int:
        made = 0
        before: frozenset[str] = frozenset()

        def call(target: str, given: int) -> int:
            nonlocal made
            at = f"{path}/e{made}"
            made += 1
            try:
                value: int = self._apart(lambda own: self._call(target, {"x": given}, at, own), story)
            except Broken as broken:
                raise broken.after(before) from None
            return value

        for step in eager.steps:
            if isinstance(step, Gather):
                x = self._gather(step, x, call, story)
            elif isinstance(step, Await):
                x = call(step.target, x + step.shift)
            else:
                try:
                    x = call(step.target.target, x + step.target.shift)
                except Broken:
                    x = call(step.otherwise.target, x + step.otherwise.shift)
            before = frozenset(f"{path}/e{i}" for i in range(made))
        return x

    def _gather(self, step: Gather, x: int, call: Callable[[str, int], int], story: Story) -> int:
        """The first failure is raised; the others may still run, and may not."""
        at = len(story.calls)
        known = set(story.phases)
        failures: list[Failure] = []
        total = 0
        for i, target in enumerate(step.targets):
            try:
                total += call(target, x + i)
            except Broken as broken:
                failures += broken.failures
        if failures:
            story.calls[at:] = [(path, entry, 0, most) for path, entry, _, most in story.calls[at:]]
            for path in set(story.phases) - known:
                story.phases[path] = ANY
            raise Broken(failures)
        return total % 1009

    def _elements(
        self, target: str, over: str, values: list[Any], bound: Mapping[str, Any], ratio: float | None, path: str,
        story: Story,
    ) -> list[Any]:  # fmt: skip
        """A map task's elements; once too many have failed, the others may not run."""
        own, found, failures = Story(), [], []
        for i, value in enumerate(values):
            try:
                found.append(self._call(target, {**bound, over: value}, f"{path}/{i}", own))
            except Broken as broken:
                found.append(None)
                failures.append(broken.failures)
        if len(values) - len(failures) < (len(values) if ratio is None else math.ceil(ratio * len(values))):
            story.calls += [(at, entry, 0, most) for at, entry, _, most in own.calls]
            story.phases |= dict.fromkeys(own.phases, ANY) | {path: FAILED}
            raise Broken([Failure(f.words, path) for each in failures for f in each])
        story.add(own)
        story.phases[path] = OK
        return found

    # --- workflows --------------------------------------------------------------------------------------------------

    def _workflow(self, wf: Workflow, inputs: Mapping[str, Any], prefix: str, story: Story) -> tuple[Any, ...]:
        env = {name: Item(inputs[name]) for name in wf.params}
        failures: list[Failure] = []
        number = 0
        for statement in wf.statements:
            if isinstance(statement.node, Alias):
                env[statement.names[0]] = _value(statement.node.ref, env)
                continue
            path = f"{prefix}n{number}"
            number += 1
            order = [env[name] for name in statement.after]
            try:
                item = self._node(statement.node, env, order, path, story)
            except Broken as broken:
                failures += broken.failures
                item = Item(None, is_there=False)
            for i, name in enumerate(statement.names):
                value = item.value[i] if item.is_there and len(statement.names) > 1 else item.value
                env[name] = Item(value, item.before, item.is_there)
        if failures:
            if wf.handler:
                story.note(f"{prefix}fn0", f"{wf.handler}({', '.join(repr(inputs[p]) for p in wf.params)})")
                story.phases[f"{prefix}fn0"] = OK
            raise Broken(failures)
        return tuple(_value(arg, env).value for arg, _ in wf.outputs)

    def _node(
        self, node: Call | Map | Conditional, env: Mapping[str, Item], order: list[Item], path: str, story: Story
    ) -> Item:
        if isinstance(node, Conditional):
            return self._conditional(node, env, order, path, story)
        fills = dict([node.over, *node.bound] if isinstance(node, Map) else node.args)
        items = {name: _value(arg, env) for name, arg in fills.items()}
        before = frozenset[str]().union(*(i.before for i in [*items.values(), *order]))
        if not all(i.is_there for i in [*items.values(), *order]):
            story.phases[path] = NOT_REACHED
            return Item(None, is_there=False)
        values = {name: item.value for name, item in items.items()}
        try:
            if isinstance(node, Map):
                listed = values.pop(node.over[0])
                value = self._elements(node.target, node.over[0], listed, values, node.ratio, path, story)
            else:
                value = self._call(node.target, values, path, story)
        except Broken as broken:
            raise broken.after(before) from None
        return Item(value, before | {path})

    def _conditional(
        self, node: Conditional, env: Mapping[str, Item], order: list[Item], path: str, story: Story
    ) -> Item:
        operands = [_value(ref, env) for condition, _ in node.cases for ref in _operands(condition)]
        before = frozenset[str]().union(*(i.before for i in [*operands, *order]))
        cases = [then for _, then in node.cases]
        if not isinstance(node.otherwise, Fail):
            cases.append(node.otherwise)
        if not all(i.is_there for i in [*operands, *order]):
            story.phases |= dict.fromkeys([path, *(f"{path}/n{i}" for i in range(len(cases)))], NOT_REACHED)
            return Item(None, is_there=False)
        taken = next((i for i, (c, _) in enumerate(node.cases) if _holds(c, env)), len(node.cases))
        story.phases |= {f"{path}/n{i}": SKIPPED for i in range(len(cases)) if i != taken}
        try:
            if taken == len(node.cases) and isinstance(node.otherwise, Fail):
                raise Broken([Failure(node.otherwise.message, path)])
            item = self._node(cases[taken], env, [], f"{path}/n{taken}", story)
        except Broken as broken:
            story.phases[path] = FAILED
            raise broken.after(before) from None
        story.phases[path] = OK
        if not item.is_there:
            # The case waits for what has failed: its branch node never ends as a success.
            story.phases[path] = NOT_REACHED | FAILED
            story.phases |= {f"{path}/n{i}": NOT_REACHED for i in range(len(cases))}
        return Item(item.value, before | item.before | {path}, item.is_there)


def _one(outputs: tuple[Any, ...]) -> Any:
    return outputs[0] if len(outputs) == 1 else outputs


def _given(plan: Plan, args: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict(plan.defaults), **args, **dict(plan.fixed)}


def _operands(condition: Compare) -> list[Ref]:
    return [condition.left, *(_operands(condition.other) if condition.other else [])]


def _holds(condition: Compare, env: Mapping[str, Item]) -> bool:
    own = _OPERATORS[condition.operator](_value(condition.left, env).value, condition.right)
    if condition.other is None:
        return bool(own)
    other = _holds(condition.other, env)
    return bool(own and other) if condition.join == "&" else bool(own or other)


def _value(arg: Arg, env: Mapping[str, Item]) -> Item:
    """Return what an argument is worth, a copy of its own."""
    if isinstance(arg, Const):
        return Item(copy.deepcopy(arg.value))
    if isinstance(arg, Ref):
        item = env[arg.var]
        if not item.is_there:
            return item
        value = item.value
        for part in arg.path:
            value = getattr(value, part[1:]) if isinstance(part, str) and part.startswith(".") else value[part]
        return Item(copy.deepcopy(value), item.before)
    parts = [_value(a, env) for a in (arg.items if isinstance(arg, ListOf) else [a for _, a in arg.items])]
    before = frozenset[str]().union(*(p.before for p in parts))
    if not all(p.is_there for p in parts):
        return Item(None, before, is_there=False)
    values = [p.value for p in parts]
    return Item(
        dict(zip([k for k, _ in arg.items], values, strict=True)) if isinstance(arg, DictOf) else values, before
    )


__all__ = ["Attempt", "Expected", "Failure", "Made", "Story", "calls_of", "expect", "nodes_of"]
