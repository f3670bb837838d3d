"""Random programs, each a pure function of its seed."""

from __future__ import annotations

from random import Random

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
    Entity,
    Fail,
    Gather,
    ListOf,
    Map,
    Mode,
    Node,
    Plan,
    Program,
    Ref,
    Statement,
    Workflow,
)
from tests.random_workflows.tasks import ONE_INT, PRODUCERS, TASKS

CONSUMERS = {
    "ints": ["total"],
    "table": ["tally"],
    "point": ["weigh"],
    "maybe": ["unmaybe"],
    "either": ["uneither"],
    "moment": ["hours"],
    "colour": ["uncolour"],
    "file": ["spoil"],
    "folder": ["count"],
    "frame": ["column"],
}


def generate(seed: int) -> Program:
    """Return the program of a seed."""
    return _Generator(seed).program()


class _Generator:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.entities: list[Entity] = []
        self.numbers: dict[str, int] = {}
        # Without failures half of the time; a program with many failing tasks ends before it has done much.
        self.may_fail = self.random.random() < 0.45
        self.policy = self.random.random() < 0.5
        self.handles = self.random.random() < 0.3

    def program(self) -> Program:
        choose = self.random
        makers = [self._subworkflow, self._subworkflow, self._subworkflow, self._dynamic, self._dynamic, self._eager]
        for _ in range(choose.choice([0, 1, 1, 2, 2, 3, 4])):
            choose.choice([*makers, self._plan])()
        root = _Body(self, ("a", "b"), is_root=True)
        for _ in range(choose.randint(3, 6)):
            root.step()
        self.entities.append(root.workflow("wf", [root.output() for _ in range(choose.choice([1, 2, 2, 3]))]))
        mode = self._mode()
        return Program(self.seed, tuple(self.entities), (("a", self.int()), ("b", self.int())), mode)

    def _mode(self) -> Mode:
        choose = self.random
        workers = choose.choice([1, 2, 3, 4, 8, 16])
        kind = choose.random()
        uses_cache = any("cached" in str(entity) for entity in self.entities)
        if kind < 0.01:
            return Mode(workers, processes=True)
        if kind < 0.16:
            return Mode(workers, cancel_after=choose.random() * 0.012)
        if uses_cache and not self.may_fail and kind < 0.6:
            return Mode(workers, cache=True)
        return Mode(workers, strict=choose.random() < 0.25)

    def name(self, kind: str) -> str:
        self.numbers[kind] = self.numbers.get(kind, -1) + 1
        return f"{kind}{self.numbers[kind]}"

    def int(self) -> int:
        return self.random.randint(-3, 12)

    def one_int(self) -> str:
        """Return a task, workflow or launch plan from one number `x` to a number."""
        choose = self.random
        plain = ["inc", "slow", "inc", "cached"]
        if self.may_fail and choose.random() < 0.3:
            return choose.choice(ONE_INT[2:])
        ours = [e.name for e in self.entities if isinstance(e, Workflow) and e.params == ("x",) and _is_int(e)]
        return choose.choice(ours) if ours and choose.random() < 0.4 else choose.choice(plain)

    def _subworkflow(self) -> None:
        choose = self.random
        params = choose.choice([("x",), ("x",), ("x", "y")])
        body = _Body(self, params)
        for _ in range(choose.randint(1, 3)):
            body.step()
        outputs: list[tuple[Arg, str]] = [(body.ref("int"), "int") for _ in range(choose.choice([1, 1, 1, 2]))]
        self.entities.append(body.workflow(self.name("sub"), outputs))

    def _plan(self) -> None:
        choose = self.random
        found = [e for e in self.entities if isinstance(e, Workflow) and _is_int(e)]
        if not found:
            return
        wf = choose.choice(found)
        fixed = ((wf.params[-1], self.int()),) if len(wf.params) > 1 and choose.random() < 0.6 else ()
        left = [p for p in wf.params if p not in dict(fixed)]
        defaults = tuple((p, self.int()) for p in left if choose.random() < 0.5)
        self.entities.append(Plan(self.name("plan"), wf.name, fixed, defaults))

    def _dynamic(self) -> None:
        choose = self.random
        others = [e.name for e in self.entities if isinstance(e, Dynamic) and e.returns == "int"]
        form = choose.choice(["each", "chain", "map", *(["nested"] * 2 if others else [])])
        target = choose.choice(ONE_INT[: 4 if self.may_fail else 2]) if form == "map" else self.one_int()
        other = choose.choice(others) if form == "nested" else ""
        self.entities.append(Dynamic(self.name("dyn"), form, target, other))

    def _eager(self) -> None:
        choose = self.random

        def call() -> Await:
            if choose.random() < 0.4:
                return Await(
                    "acheck" if self.may_fail and choose.random() < 0.4 else "ainc", choose.randint(0, 3), True
                )
            # A workflow's `__call__` in flytekit runs its failure handler once more where an eager task called it.
            handled = [e.name for e in self.entities if isinstance(e, Workflow) and e.handler]
            target = self.one_int()
            return Await("inc" if target in handled else target, choose.randint(0, 3), False)

        steps: list[Await | Gather | Attempt] = []
        for _ in range(choose.randint(1, 3)):
            kind = choose.random()
            if kind < 0.4:
                steps.append(call())
            elif kind < 0.7:
                names = ["ainc", "ainc", "acheck"] if self.may_fail else ["ainc"]
                steps.append(Gather(tuple(choose.choice(names) for _ in range(choose.randint(2, 4)))))
            else:
                risky = choose.choice([Await("check3", 0, False), Await("acheck", 1, True), call()])
                steps.append(Attempt(risky, Await("ainc", 0, True)))
        self.entities.append(Eager(self.name("eager"), tuple(steps)))


