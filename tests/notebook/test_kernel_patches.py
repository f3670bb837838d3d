"""Each thing that flytekit breaks in a kernel: patched with flytenb loaded, and still broken without it.

The same cells run in both kernels, so that each test also proves that it is the patch that helps.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import Kernel, Outcome, stock_kernel

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

FLOW = """
from flytekit import LaunchPlan, task, workflow

@task
def step(x: int) -> int:
    return x + 1

@workflow
def flow(x: int) -> int:
    return step(x=x)

plan = LaunchPlan.get_or_create(flow)
flow.compile()
"""


@pytest.fixture(scope="module")
def patched() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run("import flytekit, flytenb").ok()
        yield kernel


@pytest.fixture(scope="module")
def stock() -> Iterator[Kernel]:
    with stock_kernel() as kernel:
        yield kernel


def failure_of(outcome: Outcome) -> str | None:
    """What a cell failed with, whether or not a front end would see it."""
    assert outcome.reply["status"] == "error"
    ename: str = outcome.reply["ename"]
    return ename


# --- tracebacks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("1/0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("raise KeyError('k') from ValueError('v')", "KeyError"),
    ],
)
def test_a_failing_cell_is_a_real_error_output(patched: Kernel, stock: Kernel, cell: str, name: str) -> None:
    assert patched.run(cell).fails().ename == name
    assert failure_of(stock.run(cell)) == name
    assert stock.run(cell).error is None


# --- interrupting -------------------------------------------------------------------------------------------------

SLEEP = """
import pathlib, time
import flytekit
flytekit.FlyteContextManager.initialize()
pathlib.Path("asleep").touch()
time.sleep(60)
"""


def test_an_interrupt_is_a_keyboard_interrupt_where_flytekit_has_just_been_set_up(
    patched: Kernel, stock: Kernel
) -> None:
    outcome = patched.run(SLEEP, interrupt_when=(patched.cwd / "asleep").exists)
    assert outcome.fails().ename == "KeyboardInterrupt"
    assert patched.run("1 + 1").result == "2"
    assert failure_of(stock.run(SLEEP, interrupt_when=(stock.cwd / "asleep").exists)) == "NameError"


@pytest.mark.parametrize("kernel_is_patched", [True, False])
def test_an_interrupt_is_a_keyboard_interrupt_in_the_very_cell_that_imports_flytekit(kernel_is_patched: bool) -> None:
    cell = "%load_ext flytenb" * kernel_is_patched + SLEEP.replace("flytekit.FlyteContextManager.initialize()", "")
    with Kernel(flytenb=False) as kernel:
        outcome = kernel.run(cell, interrupt_when=(kernel.cwd / "asleep").exists)
    assert failure_of(outcome) == ("KeyboardInterrupt" if kernel_is_patched else "NameError")


# --- stubs --------------------------------------------------------------------------------------------------------

BODIES = ["...", "pass", '"""What it will do."""', '"""What."""\n    ...', "raise NotImplementedError('soon')"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("decorator", ["task", "workflow", "dynamic"])
def test_a_function_without_a_body_is_accepted_and_says_so_when_it_is_called(
    patched: Kernel, stock: Kernel, decorator: str, body: str
) -> None:
    cell = f"from flytekit import {decorator}\n@{decorator}\ndef sketched(x: int) -> int:\n    {body}"
    patched.run(cell).ok()
    error = patched.run("sketched(x=1)").fails()
    assert (error.ename, "sketched has no body yet" in error.traceback) == ("StubError", True)
    assert failure_of(stock.run(cell)) == "FlyteMissingReturnValueException"


def test_a_body_that_forgets_its_return_is_still_refused(patched: Kernel) -> None:
    error = patched.run("""
        from flytekit import task

        @task
        def forgetful(x: int) -> int:
            x + 1
    """).fails()
    assert error.ename == "FlyteMissingReturnValueException"


def test_stubs_compose_and_are_drawn_before_a_line_of_them_is_written(patched: Kernel) -> None:
    patched.run("""
        from flytekit import task, workflow

        @task
        def first(x: int) -> int: ...

        @task
        def second(x: int) -> str: ...

        @workflow
        def sketch(x: int) -> str:
            return second(x=first(x=x))
    """).ok()
    assert patched.value(
        "[(n.name, str(n.kind)) for n in flytenb.graph(sketch).nodes.values() if not n.is_pseudo]"
    ) == [
        ("first", "stub"),
        ("second", "stub"),
    ]
    assert "first has no body yet" in patched.run("%flyte run sketch(x=1)").fails().traceback


# --- registering again --------------------------------------------------------------------------------------------

CLASS = """
class Celsius:
    def __init__(self, degrees):
        self.degrees = degrees
