"""The corpus of pictures: the tests' workflows, those of `pipelines.txt`, bigger ones composed of them, random ones."""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
from flytenb.model import Edge, EdgeKind, Graph, Interface, Kind, Node, Port

KINDS = {"sql": Kind.SQL, "shell": Kind.SHELL, "container": Kind.CONTAINER, "map": Kind.MAP, "gate": Kind.GATE}


@cache
def functions() -> dict[str, ast.FunctionDef]:
    """The functions of `pipelines.txt`, by name."""
    tree = ast.parse((Path(__file__).parent / "pipelines.txt").read_text())
    return {item.name: item for item in tree.body if isinstance(item, ast.FunctionDef)}


def pipelines() -> dict[str, Graph]:
    """One graph for each workflow of `pipelines.txt`."""
    return {name: Reader().graph(name) for name in functions()}


def composed(number: int, seed: int) -> Graph:
    """A workflow of about this many nodes: subworkflows from `pipelines.txt`, each after one or two others."""
    dice, reader = random.Random(seed), Reader()
    names, earlier = list(functions()), []
    reader.door("", (Port("day", "date"),), ())
    while len(reader.nodes) < number:
        name = dice.choice(names)
        given = [(path, "o0") for path in dice.sample(earlier, min(len(earlier), dice.choice((1, 2))))]
        path = reader.call("", name, [*given, ("@inputs", "day")][: len(functions()[name].args.args)])
        earlier = [*earlier[-3:], path]
    return reader.result(f"composed_{number}_{seed}")


def layered(number: int, seed: int) -> Graph:
    """A random workflow of this many tasks; each takes one to three results of the few tasks before it."""
    dice, reader = random.Random(seed), Reader()
    reader.door("", (Port("x", "int"),), ())
    width = max(3, round(number**0.5))
    for i in range(number):
        before = [f"n{j}" for j in range(max(0, i - 2 * width), i)]
        taken = dice.sample(before, min(len(before), dice.choice((1, 1, 2, 3)))) if i >= width else []
        reader.task("", dice.choice(("load", "clean", "train_the_model", "check_quality", "to_report")), Kind.TASK,
                    [(path, "o0") for path in taken] or [("@inputs", "x")], "int")  # fmt: skip
    return reader.result(f"random_{number}_{seed}")


def tested() -> Iterator[Graph]:
    """The workflows that flytenb is tested with: one for each construct."""
    import flytenb  # not needed for the others
    from tests.flows import FLOWS

    yield from (flytenb.draw(flow.entity, depth=9).graph for flow in FLOWS.values())


def corpus(size: int) -> Iterator[Graph]:
    """The graphs of a size: 3 means those of the tests, 12 the realistic ones, more means composed and random ones."""
    if size == 3:
        yield from tested()
        return
    number = 8 if size < 300 else 3  # ELK takes seconds for a large one
    yield from pipelines().values() if size == 12 else (composed(size, seed) for seed in range(number))
    yield from (layered(size, seed) for seed in range(number))