def _is_int(wf: Workflow) -> bool:
    return [kind for _, kind in wf.outputs] == ["int"]


class _Body:
    """The statements of one workflow as they are made."""

    def __init__(self, generator: _Generator, params: tuple[str, ...], *, is_root: bool = False) -> None:
        self.generator = generator
        self.random = generator.random
        self.params = params
        self.is_root = is_root
        self.statements: list[Statement] = []
        self.have: dict[str, list[Ref]] = {"int": [Ref(p) for p in params]}
        self.nodes: list[str] = []
        self.aliases: dict[str, Ref] = {}
        self.count = 0

    def workflow(self, name: str, outputs: list[tuple[Arg, str]]) -> Workflow:
        own = self.generator
        handler = f"handle_{name}" if own.handles and (self.is_root or own.random.random() < 0.4) else ""
        return Workflow(name, self.params, tuple(self.statements), tuple(outputs), own.policy, handler)

    def output(self) -> tuple[Arg, str]:
        """An output of any type that there is; a constant is none."""
        kinds = [kind for kind in self.have if kind not in ("pair", "none")]
        kind = self.random.choice(kinds)
        return self.random.choice(self.have[kind]), kind

    # --- values -----------------------------------------------------------------------------------------------------

    def ref(self, kind: str) -> Ref:
        """A variable of a type, made where there is none."""
        found = self.have.get(kind)
        # Later variables more often, so that programs are deep as well as wide.
        if found and self.random.random() < (0.7 if kind in PRODUCERS else 1.0):
            return found[max(self.random.randrange(len(found)), self.random.randrange(len(found)))]
        if kind == "points":
            return self.add(Call("point", (("x", self.arg("int")),)), "point")
        return self.produce(self.random.choice(PRODUCERS[kind]) if found else PRODUCERS[kind][0])

    def arg(self, kind: str) -> Arg:
        choose = self.random.random()
        if kind == "int":
            return Const(self.generator.int()) if choose < 0.2 else self.ref("int")
        if kind == "ints" and choose < 0.5:
            return ListOf(tuple(self.arg("int") for _ in range(self.random.randint(0, 4))))
        if kind == "table" and choose < 0.4:
            return DictOf(tuple((k, self.arg("int")) for k in "abcd"[: self.random.randint(1, 4)]))
        if kind == "points":
            return ListOf(tuple(self.ref("point") for _ in range(self.random.randint(1, 3))))
        return self.ref(kind)

    def produce(self, task: str) -> Ref:
        found = TASKS[task]
        args = tuple((name, self.arg(kind)) for name, kind in found.params)
        return self.add(Call(task, args, as_node=found.is_async), found.returns)

    def add(self, node: Node, *kinds: str) -> Ref:
        """Append a statement; return its first variable."""
        names = tuple(f"v{self.count + i}" for i in range(len(kinds)))
        self.count += len(kinds)
        after: tuple[str, ...] = ()
        if len(kinds) == 1 and kinds[0] != "pair":
            if self.nodes and self.random.random() < 0.12:
                after = (self.random.choice(self.nodes),)
            self.nodes.append(names[0])
        if any(isinstance(n, Call) and n.as_node for n in [node]):
            # What create_node returns is asked for its output at once: there is no node to order.
            after = ()
            self.nodes.remove(names[0])
        self.statements.append(Statement(names, node, after))
        for name, kind in zip(names, kinds, strict=True):
            self.know(Ref(name), kind)
        return Ref(names[0])

    def know(self, ref: Ref, kind: str) -> None:
        """Make a variable known, and what can be taken out of it."""
        self.have.setdefault(kind, []).append(ref)
        inside = {
            "point": [(".x",), (".ys", 1), (".inner", ".z")],
            "pair": [(".lo",), (".hi",)],
            "table": [("a",)],
        }.get(kind, [])
        for path in inside:
            if self.random.random() < 0.6:
                self.have["int"].append(Ref(ref.var, path))
        if kind == "point" and self.random.random() < 0.3:
            alias = f"v{self.count}"
            self.count += 1
            self.aliases[alias] = Ref(ref.var, (".inner", ".z"))
            self.statements.append(Statement((alias,), Alias(self.aliases[alias])))
            self.have["int"] += [Ref(alias), Ref(alias)]

    # --- nodes ------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        choose, own = self.random, self.generator
        kinds = {
            self._plain: 5,
            self._typed: 5,
            self._map: 2,
            self._conditional: 3,
            self._entity: 5 if own.entities else 0,
            self._flaky: 1 if self.is_root and choose.random() < 0.5 else 0,
        }
        choose.choices(list(kinds), list(kinds.values()))[0]()

    def _plain(self) -> None:
        names = ["inc", "slow", "add", "ainc", "pair", "void", "cached", "slow"]
        names += ["check3", "check7"] if self.generator.may_fail else []
        self.produce(self.random.choice(names))

    def _typed(self) -> None:
        kind = self.random.choice([*CONSUMERS, "points", "file", "point", "ints"])
        name = "gather" if kind == "points" else self.random.choice(CONSUMERS[kind] + PRODUCERS[kind])
        self.produce(name)

    def _flaky(self) -> None:
        name = self.random.choice(["flaky1", "flaky2"])
        most = 3 if self.generator.may_fail else int(name[-1])
        tag = self.generator.name("tag")
        times = Const(self.random.randint(0, most))
        self.add(Call(name, (("tag", Const(tag)), ("x", self.arg("int")), ("times", times))), "int")

    def _map(self) -> None:
        node, kind = self.map_node()
        self.add(node, kind)
        if kind == "maybes":
            self.produce("present")

    def map_node(self, *, is_plain: bool = False) -> tuple[Map, str]:
        choose = self.random
        may_fail = self.generator.may_fail
        target = choose.choice(["inc", "slow", "add", "point", *(["check3", "check7"] if may_fail else [])])
        target = "inc" if is_plain else target
        over = self.arg("ints")
        bound = (("y", self.arg("int")),) if target == "add" else ()
        concurrency = choose.choice([None, None, 1, 2])
        ratio = choose.choice([0.25, 0.5, 0.75]) if target.startswith("check") and choose.random() < 0.6 else None
        if isinstance(over, ListOf) and not over.items:
            over = self.ref("ints")
        returns = "points" if target == "point" else "maybes" if ratio is not None else "ints"
        return Map(target, ("x", over), bound, concurrency, ratio), returns

    def _entity(self) -> None:
        entity = self.random.choice(self.generator.entities)
        self.add(self.call(entity), *self.kinds(entity))

    def kinds(self, entity: Entity) -> list[str]:
        if isinstance(entity, Workflow):
            return [kind for _, kind in entity.outputs]
        return [entity.returns] if isinstance(entity, Dynamic) else ["int"]

    def call(self, entity: Entity) -> Call:
        choose = self.random
        if isinstance(entity, Plan):
            wf = next(e for e in self.generator.entities if e.name == entity.workflow)
            assert isinstance(wf, Workflow)
            names = [p for p in wf.params if p not in dict(entity.fixed)]
            names = [p for p in names if p not in dict(entity.defaults) or choose.random() < 0.5]
        else:
            names = list(entity.params) if isinstance(entity, Workflow) else ["x"]
        return Call(entity.name, tuple((n, self.arg("int")) for n in names), as_node=isinstance(entity, Eager))

    def _conditional(self) -> None:
        self.add(self.conditional(0), "int")

    def conditional(self, depth: int) -> Conditional:
        choose = self.random
        parts: dict[str, Ref] = {}
        cases = [(self.condition(parts), self.case(depth)) for _ in range(choose.choice([1, 1, 1, 2, 3]))]
        fails = self.generator.may_fail and choose.random() < 0.2
        name = self.generator.name("c")
        return Conditional(name, tuple(cases), Fail(f"no case of {name}") if fails else self.case(depth))

    def condition(self, parts: dict[str, Ref]) -> Compare:
        """A condition that takes only one part of each output.

        flytekit tells the operands of a conditional apart by node and output alone (`condition.py`: `merge_promises`),
        so that on a cluster two attributes of one output are the same operand.
        """
        choose = self.random
        ref = self.ref("int")
        ref = parts.setdefault(self.aliases.get(ref.var, ref).var, ref)
        own = Compare(ref, choose.choice(["<", ">", "==", "!=", ">="]), self.generator.int())
        if choose.random() < 0.3:
            return Compare(own.left, own.operator, own.right, choose.choice("&|"), self.condition(parts))
        return own

    def case(self, depth: int) -> Node:
        choose, own = self.random, self.generator
        kind = choose.random()
        if kind < 0.2 and depth < 2:
            return self.conditional(depth + 1)
        entities = [e for e in own.entities if self.kinds(e) == ["int"] and not isinstance(e, Eager)]
        if kind < 0.5 and entities:
            return self.call(choose.choice(entities))
        if kind < 0.7:
            return Call("add", (("x", self.arg("int")), ("y", self.arg("int"))))
        return Call(choose.choice(ONE_INT[: 4 if own.may_fail else 2]), (("x", self.ref("int")),))
