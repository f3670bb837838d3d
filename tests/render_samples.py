"""Graphs made by hand, one per construct and a few whole pipelines: what the drawing is tested and looked at with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flytenb.model import CacheStatus, Edge, EdgeKind, Graph, Interface, Kind, Node, NodeState, Phase, Port

SAMPLES: dict[str, Callable[[], Graph]] = {}


def sample(make: Callable[[], Graph]) -> Callable[[], Graph]:
    SAMPLES[make.__name__] = make
    return make


def ports(text: str) -> tuple[Port, ...]:
    """Read `n: int = 3, xs: list[float]`."""
    found = []
    for part in filter(None, (p.strip() for p in text.split(";"))):
        name, _, rest = part.partition(":")
        type_, _, default = rest.partition("=")
        found.append(Port(name.strip(), type_.strip(), default.strip() or None))
    return tuple(found)


class GraphBuilder:
    """Collects nodes and edges in the notation of the tests: `b.task("n0", "load", "path: str", "DataFrame")`."""

    def __init__(self, name: str, inputs: str = "", outputs: str = "", **settings: str | int | float | bool) -> None:
        self.name, self.settings = name, settings
        self.interface = Interface(ports(inputs), ports(outputs))
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.doors("", inputs, outputs)

    def doors(self, path: str, inputs: str, outputs: str) -> None:
        prefix = f"{path}/" if path else ""
        if inputs:
            self.put(Node(f"{prefix}@inputs", Kind.INPUTS, "inputs", Interface(outputs=ports(inputs))))
        if outputs:
            self.put(Node(f"{prefix}@outputs", Kind.OUTPUTS, "outputs", Interface(inputs=ports(outputs))))

    def put(self, node: Node) -> None:
        self.nodes[node.path] = node

    def task(
        self,
        path: str,
        name: str,
        inputs: str = "",
        outputs: str = "",
        kind: Kind = Kind.TASK,
        **settings: str | int | float | bool,
    ) -> str:
        if outputs and ":" not in outputs:
            outputs = f"o0: {outputs}"
        self.put(Node(path, kind, name, Interface(ports(inputs), ports(outputs)), settings))
        return path

    def feed(self, *pairs: str) -> None:
        """Read `@inputs.n -> n0.x` or `n0.o0 -> n1.xs[1]`, one edge each; `n0 >> n1` is order only."""
        for pair in pairs:
            if ">>" in pair:
                source, target = (side.strip() for side in pair.split(">>"))
                self.edges.append(Edge(source, target, EdgeKind.ORDER))
                continue
            left, right = (side.strip() for side in pair.split("->"))
            source, _, output = left.partition(".")
            target, _, place = right.partition(".")
            self.edges.append(Edge(source, target, EdgeKind.DATA, output, place))

    def constant(self, target: str, value: str) -> None:
        """Bind `n0.x` to a value."""
        path, _, place = target.partition(".")
        parent, _, last = path.rpartition("/")
        at = f"{parent}/@{last}.{place}" if parent else f"@{last}.{place}"
        self.put(Node(at, Kind.CONSTANT, value, settings={"value": value}))
        self.edges.append(Edge(at, path, EdgeKind.DATA, "", place))

    def case(self, branch: str, target: str, condition: str) -> None:
        self.edges.append(Edge(branch, target, EdgeKind.CASE, label=condition))

    def graph(self) -> Graph:
        doors_last = sorted(self.nodes.values(), key=lambda n: n.kind is Kind.OUTPUTS)
        nodes = {n.path: n for n in doors_last}
        outer_first = dict(sorted(nodes.items(), key=lambda item: item[0].count("/")))
        inner: dict[str, list[str]] = {}
        for path in outer_first:
            inner.setdefault(path.rpartition("/")[0], []).append(path)
        for path, node in outer_first.items():
            if path in inner:
                outer_first[path] = replace(node, children=tuple(inner[path]))
        return Graph(self.name, Kind.SUBWORKFLOW, outer_first, tuple(self.edges), self.interface, self.settings)


@sample
def chain() -> Graph:
    b = GraphBuilder("coordinates", "num: int = 10; x_min: float; x_max: float", "o0: float")
    b.task("n0", "generate_coordinates", "num: int", "list[Coordinate]", retries=2)
    b.task("n1", "subset_coordinates", "coordinates: list[Coordinate]; x_min: float; x_max: float", "list[Coordinate]")
    b.task("n2", "mean_distance", "coordinates: list[Coordinate]", "float", cache="1.0")
    b.feed("@inputs.num -> n0.num", "@inputs.x_min -> n1.x_min", "@inputs.x_max -> n1.x_max")
    b.feed("n0.o0 -> n1.coordinates", "n1.o0 -> n2.coordinates", "n2.o0 -> @outputs.o0")
    return b.graph()


@sample
def diamond() -> Graph:
    b = GraphBuilder("diamond", "n: int", "o0: float")
    b.task("n0", "split", "n: int", "train: DataFrame; test: DataFrame")
    b.task("n1", "fit", "frame: DataFrame; depth: int", "Model", retries=3, timeout=600, cpu="2", mem="4Gi")
    b.task("n2", "describe", "frame: DataFrame", "dict[str, float]")
    b.task("n3", "score", "model: Model; facts: dict[str, float]", "float")
    b.constant("n1.depth", "4")
    b.feed("@inputs.n -> n0.n", "n0.train -> n1.frame", "n0.test -> n2.frame")
    b.feed("n1.o0 -> n3.model", "n2.o0 -> n3.facts", "n3.o0 -> @outputs.o0")
    return b.graph()


@sample
def branch() -> Graph:
    b = GraphBuilder("choose", "p: int; q: float = 0.5", "o0: str")
    b.task("n0", "prepare", "p: int", "int")
    b.task("n1", "by_size", "p: int; q: float", "str", Kind.BRANCH)
    b.task("n1/n0", "small", "x: int", "str")
    b.task("n1/n1", "by_weight", "q: float", "str", Kind.BRANCH)
    b.task("n1/n1/n0", "light", "q: float", "str")
    b.task("n1/n1/n1", "heavy", "q: float", "str")
    b.put(Node("n1/@else", Kind.CASE, "else", settings={"error": "p must not be negative"}))
    b.task("n2", "report", "text: str", "str")
    b.feed("@inputs.p -> n0.p", "n0.o0 -> n1.p", "@inputs.q -> n1.q", "n0.o0 -> n1/n0.x")
    b.feed("@inputs.q -> n1/n1.q", "@inputs.q -> n1/n1/n0.q", "@inputs.q -> n1/n1/n1.q")
    b.case("n1", "n1/n0", "p > 3 and q < 9")
    b.case("n1", "n1/n1", "p >= 0")
    b.case("n1", "n1/@else", "else")
    b.case("n1/n1", "n1/n1/n0", "q < 0.1")
    b.case("n1/n1", "n1/n1/n1", "else")
    b.feed("n1.o0 -> n2.text", "n2.o0 -> @outputs.o0")
    return b.graph()


@sample
def constructs() -> Graph:
    b = GraphBuilder("constructs", "urls: list[str]; limit: int = 100", "o0: dict[str, float]")
    b.task("n0", "fetch", "url: list[str]", "list[bytes]", Kind.MAP, of="task", concurrency=8, min_success_ratio=0.9)
    b.task("n1", "explore", "pages: list[bytes]", "Report", Kind.DYNAMIC)
    b.task("n2", "looks_good", "report: Report", "Report", Kind.GATE, gate="approve", timeout=3600)
    b.task("n3", "publish_plan", "report: Report; limit: int", "str", Kind.LAUNCH_PLAN)
    b.task("n4", "pause", "", "", Kind.GATE, gate="sleep", duration=30)
    b.task("n5", "announce", "where: str", "dict[str, float]", Kind.EAGER)
    b.task("n6", "audit", "where: str", "", Kind.REFERENCE, of="task", project="ops", domain="production", version="v3")
    b.feed("@inputs.urls -> n0.url", "n0.o0 -> n1.pages", "n1.o0 -> n2.report", "n2.o0 -> n3.report")
    b.feed("@inputs.limit -> n3.limit", "n3 >> n4", "n4 >> n5", "n3.o0 -> n5.where", "n3.o0 -> n6.where")
    b.feed("n5.o0 -> @outputs.o0")
    return b.graph()


@sample
def nested() -> Graph:
    b = GraphBuilder("train_all", "seed: int; rows: int = 1000", "model: Model; score: float")
    b.task("n0", "load", "rows: int", "DataFrame", Kind.SQL, cache="2")
    b.task("n1", "train", "frame: DataFrame; seed: int", "model: Model; loss: float", Kind.SUBWORKFLOW)
    b.doors("n1", "frame: DataFrame; seed: int", "model: Model; loss: float")
    b.task("n1/n0", "clean", "frame: DataFrame", "DataFrame")
    b.task("n1/n1", "search", "frame: DataFrame; seed: int", "Model", Kind.SUBWORKFLOW)
    b.doors("n1/n1", "frame: DataFrame; seed: int", "o0: Model")
    b.task("n1/n1/n0", "grid", "seed: int; size: int", "list[Params]")
    b.task("n1/n1/n1", "fit", "frame: DataFrame; grid: list[Params]", "Model", gpu="1", mem="16Gi")
    b.task("n1/n2", "loss", "model: Model; frame: DataFrame", "float")
    b.task("n2", "evaluate", "model: Model; limit: float", "float")
    b.constant("n1/n1/n0.size", "12")
    b.constant("n2.limit", "0.05")
    b.feed("@inputs.rows -> n0.rows", "@inputs.seed -> n1.seed", "n0.o0 -> n1.frame")
    b.feed("n1/@inputs.frame -> n1/n0.frame", "n1/@inputs.seed -> n1/n1.seed", "n1/n0.o0 -> n1/n1.frame")
    b.feed("n1/n1/@inputs.seed -> n1/n1/n0.seed", "n1/n1/@inputs.frame -> n1/n1/n1.frame")
    b.feed("n1/n1/n0.o0 -> n1/n1/n1.grid", "n1/n1/n1.o0 -> n1/n1/@outputs.o0")
    b.feed("n1/n1.o0 -> n1/n2.model", "n1/n0.o0 -> n1/n2.frame", "n1/n1.o0 -> n1/@outputs.model")
    b.feed("n1/n2.o0 -> n1/@outputs.loss", "n1.model -> n2.model", "n1.model -> @outputs.model")
    b.feed("n2.o0 -> @outputs.score")
    return b.graph()


@sample
def bindings() -> Graph:
    b = GraphBuilder("collect", "base: int", "o0: float; o1: list[int]")
    b.task("n0", "left", "x: int", "int")
    b.task("n1", "right", "x: int", "Pair")
    b.task("n2", "gather", "xs: list[int]; by: dict[str, int]; scale: float; label: str; strict: bool", "list[int]")
    b.task("n3", "mean", "xs: list[float]", "float")
    b.constant("n2.xs[1]", "5")
    b.constant("n2.by['b']", "-1")
    b.constant("n2.scale", "0.25")
    b.constant("n2.label", "'a rather long label that says what this is about'")
    b.constant("n2.strict", "True")
    b.feed("@inputs.base -> n0.x", "@inputs.base -> n1.x", "n0.o0 -> n2.xs[0]", "n1.o0.first -> n2.xs[2]")
    b.feed("n1.o0.second -> n2.by['a']", "n2.o0 -> n3.xs", "n3.o0 -> @outputs.o0", "n2.o0 -> @outputs.o1")
    return b.graph()


@sample
def failure() -> Graph:
    b = GraphBuilder(
        "with_handler", "name: str; nodes: int", "o0: str", failure_policy="FAIL_AFTER_EXECUTABLE_NODES_COMPLETE"
    )
    b.task("n0", "create_cluster", "name: str", "")
    b.task("n1", "use_cluster", "nodes: int", "str", Kind.CONTAINER, image="ghcr.io/acme/tool:1.4", retries=1)
    b.task("n2", "delete_cluster", "name: str", "")
    b.task("n3", "sketch", "text: str", "str", Kind.STUB)
    b.task("fn0", "clean_up", "name: str; nodes: int; err: FlyteError | None", "", Kind.FAILURE, of="task")
    b.feed("@inputs.name -> n0.name", "@inputs.nodes -> n1.nodes", "@inputs.name -> n2.name", "n0 >> n1", "n1 >> n2")
    b.feed("n1.o0 -> n3.text", "n3.o0 -> @outputs.o0", "@inputs.name -> fn0.name", "@inputs.nodes -> fn0.nodes")
    return b.graph()


@sample
def fan_out() -> Graph:
    b = GraphBuilder("fan_out", "n: int", "o0: int")
    b.task("n0", "plan", "n: int", "int")
    for i in range(1, 41):
        b.task(f"n{i}", "process", "x: int", "int", retries=1)
        b.feed(f"n0.o0 -> n{i}.x", f"n{i}.o0 -> n41.xs[{i - 1}]")
    b.task("n41", "total", "xs: list[int]", "int")
    b.feed("@inputs.n -> n0.n", "n41.o0 -> @outputs.o0")
    return b.graph()


@sample
def pipeline() -> Graph:
    b = GraphBuilder("churn", "day: date; region: str = 'eu'; n_trees: int = 200", "model: FlyteFile; auc: float")
    b.task("n0", "load_users", "day: date; region: str", "StructuredDataset", Kind.SQL, cache="1")
    b.task("n1", "load_events", "day: date; region: str", "StructuredDataset", Kind.SQL, cache="1")
    b.task("n2", "join", "users: StructuredDataset; events: StructuredDataset", "StructuredDataset")
    b.task("n3", "features", "frame: StructuredDataset", "StructuredDataset", retries=2, mem="8Gi")
    b.task("n4", "split", "frame: StructuredDataset; share: float", "train: StructuredDataset; test: StructuredDataset")
    b.task("n5", "train_forest", "frame: StructuredDataset; n_trees: int", "FlyteFile", gpu="1", timeout=3600)
    b.task("n6", "train_linear", "frame: StructuredDataset", "FlyteFile")
    b.task("n7", "evaluate", "models: list[FlyteFile]; frame: StructuredDataset", "list[float]")
    b.task("n8", "pick", "models: list[FlyteFile]; scores: list[float]", "model: FlyteFile; auc: float")
    b.task("n9", "release_ok", "model: FlyteFile", "FlyteFile", Kind.GATE, gate="approve")
    b.constant("n4.share", "0.8")
    b.feed(*(f"@inputs.{name} -> n{n}.{name}" for n in (0, 1) for name in ("day", "region")))
    b.feed("n0.o0 -> n2.users", "n1.o0 -> n2.events", "n2.o0 -> n3.frame", "n3.o0 -> n4.frame")
    b.feed("n4.train -> n5.frame", "n4.train -> n6.frame", "@inputs.n_trees -> n5.n_trees", "n4.test -> n7.frame")
    b.feed("n5.o0 -> n7.models[0]", "n6.o0 -> n7.models[1]", "n5.o0 -> n8.models[0]", "n6.o0 -> n8.models[1]")
    b.feed("n7.o0 -> n8.scores", "n8.model -> n9.model", "n9.o0 -> @outputs.model", "n8.auc -> @outputs.auc")
    return b.graph()


@sample
def empty() -> Graph:
    return GraphBuilder("nothing").graph()


def phases() -> tuple[Graph, dict[str, NodeState]]:
    """The pipeline in the middle of an eventful run: every phase once."""
    states = {
        "": NodeState(Phase.RUNNING, 14.2),
        "n0": NodeState(Phase.SUCCEEDED, 0.004, 1, CacheStatus.HIT),
        "n1": NodeState(Phase.SUCCEEDED, 3.21, 2, CacheStatus.POPULATED),
        "n2": NodeState(Phase.SUCCEEDED, 0.35, 1),
        "n3": NodeState(Phase.RUNNING, 1.3, 1, None, 37, 100),
        "n4": NodeState(Phase.QUEUED),
        "n5": NodeState(Phase.FAILED, 65.0, 3, None, 0, 0, "ValueError: no rows"),
        "n6": NodeState(Phase.TIMED_OUT, 3600.0, 1),
        "n7": NodeState(Phase.ABORTED, 2.0, 1),
        "n8": NodeState(Phase.SKIPPED),
        "n9": NodeState(Phase.SUCCEEDED, 0.42, 1, CacheStatus.REUSED),
    }
    return pipeline(), states


def layered(number: int, across: int = 10) -> Graph:
    """A dense graph of this many nodes, `across` on each level, two edges into each."""
    b = GraphBuilder("layered")
    for i in range(number):
        b.task(f"n{i}", f"task_{i}", "a: int; b: int", "int")
        if i >= across:
            above = (i // across - 1) * across
            first, second = (i * 7 + i // across) % across, (i * 3 + 1) % across
            b.feed(f"n{above + first}.o0 -> n{i}.a", f"n{above + second}.o0 -> n{i}.b")
    return b.graph()


def long_chain(number: int) -> Graph:
    b = GraphBuilder("long_chain", "n: int", "o0: int")
    for i in range(number):
        b.task(f"n{i}", "step", "n: int", "int")
        b.feed(f"n{i - 1}.o0 -> n{i}.n" if i else "@inputs.n -> n0.n")
    b.feed(f"n{number - 1}.o0 -> @outputs.o0")
    return b.graph()