"""
TRANSFORMER = """
from flytekit import task
from flytekit.extend import TypeEngine, TypeTransformer
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType

OFFSET = 0.0

class CelsiusTransformer(TypeTransformer[Celsius]):
    def __init__(self):
        super().__init__("celsius", Celsius)

    def get_literal_type(self, t):
        return LiteralType(simple=SimpleType.FLOAT)

    def to_literal(self, ctx, value, t, expected):
        return Literal(scalar=Scalar(primitive=Primitive(float_value=value.degrees)))

    def to_python_value(self, ctx, literal, t):
        return Celsius(literal.scalar.primitive.float_value + 0.0)

TypeEngine.register(CelsiusTransformer())
"""


def test_a_cell_that_registers_a_type_transformer_can_be_run_again(patched: Kernel, stock: Kernel) -> None:
    for cell in (CLASS, TRANSFORMER):
        patched.run(cell).ok()
        stock.run(cell)
    assert failure_of(stock.run(TRANSFORMER)) == "ValueError"
    patched.run(TRANSFORMER).ok()
    patched.run(TRANSFORMER.replace("float_value + 0.0", "float_value + 100.0")).ok()
    patched.run("""
        @task
        def warm(t: Celsius) -> Celsius:
            return t

        warmed = flytenb.run(warm, t=Celsius(1.0))
    """).ok()
    assert patched.value("warmed.result.degrees") == 201.0


def test_two_transformers_for_one_type_still_collide(patched: Kernel) -> None:
    for cell in (CLASS, TRANSFORMER):
        patched.run(cell).ok()
    error = patched.run(TRANSFORMER.replace("CelsiusTransformer", "OtherTransformer")).fails()
    assert error.ename == "ValueError"
    assert "already registered" in error.evalue


CONFIG = "class Spec:\n    def __init__(self, times=1):\n        self.times = times"
PLUGIN = """
from flytekit import PythonFunctionTask, task
from flytekit.core.task import TaskPlugins

class SpecTask(PythonFunctionTask[Spec]):
    def __init__(self, task_config, task_function, **kwargs):
        super().__init__(task_config=task_config, task_function=task_function, task_type="spec", **kwargs)

    def execute(self, **kwargs):
        return super().execute(**kwargs) * self.task_config.times

TaskPlugins.register_pythontask_plugin(Spec, SpecTask)
"""


def test_a_cell_that_registers_a_task_plugin_can_be_run_again(patched: Kernel, stock: Kernel) -> None:
    for cell in (CONFIG, PLUGIN):
        patched.run(cell).ok()
        stock.run(cell)
    assert failure_of(stock.run(PLUGIN)) == "TypeError"
    patched.run(PLUGIN.replace("* self.task_config.times", "* self.task_config.times + 1")).ok()
    patched.run("""
        @task(task_config=Spec(times=3))
        def tripled(x: int) -> int:
            return x

        planned = flytenb.run(tripled, x=5)
    """).ok()
    assert patched.value("[planned.result, tripled(x=5), type(tripled) is SpecTask]") == [16, 16, True]


def test_a_config_that_is_defined_again_keeps_its_plugin(patched: Kernel, stock: Kernel) -> None:
    for kernel in (patched, stock):
        for cell in (CONFIG, PLUGIN):
            kernel.run(cell)
        kernel.run(f"""
{CONFIG}
@task(task_config=Spec(times=3))
def tripled(x: int) -> int:
    return x
