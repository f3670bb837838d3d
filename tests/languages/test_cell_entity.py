"""Container cells as entities: one raw container task or a workflow around one, mapped, drawn, run on the host."""

from __future__ import annotations

import datetime
import enum
import functools
import importlib
import os
import sys
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from flytekit import map_task, workflow
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.core.container_task import ContainerTask
from flytekit.tools.module_loader import load_object_from_module
from flytekit.tools.translator import get_serializable
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.bridge.entities.kind import short_name
from flytenb.errors import ContainerError, DefinitionError, FlytenbError
from flytenb.languages.tables import read_table
from flytenb.notebook.magics.container_line import container_source

on_host = flytenb.options(engine="host")


def shell(name: str, code: str, inputs: dict[str, Any], outputs: dict[str, Any], **settings: Any) -> Any:
    return flytenb.container(name, code, lang="sh", inputs=inputs, outputs=outputs, **settings)


@dataclass
class Size:
    width: int
    name: str


add = shell("add", "o0=$((a + b))", {"a": int, "b": (int, 2)}, {"o0": int})
hello = flytenb.container(
    "hello",
    "text = name + '!'\ngrown = {'width': size['width'] + 1, 'name': size['name']}",
    lang="python",
    inputs={"name": str, "size": Size},
    outputs={"text": str, "grown": Size},
)


def test_a_cell_whose_types_a_raw_container_carries_is_one_raw_container_task() -> None:
    assert isinstance(add, ContainerTask)
    assert short_name(add) == "add"
    assert add.task_type == "raw-container"
    assert add.get_container is not None
    assert on_host.run(add, a=3).result == 5
    assert on_host.run(add, a=3, b=-4).result == -1


def test_other_types_are_encoded_and_decoded_in_nodes_around_the_container() -> None:
    graph = flytenb.graph(hello)
    assert [node.name for node in graph.nodes.values() if node.name.startswith("hello")] == [
        "hello_inputs",
        "hello_program",
        "hello_outputs",
    ]
    result = on_host.run(hello, name="é\n", size=Size(1, "x")).result
    assert (result.text, result.grown) == ("é\n!", Size(2, "x"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.0])
def test_numbers_that_json_lacks_are_inputs(value: float) -> None:
    inputs, outputs = {"x": float, "xs": list[float]}, {"y": float, "ys": list[float]}
    same = flytenb.container("same", "y, ys = x, xs", lang="python", inputs=inputs, outputs=outputs)
    result = on_host.run(same, x=value, xs=[value]).result
    assert (repr(result.y), repr(result.ys)) == (repr(value), repr([value]))


class Colour(enum.Enum):
    RED = "red"


class Number(enum.Enum):
    ONE = 1


@dataclass
class Letters:
    f: float
    F: int  # a field with the name of a shape


def test_entities_are_named_and_their_lines_and_fields_are_read() -> None:
    code = "def half(v):\r\n    return v / 2\r\ny = {'f': half(x['f']), 'F': x['F']}\r\n"
    made = flytenb.container("crlf", code, lang="python", inputs={"x": Letters}, outputs={"y": Letters}, module="cells")
    assert made.name == "cells.crlf"
    assert on_host.run(made, x=Letters(3.0, 4)).result == Letters(1.5, 4)


def test_an_output_that_json_lacks_is_an_error_with_its_place() -> None:
    code = "import datetime\ny = {'a': [1, datetime.date(2030, 1, 31)]}"
    dated = flytenb.container("dated", code, lang="python", outputs={"y": dict})
    with pytest.raises(ContainerError, match=r"output 'y'.* date '2030-01-31', at \['a'\]\[1\]"):
        on_host.run(dated)


def test_it_is_drawn_with_its_language_and_image() -> None:
    assert "hello" in flytenb.draw(hello).text
    assert "Python · python:" in flytenb.draw(hello).text
    assert "container · Shell · busybox:" in flytenb.draw(add).text


@workflow
def both(a: int) -> tuple[int, str]:
    return add(a=add(a=a)), hello(name="x", size=Size(1, "y")).text


