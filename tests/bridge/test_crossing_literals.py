"""What always crosses as its literal: files, datasets, models, pickles, and the types whose transformer is a user's."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flytekit import FlyteDirectory, FlyteFile, HashMethod, StructuredDataset
from flytekit.core.type_engine import (
    DataclassTransformer,
    IntTransformer,
    ListTransformer,
    SimpleTransformer,
    TypeEngine,
    TypeTransformer,
)
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType
from pydantic import BaseModel

from flytenb.bridge import private
from flytenb.bridge.crossing import Slot, collector, packer, unpacker
from tests import crossing as c
from tests.crossing import by_flytekit, by_us, difference, verdict


class Model(BaseModel):
    whole: int
    colour: c.Colour = c.Colour.RED
    inner: dict[str, list[float]] = {}


def test_a_file_crosses_with_its_content(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("one")
    value = packer(FlyteFile)(FlyteFile(str(source)))
    source.write_text("two")
    taken = unpacker(FlyteFile, FlyteFile)(value)
    assert (value.method, type(taken), Path(taken).read_text()) == ("literal", FlyteFile, "one")


def test_a_directory_crosses_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    value = packer(FlyteDirectory)(FlyteDirectory(str(tmp_path)))
    (tmp_path / "a.txt").write_text("two")
    taken = unpacker(FlyteDirectory, FlyteDirectory)(value)
    assert (Path(taken) / "a.txt").read_text() == "one"


def test_a_dataset_can_be_opened_by_each_consumer() -> None:
    value = packer(StructuredDataset)(StructuredDataset(dataframe=pd.DataFrame({"a": [1]})))
    take = unpacker(StructuredDataset, StructuredDataset)
    frames = [take(value).open(pd.DataFrame).all() for _ in range(2)]
    frames[0].loc[0, "a"] = 7
    assert frames[1]["a"].tolist() == [1]


def test_a_frame_is_read_as_the_type_that_the_consumer_asks_for() -> None:
    value = packer(pd.DataFrame)(pd.DataFrame({"a": [1], "b": [2]}))
    assert value.method == "frame"
    assert unpacker(pd.DataFrame, pa.Table)(value).column_names == ["a", "b"]
    columns = Annotated[pd.DataFrame, OrderedDict(b=int)]
    assert list(unpacker(pd.DataFrame, columns)(value).columns) == ["b"]
    assert unpacker(pd.DataFrame, StructuredDataset)(value).open(pd.DataFrame).all()["a"].tolist() == [1]


@pytest.mark.parametrize("value", [Model(whole=1), Model(whole=2, colour=c.Colour.GREEN, inner={"a": [1.0]})])
def test_a_pydantic_model_crosses_as_in_flytekit(value: Model) -> None:
    assert verdict(by_flytekit(Model, value), by_us(Model, value)) == ""
    assert packer(Model)(value).method == "literal"


def test_a_hash_is_kept_for_the_cache() -> None:
    hashed = Annotated[np.ndarray, HashMethod(lambda a: str(a.sum()))]
    assert packer(hashed)(np.arange(3)).literal().hash == "3"


def test_a_consumer_of_another_type_reads_the_literal() -> None:
    assert unpacker(int, float)(packer(int)(3)) == 3.0
    assert type(unpacker(int, float)(packer(int)(3))) is float
    assert unpacker(c.Colour, str)(packer(c.Colour)(c.Colour.RED)) == "red"
    assert unpacker(list[int], list[float])(packer(list[int])([1])) == [1.0]
    assert unpacker(int, int | None)(packer(int)(3)) == 3
    with pytest.raises(TypeError, match="Ambiguous"):
        unpacker(int, int | float)(packer(int)(3))


def test_a_value_packed_under_another_type_than_announced_is_read_from_its_literal() -> None:
    assert unpacker(float, float)(packer(int)(3)) == 3.0
    assert difference(unpacker(c.Point, c.Point)(packer(c.ChildPoint)(c.ChildPoint(1.0, 2.0))), c.Point(1.0, 2.0)) == ""


def test_a_producer_keeps_its_objects_as_they_were() -> None:
    """flytekit sets class variables on the instances it converts; a mixin's can't be pickled."""
    points = [c.MixinPoint(1.0, 2.0)]
    described = c.Described("a")
    packer(list[c.MixinPoint], strict=True)(points)
    packer(c.Described, strict=True)(described)
    assert (vars(points[0]), vars(described)) == ({"x": 1.0, "y": 2.0, "metadata": {}}, {"name": "a"})
    assert difference(pickle.loads(pickle.dumps(points)), points) == ""


def test_the_old_format_of_dataclasses_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packer(c.Point)(c.Point(1.0, 2.0)).method == "copy"
    monkeypatch.setenv("FLYTE_USE_OLD_DC_FORMAT", "true")
    value = packer(c.Point)(c.Point(1.0, 2.0))
    assert value.method == "literal"
    assert value.literal().scalar.generic is not None


class Doubling(TypeTransformer[Any]):
    """Doubles on the way in, so that it can't be overlooked."""

    def __init__(self, python_type: Any) -> None:
        super().__init__("doubling", python_type)

    def assert_type(self, t: Any, v: Any) -> None:
        return

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=SimpleType.INTEGER)

    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        return Literal(scalar=Scalar(primitive=Primitive(integer=self.number(python_val) * 2)))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Any:
        return lv.scalar.primitive.integer

    @staticmethod
    def number(value: Any) -> int:
        if isinstance(value, list):
            return len(value)
        return int(value.x) if isinstance(value, c.Point) else int(value)


