"""The file contract of raw containers is that of the cluster's co-pilot, for every type and every text."""

from __future__ import annotations

import datetime
import enum
import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
import yaml
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ
from flyteidl.core.interface_pb2 import VariableMap
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.models.types import LiteralType, SimpleType
from flytekit.types.directory import FlyteDirectory
from flytekit.types.error import FlyteError
from flytekit.types.file import FlyteFile
from flytekit.types.schema import FlyteSchema
from flytekit.types.structured import StructuredDataset
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from flytenb.bridge.crossing import packer
from flytenb.bridge.execution import container_files, go_text
from flytenb.bridge.execution.container_contract import as_container_input, as_container_output
from flytenb.types.samples import sample_of
from tests import copilot
from tests.examples import examples


class Color(enum.Enum):
    RED = "red"


class Model(BaseModel):
    x: int


@dataclass
class Point:
    x: float
    at: datetime.timedelta = datetime.timedelta(days=20)


class Unknown:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown)

    __hash__ = None  # type: ignore[assignment]


class LocalStorage:
    """Files where they are: an address is a path."""

    def fetch(self, uri: str, path: Path, *, is_directory: bool) -> None:
        if not is_directory:
            shutil.copyfile(uri, path)
            return
        for found in container_files.files_below(Path(uri)):
            (path / found.relative_to(uri)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, path / found.relative_to(uri))

    def keep(self, path: Path) -> str:
        return str(path)


STORAGE = LocalStorage()


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(f.relative_to(folder)): f.read_bytes() if f.is_file() else None for f in folder.rglob("*")}


def written_by_us(literal: lit.Literal, folder: Path) -> dict[str, bytes | None] | None:
    folder.mkdir()
    try:
        container_files.write_input(literal, folder / "x", STORAGE)
    except ValueError:
        return None
    return tree(folder)


def written_by_copilot(literal: lit.Literal, folder: Path) -> dict[str, bytes | None] | None:
    folder.mkdir()
    try:
        copilot.download(lit.LiteralMap(literals={"x": literal}), folder)
    except copilot.CopilotError:
        return None
    return tree(folder)


def read_by_us(folder: Path, literal_type: LiteralType) -> lit.Literal | None:
    try:
        return container_files.read_output(folder, "x", literal_type, STORAGE)
    except (ValueError, FileNotFoundError):
        return None


def read_by_copilot(folder: Path, literal_type: LiteralType) -> lit.Literal | None:
    variables = VariableMap()
    variables.variables["x"].type.CopyFrom(literal_type.to_flyte_idl())
    try:
        return copilot.upload(variables, folder)["x"]
    except copilot.CopilotError:
        return None


# --- types ------------------------------------------------------------------------------------------------------------

TYPES = [
    int, float, str, bool, bytes, datetime.datetime, datetime.date, datetime.timedelta, type(None),
    Color, Literal["a", "b"], FlyteError, Struct, dict, dict[int, str], Point, Model, Unknown,
    FlyteFile, FlyteFile["csv"], FlyteDirectory, FlyteSchema, StructuredDataset, pd.DataFrame,
    list[int], list[list[str]], list[Color], list[Point], list[FlyteFile], list[pd.DataFrame], list[datetime.timedelta],
    dict[str, int], dict[str, list[float]], dict[str, Color], dict[str, FlyteDirectory], dict[str, pd.DataFrame],
    int | None, int | str | None, list[int | None], list[Color] | None, pd.DataFrame | None, Unknown | None,
]  # fmt: skip
"""Types of every form that a literal has."""


def sample(python_type: Any, folder: Path) -> Any:
    if python_type is FlyteError:
        return FlyteError("why", "n0")
    if python_type is FlyteSchema:
        (folder / "schema").mkdir()
        schema = FlyteSchema(local_path=str(folder / "schema"))
        schema.open(pd.DataFrame).write(pd.DataFrame({"a": [1]}))
        return schema
    if python_type in (Unknown, Unknown | None):
        return Unknown()
    if python_type is bytes:
        return b"\x00"
    if python_type is type(None):
        return None
    return sample_of(python_type, folder)


@pytest.mark.parametrize("python_type", TYPES, ids=str)
def test_an_input_is_written_as_co_pilot_writes_it_and_as_the_lens_says(python_type: Any, tmp_path: Path) -> None:
    literal_type = TypeEngine.to_literal_type(python_type)
    value = sample(python_type, tmp_path)
    with FlyteContextManager.with_context(FlyteContextManager.current_context().with_file_access(_access(tmp_path))):
        literal = packer(python_type, literal_type, strict=True)(value).literal().to_flyte_idl()
    ours = written_by_us(literal, tmp_path / "ours")
    assert ours == written_by_copilot(literal, tmp_path / "co-pilot")
    assert as_container_input(literal_type).is_supported == (ours is not None)