def test_a_cell_is_one_node_that_opens_mapped_or_not() -> None:
    def shown(names: list[str], sizes: list[Size]) -> tuple[str, list[Size]]:
        made = map_task(grow)(size=sizes)
        return hello(name="x", size=Size(1, "y")).text, made

    grow = flytenb.container("grow", "o0 = size", lang="python", inputs={"size": Size}, outputs={"o0": Size})
    drawn = flytenb.draw(workflow(shown))
    assert [name for name in ("hello_program", "grow_program") if name in drawn.svg] == []
    assert drawn.svg.count("Python") >= 2
    assert "closed: hello, grow" in drawn.svg or "closed: grow, hello" in drawn.svg
    assert "hello_program" in flytenb.draw(workflow(shown), depth=2).svg


def test_cells_are_nodes_of_a_workflow() -> None:
    assert tuple(on_host.run(both, a=1).result) == (5, "x!")


def test_cells_are_mapped_with_fixed_inputs_too() -> None:
    assert on_host.run(map_task(add), a=[1, 2], b=[3, 4]).result == [4, 6]
    tail = flytenb.container(
        "tail", "top = sorted(xs)[-k:]", lang="python", inputs={"xs": list[int], "k": int}, outputs={"top": list[int]}
    )
    assert on_host.run(map_task(functools.partial(tail, k=2)), xs=[[3, 1, 2], [5]]).result == [[2, 3], [5]]


FRAME = pd.DataFrame(
    {
        "n": pd.array([1, None, 3], dtype="Int64"),
        "x": [0.1, float("nan"), -0.0],
        "kind": pd.Categorical(["b", None, "a"], categories=["b", "a", "c"], ordered=True),
        "day": pd.to_datetime(["2030-01-31", None, "1969-12-31"]),
        "at": pd.to_datetime(["2030-06-01", None, "2031-01-01"]).tz_localize("Europe/Berlin"),
        "text": ["é\n", None, ""],
    }
)


def identity(language: str) -> Any:
    code = {"r": "g <- f", "node": "const g = f"}.get(language, "g = f")
    return flytenb.container("same", code, lang=language, inputs={"f": pd.DataFrame}, outputs={"g": pd.DataFrame})


def test_a_frame_keeps_its_types_and_missing_values() -> None:
    back = on_host.run(identity("r"), f=FRAME).result
    pd.testing.assert_frame_equal(back, FRAME, check_categorical=True, check_dtype=False)
    assert [str(back[name].dtype) for name in ("n", "kind")] == ["Int64", "category"]
    assert back["at"].dtype.tz is not None


def use_bare_python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cells run by a Python without packages."""
    bare = folder / "python3"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_without_pandas_a_frame_is_lists_which_have_no_categories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_bare_python(tmp_path, monkeypatch)
    plain = FRAME[["n", "x", "text"]]
    back = on_host.run(identity("python"), f=plain).result
    pd.testing.assert_frame_equal(back, plain, check_dtype=False)
    with pytest.raises(ContainerError, match="column 'kind': expected pandas in the image of the cell"):
        on_host.run(identity("python"), f=FRAME)


HARD_TO_TELL = pd.DataFrame(
    {
        "text": pd.Series([None, None], dtype="str"),
        "flag": pd.array([None, None], dtype="boolean"),
        "count": pd.array([None, None], dtype="Int64"),
        "whole": [1.0, None],
        "span": pd.to_timedelta([1000, None], unit="ms"),
        "day": pd.Series([datetime.date(2030, 1, 31), None], dtype=object),
        "at": pd.to_datetime([None, None]),
    }
)
"""Columns whose values alone don't show their type in every language."""