@dataclass
class Reader:
    """Collects the nodes and edges of one graph."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    count: dict[str, int] = field(default_factory=dict)

    def graph(self, name: str) -> Graph:
        function = functions()[name]
        inputs, outputs = ports_of(function)
        self.door("", inputs, outputs)
        self.body("", function)
        for number, wrapper in enumerate(function.decorator_list):  # `@on_failure(f)`
            path, task = f"fn{number}", wrapper.args[0].id
            self.nodes[path] = Node(path, Kind.FAILURE, task, Interface(inputs), {"of": "task"})
            self.edges += [Edge("@inputs", path, EdgeKind.DATA, port.name, port.name) for port in inputs]
        return self.result(name, Interface(inputs, outputs))

    def result(self, name: str, interface: Interface | None = None) -> Graph:
        inner: dict[str, list[str]] = {}
        for path in self.nodes:
            inner.setdefault(path.rpartition("/")[0], []).append(path)
        last = sorted(self.nodes.values(), key=lambda n: (n.path.count("/"), n.kind is Kind.OUTPUTS))
        nodes = {n.path: replace(n, children=tuple(inner.get(n.path, ()))) for n in last}
        return Graph(name, Kind.SUBWORKFLOW, nodes, tuple(self.edges), interface or Interface())

    def door(self, path: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> None:
        prefix = f"{path}/" if path else ""
        for name, kind, interface in (
            ("inputs", Kind.INPUTS, Interface(outputs=inputs)),
            ("outputs", Kind.OUTPUTS, Interface(inputs=outputs)),
        ):
            if inputs if kind is Kind.INPUTS else outputs:
                self.nodes[f"{prefix}@{name}"] = Node(f"{prefix}@{name}", kind, name, interface)

    def next(self, parent: str) -> str:
        number = self.count[parent] = self.count.get(parent, -1) + 1
        return f"{parent}/n{number}" if parent else f"n{number}"

    def body(self, parent: str, function: ast.FunctionDef) -> None:
        prefix = f"{parent}/" if parent else ""
        values = {arg.arg: (f"{prefix}@inputs", arg.arg) for arg in function.args.args}
        for statement in function.body:
            if isinstance(statement, ast.AnnAssign):
                values[statement.target.id] = self.assigned(parent, statement, values)
            elif isinstance(statement, ast.If):
                values |= self.branch(parent, statement, values)
            elif isinstance(statement, ast.Return):
                for i, name in enumerate(returned(statement)):
                    path, output = values[name]
                    self.edges.append(Edge(path, f"{prefix}@outputs", EdgeKind.DATA, output, f"o{i}"))

    def assigned(self, parent: str, statement: ast.AnnAssign, values: dict[str, tuple[str, str]]) -> tuple[str, str]:
        call = statement.value
        kind, func = Kind.TASK, call.func
        if isinstance(func, ast.Attribute):
            kind, func = KINDS[func.attr], func.value
        given = [values[a.id] if isinstance(a, ast.Name) else ast.unparse(a) for a in call.args]
        if func.id in functions():
            return self.call(parent, func.id, given), "o0"
        return self.task(parent, func.id, kind, given, ast.unparse(statement.annotation)), "o0"

    def task(self, parent: str, name: str, kind: Kind, given: list[tuple[str, str] | str], type_: str) -> str:
        path = self.next(parent)
        names = tuple(Port(f"x{i}", "") for i in range(len(given)))
        settings = {"of": name, "gate": "approve"} if kind is Kind.GATE else {}
        shown = f"map of {name}" if kind is Kind.MAP else name
        self.nodes[path] = Node(path, kind, shown, Interface(names, (Port("o0", type_),)), settings)
        self.feed(path, given, [port.name for port in names])
        return path

    def call(self, parent: str, name: str, given: list[tuple[str, str] | str]) -> str:
        path, function = self.next(parent), functions()[name]
        inputs, outputs = ports_of(function)
        self.nodes[path] = Node(path, Kind.SUBWORKFLOW, name, Interface(inputs, outputs))
        self.door(path, inputs, outputs)
        self.feed(path, given, [port.name for port in inputs])
        self.body(path, function)
        return path

    def feed(self, path: str, given: list[tuple[str, str] | str], names: list[str]) -> None:
        parent, _, last = path.rpartition("/")
        for value, name in zip(given, names, strict=False):
            if isinstance(value, str):
                at = f"{parent}/@{last}.{name}" if parent else f"@{last}.{name}"
                self.nodes[at] = Node(at, Kind.CONSTANT, value, settings={"value": value})
                self.edges.append(Edge(at, path, EdgeKind.DATA, "", name))
            else:
                self.edges.append(Edge(value[0], path, EdgeKind.DATA, value[1], name))

    def branch(self, parent: str, statement: ast.If, values: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
        path = self.next(parent)
        self.nodes[path] = Node(path, Kind.BRANCH, "choose", Interface((), (Port("o0", "str"),)))
        tested = {n.id for n in ast.walk(statement.test) if isinstance(n, ast.Name)}
        self.edges += [Edge(values[n][0], path, EdgeKind.DATA, values[n][1], n) for n in sorted(tested)]
        rest: list[ast.stmt] = [statement]
        found: dict[str, tuple[str, str]] = {}
        while rest:
            now, label = rest[0], "else"
            body, rest = rest, []
            if isinstance(now, ast.If):
                body, rest, label = now.body, now.orelse, ast.unparse(now.test)
            (case,) = body
            inner, _ = self.assigned(path, case, values)
            self.edges.append(Edge(path, inner, EdgeKind.CASE, label=label))
            found[case.target.id] = (path, "o0")
        return found


def returned(statement: ast.Return) -> list[str]:
    """The names that are returned."""
    items = statement.value.elts if isinstance(statement.value, ast.Tuple) else [statement.value]
    return [item.id for item in items]


def ports_of(function: ast.FunctionDef) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """The inputs and outputs of a workflow."""
    inputs = tuple(Port(a.arg, ast.unparse(a.annotation)) for a in function.args.args)
    types = {s.target.id: ast.unparse(s.annotation) for s in ast.walk(function) if isinstance(s, ast.AnnAssign)}
    last = function.body[-1]
    names = returned(last) if isinstance(last, ast.Return) else []
    return inputs, tuple(Port(f"o{i}", types[name]) for i, name in enumerate(names))
