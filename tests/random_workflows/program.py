"""Random programs as data, and the source text that they are written as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.random_workflows.tasks import FLYTEKIT, PREAMBLE, TASKS, TYPES

# --- what fills an input ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ref:
    """A variable, or something inside it: attributes are `.name`, keys and indices `[key]`."""

    var: str
    path: tuple[str | int, ...] = ()

    def text(self) -> str:
        parts = [f".{p[1:]}" if isinstance(p, str) and p.startswith(".") else f"[{p!r}]" for p in self.path]
        return self.var + "".join(parts)


@dataclass(frozen=True)
class Const:
    """A number, a text or a list of numbers."""

    value: object

    def text(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class ListOf:
    """A list of promises and constants."""

    items: tuple[Arg, ...]

    def text(self) -> str:
        return f"[{', '.join(i.text() for i in self.items)}]"


@dataclass(frozen=True)
class DictOf:
    """A dictionary of promises and constants."""

    items: tuple[tuple[str, Arg], ...]

    def text(self) -> str:
        return "{" + ", ".join(f"{k!r}: {v.text()}" for k, v in self.items) + "}"


Arg = Ref | Const | ListOf | DictOf


def refs(arg: Arg) -> Iterator[Ref]:
    """Yield the references in an argument."""
    if isinstance(arg, Ref):
        yield arg
    elif isinstance(arg, ListOf):
        for item in arg.items:
            yield from refs(item)
    elif isinstance(arg, DictOf):
        for _, item in arg.items:
            yield from refs(item)


# --- statements of a workflow ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A call of a task, workflow, launch plan, dynamic or eager task; `as_node` goes through create_node."""

    target: str
    args: tuple[tuple[str, Arg], ...]
    as_node: bool = False

    def text(self) -> str:
        args = ", ".join(f"{name}={arg.text()}" for name, arg in self.args)
        return f"create_node({self.target}, {args}).o0" if self.as_node else f"{self.target}({args})"


@dataclass(frozen=True)
class Map:
    """A map task; `bound` are the inputs of a partial."""

    target: str
    over: tuple[str, Arg]
    bound: tuple[tuple[str, Arg], ...] = ()
    concurrency: int | None = None
    ratio: float | None = None

    def text(self) -> str:
        function = self.target
        if self.bound:
            function = f"functools.partial({function}, {', '.join(f'{n}={a.text()}' for n, a in self.bound)})"
        options = [f"concurrency={self.concurrency}"] if self.concurrency is not None else []
        options += [f"min_success_ratio={self.ratio}"] if self.ratio is not None else []
        return f"map_task({', '.join([function, *options])})({self.over[0]}={self.over[1].text()})"


@dataclass(frozen=True)
class Compare:
    """A comparison with a constant, or two of them joined by `&` or `|`."""

    left: Ref
    operator: str
    right: int
    join: str = ""
    other: Compare | None = None

    def text(self) -> str:
        own = f"({self.left.text()} {self.operator} {self.right})"
        return f"({own} {self.join} {self.other.text()})" if self.other else own


@dataclass(frozen=True)
class Fail:
    """A case that fails."""

    message: str


@dataclass(frozen=True)
class Conditional:
    """A conditional: cases with their conditions, and what stands in else."""

    name: str
    cases: tuple[tuple[Compare, Call | Map | Conditional], ...]
    otherwise: Call | Map | Conditional | Fail

    def text(self) -> str:
        parts = [f"conditional({self.name!r})"]
        for i, (condition, then) in enumerate(self.cases):
            parts.append(f".{'elif_' if i else 'if_'}({condition.text()}).then({then.text()})")
        last = self.otherwise
        parts.append(f".else_().fail({last.message!r})" if isinstance(last, Fail) else f".else_().then({last.text()})")
        return "".join(parts)


@dataclass(frozen=True)
class Alias:
    """A name for a part of an output, used more than once."""

    ref: Ref

    def text(self) -> str:
        return self.ref.text()