@pytest.mark.parametrize("language", ["python", "r", "node"])
def test_columns_given_back_keep_their_type_without_values_to_show_it(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_bare_python(tmp_path, monkeypatch)
    both = {"f": pd.DataFrame, "e": pd.DataFrame}, {"g": pd.DataFrame, "h": pd.DataFrame}
    code = {"r": "g <- f; h <- e", "node": "const g = f, h = e"}.get(language, "g, h = f, e")
    same = flytenb.container("same", code, lang=language, inputs=both[0], outputs=both[1])
    result = on_host.run(same, f=HARD_TO_TELL, e=HARD_TO_TELL[:0]).result
    for back, sent in ((result.g, HARD_TO_TELL), (result.h, HARD_TO_TELL[:0])):
        # pandas itself has dates in columns of objects only.
        kinds = [
            {name: column.kind for name, column in read_table(f.drop(columns="day")).items()} for f in (back, sent)
        ]
        assert kinds[0] == kinds[1]
    pd.testing.assert_series_equal(result.g["day"], HARD_TO_TELL["day"])


def test_rows_without_columns_are_refused() -> None:
    code = "g <- data.frame(row.names = 1:3)"
    with pytest.raises(ContainerError, match=r"output 'g': expected columns, got a data\.frame"):
        on_host.run(flytenb.container("bare", code, lang="r", outputs={"g": pd.DataFrame}))
    with pytest.raises(ValueError, match="expected columns, got a frame with 3 rows and none"):
        read_table(pd.DataFrame(index=range(3)))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (["kind"], "input 'f' can't be given to Node: column 'kind' has categories: convert it with astype"),
        (["at"], "column 'at' has a time zone: convert it with"),
    ],
)
def test_what_a_language_would_lose_of_a_frame_is_an_error(columns: list[str], says: str) -> None:
    with pytest.raises(ContainerError, match=says):
        on_host.run(identity("node"), f=FRAME[columns])


def test_workflows_that_map_the_same_cell_are_compiled_again_and_keep_their_constants() -> None:
    @workflow
    def some(a: list[int]) -> tuple[list[int], list[int], list[int]]:
        one = map_task(functools.partial(add, b=1))(a=a)
        return one, map_task(functools.partial(add, b=2))(a=one), map_task(functools.partial(add, b=1))(a=a)

    other = workflow(some.function)
    for each in (some, other, some):
        assert tuple(on_host.run(each, a=[1, 2]).result) == ([2, 3], [4, 5], [2, 3])


def test_a_mapped_cell_can_t_have_the_output_of_a_node_for_all_elements() -> None:
    def given(a: list[int]) -> list[int]:
        return map_task(functools.partial(add, b=add(a=1)))(a=a)

    with pytest.raises(DefinitionError, match="input 'b' of a mapped container must be fixed with a constant"):
        flytenb.graph(workflow(given))


