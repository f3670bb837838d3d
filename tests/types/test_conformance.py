"""The conformance checks: a good transformer passes them all, and each way to be wrong fails its own rows."""

from __future__ import annotations

import copy
import datetime
import html
import itertools
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from flytekit.core.type_engine import AsyncTypeTransformer, TypeEngine, TypeTransformer, TypeTransformerFailedError
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType
from mashumaro.types import SerializableType

from flytenb.display.conformance_card import Conformance
from flytenb.types.conformance import checks
from flytenb.types.conformance.html_escaping import HOSTILE
from flytenb.types.conformance.other_process import Answer
from flytenb.types.conformance.report import run_checks
from flytenb.types.samples import NoSampleError


class Tag(SerializableType):
    """A text with a colour."""

    def __init__(self, text: str, color: str = "red") -> None:
        self.text = text
        self.color = color

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tag) and (self.text, self.color) == (other.text, other.color)

    __hash__ = None

    def _serialize(self) -> str:
        return f"{self.color}:{self.text}"

    @classmethod
    def _deserialize(cls, value: str) -> Tag:
        color, _, text = value.partition(":")
        return cls(text, color)


class TagTransformer(TypeTransformer[Tag]):
    def __init__(self) -> None:
        super().__init__("tag", Tag)

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=SimpleType.STRING)

    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        if not isinstance(python_val, Tag):
            raise TypeTransformerFailedError(f"{python_val!r} is no tag")
        return Literal(scalar=Scalar(primitive=Primitive(string_value=python_val._serialize())))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        if lv.scalar is not None and lv.scalar.binary is not None:
            return self.from_binary_idl(lv.scalar.binary, expected_python_type)
        text = lv.scalar.primitive.string_value if lv.scalar and lv.scalar.primitive else None
        if text is None or ":" not in text:
            raise TypeTransformerFailedError("not a tag's literal")
        return Tag._deserialize(text)

    def to_html(self, ctx: Any, python_val: Tag, expected_python_type: Any) -> str:
        return f"<b>{html.escape(python_val.text)}</b> {html.escape(python_val.color)}"


TypeEngine.register(TagTransformer())


class AsyncTagTransformer(AsyncTypeTransformer[Tag]):
    """The same, asynchronous."""

    def __init__(self) -> None:
        super().__init__("tag", Tag)

    get_literal_type = TagTransformer.get_literal_type
    to_html = TagTransformer.to_html

    async def async_to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        return TagTransformer().to_literal(ctx, python_val, python_type, expected)

    async def async_to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        return TagTransformer().to_python_value(ctx, lv, expected_python_type)


class Restless(TagTransformer):
    kinds = itertools.cycle([SimpleType.STRING, SimpleType.INTEGER])

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=next(self.kinds))


class Misdeclared(TagTransformer):
    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(simple=SimpleType.INTEGER)


class Forgetful(TagTransformer):
    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        return Tag(super().to_python_value(ctx, lv, expected_python_type).text)


class Failing(TagTransformer):
    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        raise RuntimeError("no way back")


class Writing(TagTransformer):
    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        made = super().to_literal(ctx, python_val, python_type, expected)
        python_val.text = python_val.text.upper()
        return made


class Greedy(TagTransformer):
    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        value = python_val if isinstance(python_val, Tag) else Tag(str(python_val))
        return super().to_literal(ctx, value, python_type, expected)


class Wordless(TagTransformer):
    """Refuses by the wrong kind of error, which no union catches."""

    def assert_type(self, t: Any, v: Any) -> None:
        if not isinstance(v, Tag):
            raise KeyError("no tag")


class Credulous(TagTransformer):
    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        try:
            return super().to_python_value(ctx, lv, expected_python_type)
        except TypeTransformerFailedError:
            return Tag("anything")


class Remembering(TagTransformer):
    last: Tag | None = None

    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        made = super().to_literal(ctx, python_val, python_type, expected)
        self.last = python_val
        return made

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        super().to_python_value(ctx, lv, expected_python_type)
        if self.last is None:
            raise LookupError("nothing was converted here")
        return self.last