Node = Call | Map | Conditional


@dataclass(frozen=True)
class Statement:
    """One line of a workflow: the variables that it binds, and which earlier nodes it only waits for."""

    names: tuple[str, ...]
    node: Node | Alias
    after: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        return [f"{', '.join(self.names)} = {self.node.text()}", *(f"{a} >> {self.names[0]}" for a in self.after)]


@dataclass(frozen=True)
class Workflow:
    """A workflow: numbers in; statements; what it returns, with types."""

    name: str
    params: tuple[str, ...]
    statements: tuple[Statement, ...]
    outputs: tuple[tuple[Arg, str], ...]
    policy: bool = False
    handler: str = ""

    def source(self) -> str:
        options = ["failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE"] if self.policy else []
        options += [f"on_failure={self.handler}"] if self.handler else []
        returns = [TYPES[kind] for _, kind in self.outputs]
        arrow = returns[0] if len(returns) == 1 else f"tuple[{', '.join(returns)}]"
        lines = [f"@workflow({', '.join(options)})" if options else "@workflow"]
        lines.append(f"def {self.name}({', '.join(f'{p}: int' for p in self.params)}) -> {arrow}:")
        for statement in self.statements:
            lines += [f"    {line}" for line in statement.lines()]
        lines.append(f"    return {', '.join(arg.text() for arg, _ in self.outputs)}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Plan:
    """A launch plan of a workflow with a fixed and a default input."""

    name: str
    workflow: str
    fixed: tuple[tuple[str, int], ...]
    defaults: tuple[tuple[str, int], ...]

    def source(self) -> str:
        return (
            f"{self.name} = LaunchPlan.get_or_create({self.workflow}, name=f'{{__name__}}.{self.name}', "
            f"default_inputs={dict(self.defaults)}, fixed_inputs={dict(self.fixed)})\n"
        )


@dataclass(frozen=True)
class Dynamic:
    """A dynamic task of one input `x`: what it does with `target` is its form."""

    name: str
    form: str
    target: str
    other: str = ""

    FORMS = {
        "each": ("ints", "found = []\nfor i in range(x % 4):\n    found.append({target}(x=x + i))\nreturn found"),
        "chain": ("int", "for _ in range(x % 3):\n    x = {target}(x=x)\nreturn x"),
        "map": ("ints", "return map_task({target})(x=[x + i for i in range(x % 4)])"),
        "nested": ("int", "if x % 2:\n    return {other}(x=x // 2)\nreturn {target}(x=x)"),
    }

    @property
    def returns(self) -> str:
        return self.FORMS[self.form][0]

    def source(self) -> str:
        body = self.FORMS[self.form][1].format(target=self.target, other=self.other)
        lines = ["@dynamic", f"def {self.name}(x: int) -> {TYPES[self.returns]}:", f"    note({self.name!r}, x)"]
        return "\n".join([*lines, *(f"    {line}" for line in body.splitlines())]) + "\n"


@dataclass(frozen=True)
class Await:
    """A step of an eager task: `x = target(x=x + shift)`."""

    target: str
    shift: int
    is_async: bool

    def lines(self) -> list[str]:
        return [f"x = {'await ' if self.is_async else ''}{self.target}(x=x + {self.shift})"]


@dataclass(frozen=True)
class Gather:
    """A step of an eager task: several calls of async tasks at once, whose results are added."""

    targets: tuple[str, ...]

    def lines(self) -> list[str]:
        calls = ", ".join(f"{t}(x=x + {i})" for i, t in enumerate(self.targets))
        return [f"x = sum(await asyncio.gather({calls})) % 1009"]


@dataclass(frozen=True)
class Attempt:
    """A step of an eager task: a call that may fail, and one that is made then."""

    target: Await
    otherwise: Await

    def lines(self) -> list[str]:
        first, then = self.target.lines(), self.otherwise.lines()
        return ["try:", *(f"    {x}" for x in first), "except Exception:", *(f"    {x}" for x in then)]


@dataclass(frozen=True)
class Eager:
    """An eager task of one input `x`."""

    name: str
    steps: tuple[Await | Gather | Attempt, ...]

    def source(self) -> str:
        lines = ["@eager", f"async def {self.name}(x: int) -> int:", f"    note({self.name!r}, x)"]
        lines += [f"    {line}" for step in self.steps for line in step.lines()]
        return "\n".join([*lines, "    return x"]) + "\n"


Entity = Workflow | Plan | Dynamic | Eager

# --- the program -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mode:
    """How a program is run."""

    workers: int = 16
    strict: bool = False
    processes: bool = False
    cache: bool = False
    cancel_after: float | None = None


@dataclass(frozen=True)
class Program:
    """Entities in the order of their definition, the last of which is run; its inputs, and how it is run."""

    seed: int
    entities: tuple[Entity, ...]
    inputs: tuple[tuple[str, int], ...]
    mode: Mode = field(default_factory=Mode)

    @property
    def root(self) -> Workflow:
        last = self.entities[-1]
        assert isinstance(last, Workflow)
        return last

    def tasks(self) -> list[str]:
        """Return the names of all tasks that the program uses, in the order of the vocabulary."""
        used = {name for entity in self.entities for name in _targets(entity)}
        return [name for name in TASKS if name in used]

    def source(self, *, vocabulary: str = "") -> str:
        """Return the text of a module that expects `LOG`, `SEED` and `VERSION`.

        Args:
            vocabulary: the module that has the shared tasks already; without it all stand in the text.
        """
        own = [TASKS[name].source() for name in self.tasks() if name not in SHARED]
        parts = [f"from {vocabulary} import *\n", *own] if vocabulary else [vocabulary_source(self.tasks())]
        handlers = {e.handler: e.params for e in self.entities if isinstance(e, Workflow) and e.handler}
        for name, params in handlers.items():
            typed = ", ".join(f"{p}: int" for p in params)
            note = f"    note({name!r}, {', '.join(params)})\n"
            parts.append(f"@task\ndef {name}({typed}, err: Optional[FlyteError] = None) -> None:\n{note}")
        parts += [entity.source() for entity in self.entities]
        return "\n\n".join(parts)


SHARED = [name for name in TASKS if name != "cached"]
"""The tasks that programs can share; the other one's version is its program's."""


def vocabulary_source(tasks: Iterable[str]) -> str:
    """Return the text of a module's head and tasks."""
    found = [TASKS[name] for name in tasks]
    has_frames = any("frame" in (t.returns, *(kind for _, kind in t.params)) for t in found)
    frames = ["import pandas as pd\n"] if has_frames else []
    return "\n\n".join([PREAMBLE, FLYTEKIT, *frames, *(t.source() for t in found)])


def nodes_of(node: Node | Alias) -> Iterator[Call | Map]:
    """Yield the calls and maps of a statement, those of its cases too."""
    if isinstance(node, Conditional):
        for _, then in node.cases:
            yield from nodes_of(then)
        if not isinstance(node.otherwise, Fail):
            yield from nodes_of(node.otherwise)
    elif not isinstance(node, Alias):
        yield node


def _targets(entity: Entity) -> Iterator[str]:
    """Yield the names of what an entity calls."""
    if isinstance(entity, Workflow):
        for statement in entity.statements:
            yield from (node.target for node in nodes_of(statement.node))
    elif isinstance(entity, Plan):
        yield entity.workflow
    elif isinstance(entity, Dynamic):
        yield from (entity.target, entity.other)
    else:
        for step in entity.steps:
            if isinstance(step, Gather):
                yield from step.targets
            elif isinstance(step, Attempt):
                yield from (step.target.target, step.otherwise.target)
            else:
                yield step.target


def targets(entity: Entity) -> list[str]:
    """Return the names of what an entity calls."""
    return [name for name in _targets(entity) if name]