def _access(folder: Path) -> Any:
    from flytekit.core.data_persistence import FileAccessProvider

    return FileAccessProvider(str(folder / "sandbox"), str(folder / "raw"))


FITTING = {
    SimpleType.INTEGER: "7", SimpleType.FLOAT: "7.5", SimpleType.BOOLEAN: "true", SimpleType.STRUCT: "{}",
    SimpleType.DATETIME: "2030-01-31T12:00:00Z", SimpleType.DURATION: "1h2m3.5s",
}  # fmt: skip


@pytest.mark.parametrize("python_type", TYPES, ids=str)
def test_an_output_is_read_as_co_pilot_reads_it_and_as_the_lens_says(python_type: Any, tmp_path: Path) -> None:
    literal_type = TypeEngine.to_literal_type(python_type)
    blob = literal_type.blob
    if blob is not None and blob.dimensionality == typ.BlobType.MULTIPART:
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "one.txt").write_text("1")
    else:
        (tmp_path / "x").write_text(FITTING.get(literal_type.simple, "text"))
    ours, theirs = read_by_us(tmp_path, literal_type), read_by_copilot(tmp_path, literal_type)
    assert as_container_output(literal_type).is_supported == (ours is not None) == (theirs is not None)
    if ours is not None and blob is None:
        assert ours == theirs


# --- inputs, any value ------------------------------------------------------------------------------------------------


def primitive(**field: Any) -> lit.Literal:
    return lit.Literal(scalar=lit.Scalar(primitive=lit.Primitive(**field)))


def timed(name: str, seconds: int, nanos: int) -> lit.Literal:
    made = lit.Literal()
    part = getattr(made.scalar.primitive, name)
    part.SetInParent()
    part.seconds, part.nanos = seconds, nanos
    return made


def generic(found: dict[str, Any]) -> lit.Literal:
    made = lit.Literal()
    made.scalar.generic.SetInParent()
    made.scalar.generic.update(found)
    return made


def union(inner: lit.Literal) -> lit.Literal:
    return lit.Literal(scalar=lit.Scalar(union=lit.Union(value=inner)))


def collection(items: list[lit.Literal]) -> lit.Literal:
    return lit.Literal(collection=lit.LiteralCollection(literals=items))


def mapping(items: dict[str, lit.Literal]) -> lit.Literal:
    return lit.Literal(map=lit.LiteralMap(literals=items))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda v: primitive(integer=v)),
    st.floats().map(lambda v: primitive(float_value=v)),
    st.booleans().map(lambda v: primitive(boolean=v)),
    TEXTS.map(lambda v: primitive(string_value=v)),
    st.builds(
        lambda s, n: timed("datetime", s, n), st.integers(-62135596800, 253402300799), st.integers(0, 999_999_999)
    ),
    st.integers(-(2**64), 2**64).map(lambda v: timed("duration", int(v / 10**9), math.trunc(math.fmod(v, 10**9)))),
    st.sampled_from([0, 1, 999, 1000, 1500, 10**6, 10**9, 6 * 10**10, 36 * 10**11, 1728 * 10**12]).map(
        lambda v: timed("duration", v // 10**9, v % 10**9)
    ),
    st.dictionaries(TEXTS, JSON, max_size=3).map(generic),
    st.binary(max_size=5).map(lambda v: lit.Literal(scalar=lit.Scalar(binary=lit.Binary(value=v, tag="msgpack")))),
    st.just(lit.Literal(scalar=lit.Scalar(none_type=lit.Void()))),
    st.just(lit.Literal(scalar=lit.Scalar(structured_dataset=lit.StructuredDataset(uri="/x")))),
)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8).filter(
    lambda key: key not in (".", "..")
)
LITERALS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(collection), st.dictionaries(KEYS, inner, max_size=3).map(mapping),
        inner.map(union),
    ),
    max_leaves=5,
)  # fmt: skip