class Pointing(TagTransformer):
    """Sends a number, and keeps the value itself in this process."""

    kept: ClassVar[dict[str, Tag]] = {}

    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        super().to_literal(ctx, python_val, python_type, expected)
        self.kept[f"kept:{len(self.kept)}"] = python_val
        return Literal(scalar=Scalar(primitive=Primitive(string_value=f"kept:{len(self.kept) - 1}")))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        made = super().to_python_value(ctx, lv, expected_python_type)
        return self.kept[made._serialize()] if made.color == "kept" else made


class Deaf(TagTransformer):
    """Doesn't read what is cut out of a dataclass."""

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Tag:
        return Tag._deserialize(lv.scalar.primitive.string_value)


class Careless(TagTransformer):
    def to_html(self, ctx: Any, python_val: Tag, expected_python_type: Any) -> str:
        return f"<b>{python_val.text}</b>"


class Silent(TagTransformer):
    to_html = TypeTransformer.to_html


class Numeric(TagTransformer):
    def to_html(self, ctx: Any, python_val: Tag, expected_python_type: Any) -> Any:
        return 5


class Unknown:
    pass


class Elsewhere:
    """Known in this process, but not to who imports the module."""


class ElsewhereTransformer(TagTransformer):
    def __init__(self) -> None:
        TypeTransformer.__init__(self, "elsewhere", Elsewhere)

    def to_literal(self, ctx: Any, python_val: Any, python_type: Any, expected: Any) -> Literal:
        return Literal(scalar=Scalar(primitive=Primitive(string_value="elsewhere")))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Any:
        return Elsewhere()


SAMPLES = [Tag("one", "blue"), Tag("two", "green")]


def failures(python_type: Any, samples: list[Any] | None = None) -> dict[str, str]:
    """What failed, by the name of the check, and that each says the fix."""
    rows = run_checks(python_type, copy.deepcopy(SAMPLES) if samples is None else samples)
    assert len({row.name for row in rows}) == len(rows) == 16
    assert all(row.what for row in rows)
    assert all(bool(row.fix) != row.ok for row in rows)
    return {row.name: row.what for row in rows if not row.ok}


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare a test the seconds of another process, where that isn't what it is about."""

    def stay(python_type: Any, transformer: Any, literals: list[Literal], stored: Path) -> Answer:
        return Answer(tuple(literals), TypeEngine.to_literal_type(python_type))

    monkeypatch.setattr(checks, "convert_elsewhere", stay)


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(
    ("python_type", "samples"),
    [
        (Tag, None),
        (Annotated[Tag, AsyncTagTransformer()], None),
        (int, [0, -5]),
        (float, [2.5]),
        (bool, [True]),
        (datetime.timedelta, [datetime.timedelta(days=2)]),
        (datetime.datetime, [datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)]),
        (list[int], [[1, 2], []]),
    ],
    ids=str,
)
def test_what_conforms_passes_every_check(python_type: Any, samples: list[Any] | None) -> None:
    assert failures(python_type, samples) == {}


BROKEN: list[tuple[type, set[str], str]] = [
    (Restless, {"literal type is stable", "as Optional", "in a union", "in another process"}, "two calls returned"),
    (Misdeclared, {"literals fit their type"}, "INTEGER"),
    (Forgetful, {"round trip"}, ".color: 'blue' became 'red'"),
    (Writing, {"the object is unchanged"}, ".text"),
    (Greedy, {"wrong values are rejected", "None is rejected", "as Optional", "in a union"}, "became primitive"),
    (Wordless, {"wrong values are rejected", "as Optional", "in a union"}, "KeyError"),
    (Credulous, {"wrong literals are rejected"}, "was read as"),
    (Remembering, {"in a list", "in a dict", "in another process"}, "became"),
    (Deaf, {"as an attribute"}, "reading 'value' of"),
    (Careless, {"to_html is escaped"}, "became markup"),
    (Silent, {"to_html is escaped"}, "which browsers read as a tag"),
    (Numeric, {"to_html is escaped"}, "got 5"),
]


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize(("transformer", "names", "what"), BROKEN, ids=[c.__name__ for c, _, _ in BROKEN])
def test_a_transformer_that_is_wrong_fails_its_own_rows(transformer: Any, names: set[str], what: str) -> None:
    found = failures(Annotated[Tag, transformer()])
    assert set(found) == names
    assert any(what in text for text in found.values()), found


