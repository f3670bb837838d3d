"""Writing a transformer in cells: run again, redefine the class, unload; and the messages meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

CLASS = """
class Celsius:
    def __init__(self, degrees):
        self.degrees = degrees

    def __eq__(self, other):
        return isinstance(other, Celsius) and self.degrees == other.degrees
"""
TRANSFORMER = """
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType

class CelsiusTransformer(TypeTransformer):
    def __init__(self):
        super().__init__("celsius", Celsius)

    def get_literal_type(self, t):
        return LiteralType(simple=SimpleType.FLOAT)

    def to_literal(self, ctx, python_val, python_type, expected):
        return Literal(scalar=Scalar(primitive=Primitive(float_value=python_val.degrees)))

    def to_python_value(self, ctx, lv, expected_python_type):
        return expected_python_type(lv.scalar.primitive.float_value)

TypeEngine.register(CelsiusTransformer())
"""
SIMPLE = """
from flytekit.core.type_engine import SimpleTransformer, TypeEngine
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType

class Kelvin:
    def __init__(self, degrees):
        self.degrees = degrees
"""
SIMPLE_TRANSFORMER = """
TypeEngine.register(SimpleTransformer(
    "kelvin", Kelvin, LiteralType(simple=SimpleType.FLOAT),
    lambda v: Literal(scalar=Scalar(primitive=Primitive(float_value=v.degrees))),
    lambda lv: Kelvin(lv.scalar.primitive.float_value),
))
"""
TASKS = """
from dataclasses import dataclass

from flytekit import task, workflow

@task
def warm(c: Celsius, by: float = 1.0) -> Celsius:
    return Celsius(c.degrees + by)

@task
def warm_all(cs: list[Celsius]) -> list[Celsius]:
    return [Celsius(c.degrees + 1) for c in cs]

@workflow
def wf(c: Celsius) -> Celsius:
    return warm(c=c)
"""


@pytest.fixture(scope="module")
def started() -> Iterator[Kernel]:
    with Kernel() as kernel:
        kernel.run("import flytekit, flytenb").ok()
        yield kernel


@pytest.fixture
def kernel(started: Kernel) -> Kernel:
    """The one kernel of this file, its cells run again: that this is possible is half of what is tested."""
    for cell in (CLASS, TRANSFORMER, TASKS):
        started.run(cell).ok()
    return started


def chosen(kernel: Kernel, name: str = "Celsius") -> str:
    return kernel.value(f"type(TypeEngine.get_transformer({name})).__name__")


def test_the_cells_can_be_run_again_in_any_order(kernel: Kernel) -> None:
    for cell in (TRANSFORMER, CLASS, TRANSFORMER, CLASS, CLASS, TRANSFORMER):
        kernel.run(cell).ok()
        assert chosen(kernel) == "CelsiusTransformer"
    kernel.run(TASKS).ok()
    assert kernel.run("warm(c=Celsius(20.0)).degrees").ok().result == "21.0"


def test_a_redefined_class_takes_its_transformer_along(kernel: Kernel) -> None:
    kernel.run("Before = Celsius").ok()
    kernel.run(CLASS).ok()
    assert kernel.value("Celsius is not Before")
    assert chosen(kernel) == chosen(kernel, "Before") == "CelsiusTransformer"
    # Its own for each: the copy means the new class, the old one is untouched.
    assert kernel.value("TypeEngine.get_transformer(Celsius).python_type is Celsius")
    assert kernel.value("TypeEngine.get_transformer(Before).python_type is Before")
    kernel.run(TASKS).ok()
    assert kernel.run("flytenb.run(wf, c=Celsius(20.0)).result.degrees").ok().result == "21.0"


def test_a_simple_transformer_is_carried_too_and_can_be_registered_again(kernel: Kernel) -> None:
    for cell in (SIMPLE, SIMPLE_TRANSFORMER, SIMPLE_TRANSFORMER, SIMPLE):
        kernel.run(cell).ok()
    assert chosen(kernel, "Kelvin") == "SimpleTransformer"
    kernel.run("""
        from flytekit import task

        @task
        def same(k: Kelvin) -> Kelvin:
            return k
    """).ok()
    assert kernel.run("same(k=Kelvin(3.0)).degrees").ok().result == "3.0"


def test_two_transformers_that_claim_one_class_still_collide(kernel: Kernel) -> None:
    other = TRANSFORMER.replace("CelsiusTransformer", "OtherTransformer")
    assert kernel.run(other).fails().ename == "ValueError"


def test_who_holds_the_old_class_is_named_where_the_notebook_is_listed(kernel: Kernel) -> None:
    assert "old" not in kernel.run("%flyte").ok().shown
    kernel.run(CLASS).ok()
    listed = kernel.run("%flyte").ok()
    for name in ("warm", "warm_all", "wf"):
        (line,) = [text for text in listed.shown.splitlines() if text.split()[:1] == [name]]
        assert "uses an old Celsius" in line
    kernel.run(TASKS).ok()
    assert "old" not in kernel.run("%flyte").ok().shown


@pytest.mark.parametrize("call", ["warm(c={})", "warm_all(cs=[{}])", "flytenb.run(wf, c={})"])
def test_a_new_value_for_an_old_task_says_what_to_do(kernel: Kernel, call: str) -> None:
    kernel.run("before = Celsius(1.0)").ok()
    kernel.run(CLASS).ok()
    error = kernel.run(call.format("Celsius(1.0)")).fails()
    assert "Celsius has been redefined" in error.evalue + error.traceback
    assert "run that cell again" in error.evalue + error.traceback
    kernel.run(TASKS).ok()
    error = kernel.run(call.format("before")).fails()
    assert "make it again" in error.evalue + error.traceback


def test_what_cells_define_is_put_to_the_test_in_another_process_too(kernel: Kernel) -> None:
    kernel.run("""
        import enum
        from dataclasses import dataclass, field

        from mashumaro.mixins.json import DataClassJSONMixin

        class Color(enum.Enum):
            RED = "red"

        @dataclass
        class Point:
            x: float
            color: Color = Color.RED
            tags: list[str] = field(default_factory=list)

        @dataclass
        class Mixed(DataClassJSONMixin):
            at: Point

        def check(*arguments):
            rows = {row.name: row.what for row in flytenb.check_transformer(*arguments).rows if not row.ok}
            return {name: what for name, what in rows.items() if "process" in name}
    """).ok()
    for value in ("Point(1.0)", "Mixed(Point(1.0))", "Color.RED", "Celsius(1.0)"):
        assert kernel.run(f"check(type({value}), [{value}])").ok().result == "{}", value


def test_unloading_leaves_what_was_carried_in_use_and_the_type_engine_as_it_was(kernel: Kernel) -> None:
    kernel.run(CLASS).ok()
    kernel.run("%unload_ext flytenb").ok()
    assert chosen(kernel) == "CelsiusTransformer"
    kernel.run(CLASS).ok()
    assert chosen(kernel) == "FlytePickleTransformer"
    kernel.run("from flytekit.core.type_engine import DataclassTransformer, UnionTransformer").ok()
    for name in ("TypeTransformer", "DataclassTransformer", "UnionTransformer"):
        assert kernel.value(f"{name}.assert_type.__module__") == "flytekit.core.type_engine"
        assert not kernel.value(f"hasattr({name}.assert_type, '__wrapped__')")
    kernel.run("%load_ext flytenb").ok()
