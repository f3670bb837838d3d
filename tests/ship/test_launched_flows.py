"""Every flow, launched from a notebook on the double of a cluster, is registered and recorded as it runs here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flytekit.core.launch_plan import LaunchPlan

import flytenb
from flytenb.bridge.cluster.known_specs import SpecSource
from flytenb.bridge.cluster.module_specs import make_specs
from flytenb.bridge.cluster.specs import EntitySpec, SpecRequest
from flytenb.bridge.crossing.value_equality import is_same
from flytenb.errors import ClusterError, FlytenbError, RegistrationError
from flytenb.model import Kind, Phase
from flytenb.runner.run import Run
from flytenb.session.host import host
from flytenb.ship import shipment
from flytenb.ship.cells import Cells
from tests.cluster.cluster import Cluster
from tests.cluster.settings import Settings
from tests.crossing import difference
from tests.flow_events import check_events
from tests.ship.notebooks import Notebook, open_notebook
from tests.ship.pyflyte_specs import SpecMaker, comparable, spec_maker
from tests.ship.references import place
from tests.ship.run_flows import FLOWS
from tests.waiting import PATIENCE, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
SETTINGS = Settings(projects=("flytesnacks", "shop"), limits={}, stand_ins={})
"""Of the cluster."""

NAMES = sorted(file.stem for file in FLOWS.glob("*.py") if not file.stem.startswith(("stub", "__")))
REFUSED: dict[str, tuple[type[FlytenbError], str]] = {
    "map_launch_plan": (ClusterError, "MismatchingBindings"),
    "pickled": (RegistrationError, "is stored on this machine, where no pod can read it"),
    "reference_workflow": (RegistrationError, "Reference sub-workflows are currently unsupported"),
}
"""Flows that flytekit or a cluster refuses."""
FAILS = {
    "branch_chain": "Failed to find [n0.o0]",  # flytekit sends a case of one node
    "plugin_prebuilt": "No module named 'flow_plugin_prebuilt'",  # the image of a plugin has its module, not ours
    "retries": "attempt 1 failed",  # it counts in a global, and each attempt is a process
}
"""Flows that fail on a cluster and not here, with the error."""
GIVES = {"same_node_name": 3}
"""Flows with another result: of nodes with one id, a cluster keeps the first."""
UNORDERED = {"constants"}
"""Flows whose texts contain a dict: its literal has no order."""
SERVICES: dict[str, dict[str, Callable[..., Any]]] = {
    "connector": {"square": lambda x: x * x, "slow_add": lambda x: x + 100},
    "sql": {"numbers": lambda limit: list(range(1, limit + 1))},
}
"""What the services of a cluster do, by the variables of their tasks."""


@dataclass
class Launched:
    """A flow that was launched.

    Attributes:
        names: the variables of the notebook after its cell.
        run: the execution.
        local: the run of the same entity here, None if it needs a container engine.
        error: why it wasn't launched.
    """

    names: Mapping[str, Any]
    run: Any = None
    local: Run | None = None
    error: Exception | None = None


@dataclass
class Sent:
    """What was sent for each module: the specs of flytenb, and those that `pyflyte register` makes."""

    maker: SpecMaker
    specs: dict[str, tuple[EntitySpec, ...]] = field(default_factory=dict)
    expected: dict[str, tuple[EntitySpec, ...]] = field(default_factory=dict)

    def make(
        self, files: Mapping[str, bytes], request: SpecRequest, source: SpecSource | None
    ) -> tuple[EntitySpec, ...]:
        """Take the place of `make_specs`."""
        made = self.specs[request.module] = make_specs(files, request, source)
        with tempfile.TemporaryDirectory() as folder:
            for path, data in files.items():
                Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, path).write_bytes(data)
            self.expected[request.module] = self.maker.make(Path(folder), request)
        return made


@pytest.fixture(scope="module")
def sent() -> Iterator[Sent]:
    with spec_maker() as maker:
        yield Sent(maker)


@pytest.fixture(scope="module")
def launched(double: Cluster, sent: Sent) -> Iterator[dict[str, Launched]]:
    """All flows at the end of their executions."""
    with open_notebook() as notebook, pytest.MonkeyPatch.context() as patch:
        notebook.run("%flyte runs")  # waits for flytekit
        patch.setattr(host, "watchers", [])  # nothing is shown
        patch.setattr(shipment, "make_specs", sent.make)
        patch.setenv("FLYTE_LOCAL_CACHE_OVERWRITE", "1")
        found = {name: launch(notebook, double, name) for name in NAMES}
        for flow in found.values():
            for path, answer in flow.names.get("ANSWERS", {}).items() if flow.run else ():
                wait_for(lambda flow=flow: flow.run.waiting or flow.run.phase.is_terminal)  # type: ignore[misc]
                flow.run.approve(path, answer)
        for flow in found.values():
            if flow.run:
                flow.run.wait(PATIENCE)
        yield found


def launch(notebook: Notebook, double: Cluster, name: str) -> Launched:
    """Run the cell of a flow, run its entity here, and launch it."""
    LaunchPlan.CACHE.clear()
    host.session.cells = Cells()
    for each in [key for key in notebook.names if key.isupper()]:
        del notebook.names[each]
    notebook.run((FLOWS / f"{name}.py").read_text())
    names = dict(notebook.names)
    entity, inputs, stand_ins = names["ENTITY"], names["INPUTS"], names.get("STAND_INS", ())
    services = [(names[each], function) for each, function in SERVICES.get(name, {}).items()]
    for each, function in (*stand_ins, *services):
        place(double, each, function)
    made = Launched(names)
    try:
        made.run = flytenb.cluster(double.config(), module=f"flow_{name}").launch(entity, **inputs)
    except FlytenbError as error:
        made.error = error
    if "docker" not in names.get("NEEDS", ()):
        options = flytenb.options(
            answers=names.get("ANSWERS", {}), stand_ins={each.name: function for each, function in stand_ins}
        )
        made.local = options.start(entity, **inputs).wait()
    return made


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_run_there_is_refused(name: str, launched: dict[str, Launched]) -> None:
    kind, words = REFUSED[name]
    assert isinstance(launched[name].error, kind)
    assert words in str(launched[name].error)


LAUNCHED = [name for name in NAMES if name not in REFUSED]


@pytest.mark.parametrize("name", LAUNCHED)
def test_what_is_sent_is_what_pyflyte_makes_from_the_module(
    name: str, sent: Sent, launched: dict[str, Launched]
) -> None:
    ours, theirs = ({(s.kind, s.name): comparable(s) for s in specs} for specs in both(sent, f"flow_{name}"))
    extra = {key for key in theirs if key not in ours}
    assert not extra or "eager" in name  # pyflyte also makes a workflow of each eager task
    assert ours == {key: theirs[key] for key in ours}


def both(sent: Sent, module: str) -> tuple[tuple[EntitySpec, ...], tuple[EntitySpec, ...]]:
    return sent.specs[module], sent.expected[module]


@pytest.mark.parametrize("name", LAUNCHED)
def test_a_flow_gives_the_answer_on_a_cluster(name: str, launched: dict[str, Launched]) -> None:
    flow = launched[name]
    run = flow.run
    raises = FAILS.get(name) or flow.names.get("RAISES", (None, ""))[1]
    if raises:
        assert run.phase is Phase.FAILED
        assert raises in run.error.message
        return
    assert run.error is None, run.error.full()
    assert run.phase is Phase.SUCCEEDED
    result = tuple(run.result) if isinstance(run.result, tuple) else run.result
    expected = GIVES.get(name, flow.names.get("EXPECTED"))
    if name in UNORDERED:
        result, expected = sorted(str(result)), sorted(str(expected))
    assert difference(result, expected) == ""


@pytest.mark.parametrize("name", LAUNCHED)
def test_the_events_tell_the_execution_from_start_to_end(name: str, launched: dict[str, Launched]) -> None:
    check_events(launched[name].run)


@pytest.mark.parametrize("name", [n for n in LAUNCHED if n not in FAILS and n not in GIVES])
def test_an_execution_is_recorded_as_the_run_here(name: str, launched: dict[str, Launched]) -> None:
    run, local = launched[name].run, launched[name].local
    if local is None:
        return
    apart = [path for path, node in run.graph.nodes.items() if node.kind in (Kind.EAGER, Kind.REFERENCE)]

    def nodes(of: Any) -> dict[str, Any]:
        kept = {p: n for p, n in of.nodes.items() if not any(p.startswith(f"{each}/") for each in apart)}
        # A workflow that a dynamic task is the first to call in a process has nodes of these names.
        return {path.replace("/dn", "/n"): node for path, node in kept.items()}

    there, here = nodes(run), nodes(local)
    assert {path: facts(node) for path, node in there.items()} == {path: facts(node) for path, node in here.items()}
    for path, node in there.items():
        outputs = here[path].outputs
        assert list(node.outputs) == list(outputs)
        assert name in UNORDERED or all(is_same(value, outputs[key]) for key, value in node.outputs.items()), path


def facts(node: Any) -> tuple[str, int, str]:
    return str(node.phase), node.attempts, str(node.cache_status)