def test_a_failing_cell_names_its_own_line() -> None:
    failing = flytenb.container("failing", "x = 1\ny = x / 0", lang="python", outputs={"y": float})
    with pytest.raises(ContainerError, match=r"'failing' failed: ZeroDivisionError: .*\n?line 2: y = x / 0"):
        on_host.run(failing)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("lang", {"lang": "pyton"}, "did you mean 'python'"),
    ("lang", {"lang": 3}, "'wrong': expected a language as text, got 3"),
    ("code", {"code": b"y = 1"}, "'wrong': expected its code as text, got b'y = 1'"),
    ("code", {"code": "x" * 140_000}, "program of at most"),
    *(
        ("name", {"name": name}, f"expected a name of Python .*, got {name!r}")
        for name in ("class", "a-b", "", "a.b", 3)
    ),
    *(
        ("cpu", {"cpu": cpu}, f"cpu of container cell 'wrong': expected a positive quantity .*, got {cpu!r}\n.*'500m'")
        for cpu in ("fast", "-1", "0", "1 ", "1gi", "1e999999999", True)
    ),
    ("memory", {"memory": "1GB"}, "memory of container cell 'wrong': .*, got '1GB'\n.*'512Mi'"),
    ("memory", {"memory": "512"}, "memory of container cell 'wrong': expected at least 6Mi, got '512'"),
    *(
        (
            "timeout",
            {"timeout": given},
            f"timeout of container cell 'wrong': expected seconds from 0 on .*, got {given}",
        )
        for given in (-1, float("nan"), float("inf"), True, datetime.timedelta(-1))
    ),
    ("timeout", {"timeout": "1h"}, "timeout .*, got '1h'\n.*minutes=5"),
    *(("retries", {"retries": given}, f"retries .*, got {given!r}") for given in (-1, "2", 1.5, True)),
    *(
        ("image", {"image": image}, f"image of container cell 'wrong': .*, got {image!r}\n.*'python:3.12'")
        for image in ("Python:3", "a b", "-v", "a@sha256:12", 3, None)
    ),
    ("environment", {"environment": ["A=1"]}, r"environment of container cell 'wrong': .*, got \['A=1'\]"),
    ("environment", {"environment": {"A": 1}}, "expected a dictionary of text, got {'A': 1}"),
    ("environment", {"environment": {"A=B": "1"}}, "can't be called 'A=B'"),
    ("environment", {"environment": {"FLYTENB_INPUTS": "/"}}, "FLYTENB_INPUTS, which the cell itself uses"),
    ("cache_version", {"cache_version": 1}, "cache_version of container cell 'wrong': expected a text, got 1"),
    ("inputs", {"inputs": ["x"]}, r"'wrong': expected inputs as a dictionary, got \['x'\]"),
    ("inputs", {"inputs": {"x": (int, 1, 2)}}, "input 'x' of 'wrong': expected a type, or a type and a default"),
    *(
        ("inputs", {"inputs": {name: kind}}, f"input {name!r} of 'wrong': Flyte can't use this name")
        for name in ("class", "_x", "self", "ctx", "a.b", 3)
        for kind in (int, dict[str, int])
    ),
    ("inputs", {"inputs": {"é": int}}, "input 'é' of 'wrong', in Python: .* expected ASCII letters"),
    ("inputs", {"inputs": {"f": object}}, "input 'f' of 'wrong': object has no form"),
    ("inputs", {"inputs": {"x": None}}, "input 'x' of 'wrong': Flyte passes no None"),
    ("inputs", {"inputs": {"xs": list[None]}}, r"input 'xs' of 'wrong': Flyte has no list\[None\]"),
    ("inputs", {"inputs": {"xs": dict[str, FlyteFile]}}, "input 'xs' of 'wrong' holds several files"),
    ("inputs", {"inputs": {"n": Number}}, "input 'n' of 'wrong': expected an enum of text"),
    ("outputs", {"outputs": ["y"]}, r"outputs of container cell 'wrong': expected types by name, got \['y'\]"),
    ("outputs", {"outputs": {"_ERROR": int}}, "output '_ERROR' of 'wrong': Flyte can't use this name"),
    ("outputs", {"outputs": {"y": bytes}}, "output 'y' of 'wrong': bytes has no form"),
    ("outputs", {"outputs": {"files": list[FlyteFile]}}, "output 'files' of 'wrong' holds several files"),
    *(
        (
            "inputs",
            {"inputs": {"x": (kind, default)}},
            f"default of input 'x' of 'wrong': expected (?s:.*), got (?s:.*){says}",
        )
        for kind, default, says in (
            (int, "a", "its type is str"),
            (int, 1.5, "its type is float"),
            (int, True, "its type is bool"),
            (float, 1, "its type is int"),
            (int, None, "its type is NoneType"),
            (int, 2**64, "at most 64 bits"),
            (list[int], ["a"], "'a' of type <class 'str'>"),
            (dict[str, int], {"a": "b"}, "'b' of type <class 'str'>"),
            (Size, Size("a", "b"), "hint: .*width"),  # type: ignore[arg-type]
            (Literal["a", "b"], "c", "its type is str"),
            (Colour, "blue", "its type is str"),
        )
    ),
    *(
        ("inputs", {"lang": lang, "inputs": {name: int}}, f"input {name!r} of 'wrong', in .*is reserved in")
        for lang, names in (
            ("r", ["TRUE", "repeat", "NA_integer_"]),
            ("node", ["let", "static", "require"]),
            ("julia", ["end", "const", "Main"]),
            ("sh", ["PATH", "PIPESTATUS", "flytenb_x"]),
        )
        for name in names
    ),
]
"""What can't be defined: which argument is wrong, the arguments, and what the message says."""