""").ok()
    assert stock.value("[type(tripled) is SpecTask, tripled(x=5)]") == [False, 5]
    assert patched.value("[type(tripled) is SpecTask, tripled(x=5)]") == [True, 15]
    patched.run(PLUGIN).ok()
    assert "Spec(times=3)" in patched.run("tripled").shown


@pytest.mark.parametrize("maker", ["create", "get_or_create"])
def test_a_cell_that_makes_a_launch_plan_can_be_run_again(patched: Kernel, stock: Kernel, maker: str) -> None:
    cell = f'planned = LaunchPlan.{maker}(name="{maker}d", workflow=flow, default_inputs={{"x": DEFAULT}})'
    for kernel in (patched, stock):
        kernel.run(FLOW)
        kernel.run(cell.replace("DEFAULT", "1"))
    assert failure_of(stock.run(cell.replace("DEFAULT", "2"))) == "AssertionError"
    patched.run(cell.replace("DEFAULT", "2")).ok()
    patched.run("made = flytenb.run(planned)").ok()
    assert patched.value("made.result") == 3
    patched.run(FLOW).ok()
    patched.run(cell.replace("DEFAULT", "5")).ok()
    assert patched.value("[planned(), planned.workflow is flow]") == [6, True]


CONNECTOR = """
from flyteidl.core.execution_pb2 import TaskExecution
from flytekit.extend.backend.base_connector import ConnectorRegistry, Resource, SyncConnectorBase

class Oracle(SyncConnectorBase):
    name = "Oracle"

    def __init__(self):
        super().__init__(task_type_name="oracle")

    def do(self, task_template, inputs=None, **kwargs):
        return Resource(phase=TaskExecution.SUCCEEDED, message="first")

ConnectorRegistry.register(Oracle())
"""


def test_a_cell_that_registers_a_connector_can_be_run_again(patched: Kernel, stock: Kernel) -> None:
    for kernel in (patched, stock):
        kernel.run(CONNECTOR)
    assert failure_of(stock.run(CONNECTOR)) == "ValueError"
    patched.run(CONNECTOR.replace("first", "second")).ok()
    assert patched.value("ConnectorRegistry.get_connector('oracle').do(None).message") == "second"


# --- compiled workflows -------------------------------------------------------------------------------------------


def test_a_workflow_is_compiled_afresh_once_its_task_is_redefined(patched: Kernel, stock: Kernel) -> None:
    again = """
        @task
        def step(x: int, by: int = 7) -> int:
            return x + by
    """
    for kernel in (patched, stock):
        kernel.run(FLOW)
        kernel.run(again)
    patched.run("drawn, made = flytenb.graph(flow), flytenb.run(flow, x=1)").ok()
    assert patched.value("[flow.nodes[0].flyte_entity is step, made.result]") == [True, 8]
    assert patched.value("[p.name for p in drawn.nodes['n0'].interface.inputs]") == ["x", "by"]
    assert stock.value("flow.nodes[0].flyte_entity is step") is False


def test_a_workflow_that_failed_to_compile_is_tried_again(patched: Kernel, stock: Kernel) -> None:
    bad = """
        @workflow
        def late(x: int) -> int:
            return missing_yet(x=x)

        late.compile()
    """
    for kernel in (patched, stock):
        kernel.run(FLOW)
        assert failure_of(kernel.run(bad)) == "NameError"
    stock.run("late.compile()").ok()
    assert stock.value("[late.compiled, late.nodes]") == [True, []]
    assert patched.run("flytenb.graph(late)").fails().ename == "NameError"
    patched.run("missing_yet = step; drawn = flytenb.graph(late)").ok()
    assert patched.value("[n.name for n in drawn.nodes.values() if not n.is_pseudo]") == ["step"]


# --- reprs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("expression", "name"), [("step", "step"), ("flow", "flow"), ("plan", "flow")])
def test_an_entity_as_last_line_tells_what_it_is(patched: Kernel, stock: Kernel, expression: str, name: str) -> None:
    for kernel in (patched, stock):
        kernel.run(FLOW)
    outcome = patched.run(expression).ok()
    assert outcome.pictures or "<table" in outcome.html or name in outcome.html
    assert name in str(outcome.result)
    assert "x" in str(outcome.result)
    assert " at 0x" not in str(outcome.result)
    before = str(stock.run(expression).result)
    assert " at 0x" in before or "&&" in before


def test_an_eager_task_keeps_the_settings_that_it_is_given(patched: Kernel) -> None:
    patched.run("""
        import flytenb
        from flytekit import Cache, eager, task

        ran = []

        @task
        def double(x: int) -> int:
            return 2 * x

        @eager(cache=Cache(version="1"), retries=2)
        async def doubled(x: int) -> int:
            ran.append(x)
            return double(x=x)
    """).ok()
    assert patched.value("[doubled.metadata.cache, doubled.metadata.cache_version, doubled.metadata.retries]") == [
        True,
        "1",
        2,
    ]
    assert patched.value("[flytenb.run(doubled, x=3).result for _ in range(2)]") == [6, 6]
    assert patched.value("ran") == [3]