@contextmanager
def registered(python_type: Any, transformer: Any) -> Iterator[None]:
    registry = private.transformer_registry()
    before = registry.pop(python_type, None)
    TypeEngine.register(transformer)
    try:
        yield
    finally:
        del registry[python_type]
        if before is not None:
            registry[python_type] = before


@pytest.mark.parametrize(
    ("python_type", "base", "made"),
    [
        pytest.param(int, int, 3, id="a scalar"),
        pytest.param(int | None, int, 3, id="inside a union"),
        pytest.param(list[int], list[int], [1, 2, 3], id="just this list"),
        pytest.param(list[int], list, [1, 2, 3], id="all lists"),
        pytest.param(c.Point, c.Point, c.Point(3.0, 1.0), id="a dataclass"),
        pytest.param(c.ChildPoint, c.Point, c.ChildPoint(3.0, 1.0), id="its base"),
        pytest.param(np.ndarray, np.ndarray, np.array(3), id="arrays"),
        pytest.param(pd.DataFrame, pd.DataFrame, pd.DataFrame({"a": [1.0]}), id="frames"),
    ],
)
def test_a_transformer_that_a_user_registers_is_obeyed_at_once(python_type: Any, base: Any, made: Any) -> None:
    pack, take = packer(python_type), unpacker(python_type, python_type)
    before = pack(made)
    assert before.method != "literal"
    transformer = Doubling(base)
    transformer.number = lambda value: 3  # type: ignore[method-assign]
    with registered(base, transformer):
        value = pack(made)
        assert (value.method, take(value)) == ("literal", 6)
        assert packer(python_type)(made).method == "literal"
        assert unpacker(python_type, python_type)(before) == 6
        assert before.native() == 6
    assert pack(made).method == packer(python_type)(made).method == before.method
    assert difference(take(pack(made)), made) == ""


def test_a_list_of_what_has_a_users_transformer_takes_the_literal() -> None:
    with registered(c.Point, Doubling(c.Point)):
        points = [c.Point(1.0, 2.0), c.Point(2.0, 3.0)]
        value = packer(list[c.Point])(points)
        assert (value.method, unpacker(list[c.Point], list[c.Point])(value)) == ("literal", [2, 4])


def test_a_list_of_promises_obeys_a_users_list_transformer() -> None:
    collect = collector(list[int], [Slot(int), Slot(int)])
    values = [packer(int)(1), packer(int)(2)]
    assert collect(values) == [1, 2]
    with registered(list, Doubling(list)):
        assert collect(values) == 4


def test_flytekits_own_transformers_are_what_the_proof_believes() -> None:
    """An upgrade of flytekit that changes what is registered breaks here first."""
    registry = private.transformer_registry()
    assert registry is TypeEngine._REGISTRY
    assert registry[int] is IntTransformer
    assert type(registry[int]) is SimpleTransformer
    assert type(registry[list]) is ListTransformer
    assert type(TypeEngine.get_transformer(c.Point)) is DataclassTransformer