@pytest.mark.usefixtures("at_home")
def test_what_never_comes_back_fails_wherever_it_is_sent() -> None:
    found = failures(Annotated[Tag, Failing()])
    assert found["round trip"] == "<Tag object>: no way back (RuntimeError)"
    assert {"in a list", "in a dict", "as Optional", "in a union", "as an attribute"} < set(found)


@pytest.mark.usefixtures("at_home")
def test_a_type_that_nobody_knows_is_told_so() -> None:
    found = failures(Unknown, [Unknown()])
    assert found["it has a transformer"] == "Flyte doesn't know the type and pickles it"


@pytest.mark.usefixtures("at_home")
def test_a_type_that_flytekit_refuses_is_told_so() -> None:
    assert "rejects the type" in failures(tuple, [(1,)])["it has a transformer"]


@pytest.mark.slow
def test_what_lives_in_the_memory_of_this_process_fails_in_another() -> None:
    found = failures(Annotated[Tag, Pointing()])
    assert set(found) == {"in another process"}
    assert "the other process raised 'kept:" in found["in another process"]


@pytest.mark.slow
def test_a_transformer_that_importing_the_type_does_not_register_is_found_out() -> None:
    TypeEngine.register(ElsewhereTransformer())
    try:
        found = failures(Elsewhere, [Elsewhere()])
    finally:
        del TypeEngine._REGISTRY[Elsewhere]
    assert "the other process uses FlytePickleTransformer" in found["in another process"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("python_type", [Tag, Annotated[Tag, AsyncTagTransformer()]], ids=str)
def test_what_is_all_in_its_literal_works_in_another_process(python_type: Any) -> None:
    assert failures(python_type) == {}


@pytest.mark.usefixtures("at_home")
def test_samples_are_made_where_none_are_given() -> None:
    assert all(row.ok for row in run_checks(dict[str, int]))
    with pytest.raises(NoSampleError, match="no sample can be made of Unknown") as refused:
        run_checks(Unknown)
    assert refused.value.hint == "pass some: flytenb.check_transformer(T, [sample, …])"


@pytest.mark.usefixtures("at_home")
def test_values_that_must_be_refused_can_be_given() -> None:
    rows = {row.name: row for row in run_checks(int, [5], wrong=[2.5, "x"])}
    assert rows["wrong values are rejected"].what == "rejected 2.5, 'x'"
    assert not {row.name: row for row in run_checks(int, [5], wrong=[6])}["wrong values are rejected"].ok


@pytest.mark.usefixtures("at_home")
def test_the_samples_are_left_as_they_are() -> None:
    samples = [Tag("one")]
    run_checks(Annotated[Tag, Writing()], samples)
    assert samples[0] == Tag("one")


@pytest.mark.usefixtures("at_home")
def test_the_result_shows_the_same_rows_as_text_and_html() -> None:
    result = Conformance.of(Annotated[Tag, Careless()], [Tag(HOSTILE)])
    assert not result.ok
    assert [row.name for row in result.failed] == ["to_html is escaped"]
    bundle = result._repr_mimebundle_()
    for row in result.rows:
        assert row.name in bundle["text/plain"]
        assert row.name in bundle["text/html"]
    assert result.failed[0].fix in bundle["text/plain"]
    assert "Tag · 1 check of 16 failed" in repr(result)
    assert "<img" not in bundle["text/html"]
    assert Conformance.of(int, [5]).ok