@examples(300)
@given(literal=LITERALS)
def test_any_literal_is_written_as_co_pilot_writes_it(
    literal: lit.Literal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("inputs")
    assert written_by_us(literal, folder / "ours") == written_by_copilot(literal, folder / "co-pilot")


@examples(200)
@given(literal=LITERALS)
def test_the_summary_of_any_inputs_is_co_pilot_s(
    literal: lit.Literal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("inputs")
    try:
        expected = copilot.inputs_json(lit.LiteralMap(literals={"x": literal}), "/var/inputs")
    except copilot.CopilotError:
        with pytest.raises(ValueError, match="JSON"):
            container_files.write_summaries({"x": literal}, folder, "/var/inputs", "JSON")
        return
    container_files.write_summaries({"x": literal}, folder, "/var/inputs", "JSON")
    assert json.loads((folder / "inputs.json").read_text()) == expected
    read = lit.LiteralMap.FromString((folder / "inputs.pb").read_bytes())
    assert read.literals["x"] == literal or is_nan(literal)


@pytest.mark.parametrize(("form", "names"), [("JSON", {"inputs.json"}), ("YAML", {"inputs.yaml"}), ("PROTO", set())])
def test_a_summary_names_files_by_their_paths_in_the_container(form: str, names: set[str], tmp_path: Path) -> None:
    blob = lit.Literal()
    blob.scalar.blob.uri = "s3://bucket/key"
    literals = {"one": blob, "many": collection([blob]), "maybe": union(blob), "by": mapping({"k": blob})}
    container_files.write_summaries(literals, tmp_path, "/in", form)
    assert {p.name for p in tmp_path.iterdir()} == {"inputs.pb", *names}
    read = lit.LiteralMap.FromString((tmp_path / "inputs.pb").read_bytes()).literals
    assert read["one"].scalar.blob.uri == "/in/one"
    assert read["many"].collection.literals[0].scalar.blob.uri == "/in/many/0"
    assert read["maybe"].scalar.union.value.scalar.blob.uri == "/in/maybe"
    assert read["by"].map.literals["k"].scalar.blob.uri == "/in/by/k"
    for name in names:
        found = yaml.safe_load((tmp_path / name).read_text())
        assert found == {"one": "/in/one", "many": ["/in/many/0"], "maybe": "/in/maybe", "by": {"k": "/in/by/k"}}
    assert blob.scalar.blob.uri == "s3://bucket/key"


@pytest.mark.parametrize("key", ["", ".", "..", "../../escaped", "a/b", "/tmp/escaped", "a\0b", "é" * 128])
def test_a_key_that_can_t_be_a_file_s_name_is_refused_and_named(key: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="the name of a file"):
        container_files.write_input(mapping({key: primitive(integer=1)}), tmp_path / "in" / "x", STORAGE)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_an_empty_directory_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    literal = lit.Literal()
    literal.scalar.blob.uri = str(tmp_path / "empty")
    literal.scalar.blob.metadata.type.dimensionality = typ.BlobType.MULTIPART
    assert written_by_us(literal, tmp_path / "ours") == {} == written_by_copilot(literal, tmp_path / "co-pilot")


# --- outputs, any text ------------------------------------------------------------------------------------------------

KNOWN = {
    SimpleType.INTEGER: (
        "0 -0 +5 007 9223372036854775807 9223372036854775808 -9223372036854775808 1_000 1.0 0x1 ٣ + 1\r"
    ),
    SimpleType.FLOAT: (
        "1 1_000 1__0 _1 1_ 1_.0 0x1p-2 0x_1p-2 0x1.8 0x.8p1 0xp1 0x1p99999 infinity +INF -inf nan +nan 1e400 1e-400 "
        ".5 5. . 1e5 1e 1e+ 1e1_0 1e_1 --1 0x 0b1 1.7976931348623159e308 2e-324 İnf"
    ),
    SimpleType.BOOLEAN: "1 t T TRUE true True tRue 0 f F FALSE false False yes no on",
    SimpleType.DATETIME: (
        "2020-01-02T03:04:05Z 2020-01-02T3:04:05Z 2020-01-02t03:04:05z 2020-01-02T03:04:05 2020-01-02T03:04:05.5Z "
        "2020-01-02T03:04:05,5Z 2020-01-02T03:04:05.1234567899Z 2020-01-02T03:04:05+01:00 2020-01-02T03:04:05-0100 "
        "2020-01-02T03:04:60Z 2020-02-30T03:04:05Z 1900-02-29T00:00:00Z 2020-01-02T24:00:00Z 2020-01-02T03:04:05+24:00 "
        "2020-01-02T03:04:05+25:00 2020-01-02T03:04:05+10:61 0001-01-01T00:00:00+01:00 9999-12-31T23:59:59-01:00 "
        "2020-01-02T03:04:05.Z 2020-01-02"
    ),
    SimpleType.DURATION: (
        "0 +0 -0 1h2m3.5s 480h0m0s 1.5h -1.5s 1ms 1us 1µs 1μs 1ns .5s 5.s .s 1 1d 1h-2m 2562047h47m16.854775807s "
        "2562047h47m16.854775808s -2562047h47m16.854775808s 0.123456789123456789h 0.92233720368547758079h 1s1h s 3e2s "
        "+5m --5m + - . 1h1 1.1.1s 1728000s"
    ),
    SimpleType.STRING: "a é \r \v",
    SimpleType.STRUCT: (
        '{} {"a":1} {"a":1}x null [1] 1 "x" {"a":NaN} {"a":Infinity} {"a":1e400} {"a":-0} {"a":"\\ud800"} {"a":01} '
        '{"a":[1,{"b":null,"c":[true,"x"]}]} {"a":1,"a":2} {"a":1,} {"a":9007199254740993} {"":{}}'
    ),
    SimpleType.NONE: "x null",
    SimpleType.ERROR: "why",
    SimpleType.BINARY: "ab",
}
ALPHABETS = {
    SimpleType.INTEGER: "0123456789+-_ \n",
    SimpleType.FLOAT: "01259.eE+-_xXpPaf",
    SimpleType.BOOLEAN: "tTrueFals01",
    SimpleType.DATETIME: "0129-T:Z.+",
    SimpleType.DURATION: "0159.hmsnuµ-+",
    SimpleType.STRUCT: '{}[]":,01a.e-',
}


def outputs() -> st.SearchStrategy[tuple[int, str]]:
    """Texts for a type: known ones, these with one character replaced, and any of its characters."""

    def of(kind: int) -> st.SearchStrategy[tuple[int, str]]:
        letters = st.sampled_from(ALPHABETS.get(kind, "a \n\té"))
        known = st.sampled_from([*KNOWN[kind].split(), "", " "])
        changed = st.builds(
            lambda text, at, letter, n: text[: at % (len(text) + 1)] + letter + text[at % (len(text) + 1) + n :],
            known, st.integers(0, 40), letters, st.integers(0, 1),
        )  # fmt: skip
        padded = st.builds(lambda a, text, b: a + text + b, *([st.sampled_from(["", " ", "\n", "\t", "\r"])] * 3))
        texts = known | changed | st.text(letters, max_size=10) | padded.map(str)
        return texts.map(lambda text: (kind, text))

    return st.sampled_from(sorted(KNOWN)).flatmap(of)


def is_nan(literal: lit.Literal | None) -> bool:
    return literal is not None and math.isnan(literal.scalar.primitive.float_value)


def same(one: lit.Literal | None, other: lit.Literal | None) -> bool:
    # By their bytes: -0.0 is equal to 0.0, and NaN to nothing.
    texts = [x.SerializeToString(deterministic=True) if x is not None else None for x in (one, other)]
    return texts[0] == texts[1] or (is_nan(one) and is_nan(other))


@examples(600)
@given(case=outputs())
def test_any_text_is_read_as_co_pilot_reads_it(case: tuple[int, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    kind, text = case
    folder = tmp_path_factory.mktemp("outputs")
    (folder / "x").write_bytes(text.encode())
    literal_type = LiteralType(simple=kind)
    assert same(read_by_us(folder, literal_type), read_by_copilot(folder, literal_type)), repr(text)


@pytest.mark.parametrize("kind", sorted(KNOWN))
def test_the_known_texts_are_read_as_co_pilot_reads_them(kind: int, tmp_path: Path) -> None:
    for text in [*KNOWN[kind].split(), "", f" {KNOWN[kind].split()[0]}\n\t"]:
        (tmp_path / "x").write_bytes(text.encode())
        literal_type = LiteralType(simple=kind)
        assert same(read_by_us(tmp_path, literal_type), read_by_copilot(tmp_path, literal_type)), repr(text)


@pytest.mark.parametrize(
    "files",
    [
        {"x": b"a" * 1024}, {"x": b"a" * 1025}, {"x": b" " * 1024 + b"a"}, {"x.txt": b"a"},
        {"x.txt": b"a", "x.csv": b"b"},
        {"x": b"a", "x.txt": b"b"}, {"y": b"a"}, {"xy": b"a"}, {"x/y": b"a"}, {"x": b"\xff"}, {"x": "é".encode() * 512},
    ],
    ids=str,
)  # fmt: skip
def test_the_file_of_an_output_is_found_and_limited_as_co_pilot_does(files: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    text = LiteralType(simple=SimpleType.STRING)
    assert same(read_by_us(tmp_path, text), read_by_copilot(tmp_path, text))


@pytest.mark.parametrize("names", [["a"], ["a", "b/c", "b/d/e"], []], ids=str)
def test_a_directory_is_flat_as_on_a_cluster(names: list[str], tmp_path: Path) -> None:
    out = tmp_path / "outputs"
    (out / "x").mkdir(parents=True)
    for name in names:
        (out / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (out / "x" / name).write_text(name)
    literal_type = TypeEngine.to_literal_type(FlyteDirectory)
    ours, theirs = read_by_us(out, literal_type), read_by_copilot(out, literal_type)
    assert ours is not None
    assert theirs is not None
    found = sorted(p.name for p in Path(ours.scalar.blob.uri).iterdir())
    assert "\n".join(found) == theirs.scalar.blob.uri


def test_files_that_a_cluster_would_write_over_each_other_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "x" / name).mkdir(parents=True)
        (tmp_path / "x" / name / "same").touch()
    with pytest.raises(ValueError, match="two files 'same'"):
        container_files.read_output(tmp_path, "x", TypeEngine.to_literal_type(FlyteDirectory), STORAGE)


@pytest.mark.parametrize("python_type", [str, FlyteFile])
def test_a_link_out_of_the_directory_isn_t_followed(python_type: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this machine")
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "x").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="leads out"):
        container_files.read_output(tmp_path / "outputs", "x", TypeEngine.to_literal_type(python_type), STORAGE)


def test_a_link_within_a_directory_isn_t_followed_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this machine")
    (tmp_path / "outputs" / "x").mkdir(parents=True)
    (tmp_path / "outputs" / "x" / "y").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="leads out"):
        container_files.read_output(tmp_path / "outputs", "x", TypeEngine.to_literal_type(FlyteDirectory), STORAGE)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"why\n", "why\n"), (b"\xff", "�"), (b"a" * 1024**2, "a" * 1024**2), (b"a" * (1024**2 + 1), None)],
    ids=["text", "bytes", "largest", "too large"],
)
def test_the_error_file_is_read_as_co_pilot_reads_it(content: bytes, said: str | None, tmp_path: Path) -> None:
    (tmp_path / "_ERROR").write_bytes(content)
    with pytest.raises(copilot.CopilotError, match="User Error" if said else "too large"):
        copilot.upload(VariableMap(), tmp_path)
    if said is not None:
        assert container_files.read_error(tmp_path) == said
        return
    with pytest.raises(ValueError, match="at most 1,048,576 bytes in _ERROR, got 1,048,577"):
        container_files.read_error(tmp_path)


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("literal", "rendered"),
    [
        (primitive(integer=-3), "-3"),
        (primitive(float_value=1.0), "1"),
        (primitive(float_value=0.1), "0.1"),
        (primitive(float_value=100000.0), "100000"),
        (primitive(float_value=1e6), "1e+06"),
        (primitive(float_value=1234567.5), "1.2345675e+06"),
        (primitive(float_value=-1e-5), "-1e-05"),
        (primitive(float_value=math.inf), "+Inf"),
        (primitive(boolean=False), "false"),
        (primitive(string_value=" a b "), " a b "),
        (timed("datetime", 0, 120_000_000), "1970-01-01T00:00:00.12Z"),
        (timed("datetime", 0, 0), "1970-01-01T00:00:00Z"),
        (timed("duration", 5400, 0), "seconds:5400"),
        (timed("duration", 1, 500), "seconds:1 nanos:500"),
        (collection([primitive(integer=1), collection([primitive(string_value="a")])]), "[1,[a]]"),
    ],
    ids=lambda x: str(x).replace("\n", " ") if not isinstance(x, str) else x,
)
def test_a_command_s_template_is_rendered_as_a_cluster_does(literal: lit.Literal, rendered: str) -> None:
    assert container_files.render_input(literal) == rendered


@pytest.mark.parametrize(
    "literal",
    [union(primitive(integer=1)), generic({}), mapping({}), lit.Literal(scalar=lit.Scalar(none_type=lit.Void()))],
)
def test_what_a_command_can_t_hold_is_refused(literal: lit.Literal) -> None:
    with pytest.raises(ValueError, match="can't hold"):
        container_files.render_input(literal)


@pytest.mark.parametrize("days", [20, 0, -1, 106_751])
def test_a_duration_survives_both_ways(days: int) -> None:
    nanos = days * 86_400 * 10**9
    assert go_text.read_duration(go_text.write_duration(nanos)) == nanos