@pytest.mark.parametrize(("settings", "says"), [pytest.param(s, says, id=f"{w} {says[:40]}") for w, s, says in REFUSED])
def test_what_a_cell_can_t_have_is_refused_when_it_is_defined(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(FlytenbError, match=says):
        flytenb.container(**{"name": "wrong", "code": "y = 1", "lang": "python", **settings})


def test_what_flyte_writes_is_taken() -> None:
    made = flytenb.container(
        "kept", "y = 1", lang="python", outputs={"y": int}, timeout=1.5, cpu="1e-1", memory="1Gi",
        inputs={"c": (Colour, Colour.RED), "n": (int | None, None), "s": (Size, Size(1, "x"))}, image="a.b:1/c/d:e",
    )  # fmt: skip
    assert made.script.metadata.timeout == datetime.timedelta(seconds=1.5)
    assert on_host.run(made).result == 1


def test_a_value_of_no_member_of_a_union_is_no_output() -> None:
    union = flytenb.container("union", "y, z = [1], 1", lang="python", outputs={"z": float | str, "y": int | str})
    with pytest.raises(ContainerError, match=r"output 'y' can't be read: expected int \| str, got list"):
        on_host.run(union)


def test_a_choice_that_wasn_t_declared_is_no_output() -> None:
    either = flytenb.container("either", "y = 'c'", lang="python", outputs={"y": Literal["a", "b"]})
    with pytest.raises(ContainerError, match=r"output 'y' can't be read: expected Literal.*, got 'c'"):
        on_host.run(either)


@pytest.mark.parametrize(("other", "files"), [(int, []), (dict[str, int], ["xs", "deep", "other"])])
def test_lists_are_one_file_where_another_input_is_encoded(other: Any, files: list[str]) -> None:
    inputs = {"xs": list[float], "deep": list[list[str]], "paths": list[FlyteFile], "other": other}
    sums = flytenb.container("sums", "o = sum(xs)", lang="python", inputs=inputs, outputs={"o": float})
    taken = getattr(sums, "script", sums).python_interface.inputs
    assert [name for name, kind in taken.items() if kind is FlyteFile] == files
    assert taken["paths"] == list[FlyteFile]


@pytest.mark.parametrize("kind", [list[pd.DataFrame], dict[str, list[pd.DataFrame]], pd.DataFrame | None])
def test_frames_within_other_values_keep_their_types_too(kind: Any) -> None:
    same = flytenb.container("same", "const g = f", lang="node", inputs={"f": kind}, outputs={"g": kind})
    given = {list[pd.DataFrame]: [FRAME], dict[str, list[pd.DataFrame]]: {"a": [FRAME]}}.get(kind, FRAME)
    with pytest.raises(ContainerError, match="column 'kind' has categories"):
        on_host.run(same, f=given)


def test_a_pod_finds_the_tasks_around_a_cell_by_its_module_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cells_of_a_pod.py").write_text(
        "import flytenb\n"
        "doubled = flytenb.container('doubled', 'ys = [2 * x for x in xs]', lang='python',\n"
        "    inputs={'xs': dict[str, int]}, outputs={'ys': list[int]})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("cells_of_a_pod")
    settings = SerializationSettings(ImageConfig.auto(img_name="x:1"), "p", "d", "v")
    models: OrderedDict[Any, Any] = OrderedDict()
    get_serializable(models, settings, module.doubled)
    assert sum("Task" in type(model).__name__ for model in models.values()) == 3
    commands = [task.get_container(settings).args for task in module.doubled.codecs]
    for task, command in zip(module.doubled.codecs, commands, strict=True):
        location, arguments = command[command.index("--resolver") + 1], command[command.index("--") + 1 :]
        assert load_object_from_module(location).load_task(arguments) is task


def test_a_line_may_be_written_as_a_function() -> None:
    assert container_source("--lang sh def f(x: int) -> int:", "") == container_source("--lang sh f(x: int) -> int", "")


def test_the_line_of_a_cell_is_the_same_call_of_the_function() -> None:
    line = (
        "--lang sh --image a:1 --retries 2 --environment A=1,B=2 f(x: int, *, y: list[str] = ['a']) -> kwtypes(z=float)"
    )
    name, source = container_source(line, 'echo "\\n" \'\'\'"""\nz=1\n')
    assert name == "f"
    namespace: dict[str, Any] = {"__name__": "somewhere"}
    with pytest.raises(DefinitionError, match="'y'"):  # the shell has no lists as text
        exec(source.replace("list[str]", "dict[str, str]").replace("['a']", "{}"), namespace)
    exec(source, namespace)
    assert namespace["f"].name == "somewhere.f"
    assert namespace["f"].code == 'echo "\\n" \'\'\'"""\nz=1\n'
    assert namespace["f"].environment == {"A": "1", "B": "2"}
    assert namespace["f"].python_interface.inputs_with_defaults == {"x": (int, None), "y": (list[str], ["a"])}
