"""Specs that are made from those of an earlier module are what `pyflyte register` makes from the edited module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flytenb.bridge.cluster.known_specs import SpecSource, known_specs
from flytenb.bridge.cluster.module_outline import is_plain
from flytenb.bridge.cluster.module_specs import make_specs
from flytenb.bridge.cluster.spec_process import SpecProcess
from flytenb.bridge.cluster.specs import EntitySpec, SpecRequest
from flytenb.errors import RegistrationError
from flytenb.reach.syntax_trees import compilable_tree
from tests.ship.pyflyte_specs import SpecMaker, comparable, spec_maker
from tests.ship.run_flows import FLOWS

VERSIONS = ("0123456789abcdef0123", "fedcba9876543210fedc")
ARCHIVES = ("s3://bucket/one/fast1.tar.gz", "s3://bucket/two/fast2.tar.gz")
MODULE = '''
"""A module."""

import math
from dataclasses import dataclass
from datetime import timedelta

from flytekit import Resources, conditional, map_task, task, workflow

LIMIT = 3


@dataclass
class Point:
    x: int = 0


def helper(x: int) -> int:
    return x


@task(retries=2, timeout=timedelta(minutes=1), requests=Resources(cpu="1"))
def step(x: int, by: int = LIMIT) -> int:
    """Add."""
    return helper(x) + by


@task
def double(x: int) -> int:
    return 2 * x


@task
def make(x: int) -> Point:
    return Point(x)


@workflow
def wf(x: int = LIMIT, xs: list[int] = [1]) -> Point:
    first = step(x=x)
    many = map_task(double)(x=xs)
    second = step(x=first, by=LIMIT).with_overrides(retries=3)
    many >> second
    return make(x=second)
'''
SAME = {
    "body": ("return helper(x) + by", "y = helper(x)\n    return y - by"),
    "import in a body": ("return helper(x) + by", "import nothing_of_that_name\n    return x"),
    "helper": ("    return x\n", "    print(x)\n    return x * 2\n"),
    "comment in a body": ("return Point(x)", "# a point\n    return Point(x)"),
}
"""Edits after which specs are known."""
OTHER = {
    "docstring": ('"""Add."""', '"""Subtract."""'),
    "default": ("by: int = LIMIT", "by: int = 7"),
    "constant": ("LIMIT = 3", "LIMIT = 4"),
    "type": ("x: int = 0", "x: float = 0"),
    "setting": ("retries=2", "retries=4"),
    "another task": (
        "    return make(x=second)\n",
        "    return make(x=second)\n\n\n@task\ndef more() -> None: ...\n",
    ),
    "workflow": ("return make(x=second)", "return make(x=first)"),
    "docstring beside the body": ('"""Add."""\n    return', '"""Subtract."""; return'),
    "lines that aren't a body": ("    return Point(x)\n", "    return Point(x)\n\n\nstep.metadata.retries\n"),
}
"""Edits of what specs depend on."""
ANY = {
    "a call": ("LIMIT = 3", "LIMIT = int(math.sqrt(9))"),
    "a task that is called by the import": ("@workflow", "HELD = step(x=1)\n\n\n@workflow"),
    "code that reads code": ("@workflow", "import inspect\n\nHELD = inspect.getsource(helper)\n\n\n@workflow"),
    "a cache that may read the code": ("@task\n", 'from flytekit import Cache\n\n\n@task(cache=Cache(version="1"))\n'),
    "a decorator": ("@task\n", "import functools\n\n\n@task\n@functools.wraps(helper)\n"),
    "a helper in a workflow": ("step(x=first, by=LIMIT)", "step(x=first, by=helper(LIMIT))"),
    "a library in a workflow": ("step(x=first, by=LIMIT)", "step(x=first, by=math.floor(2.5))"),
    "the function of a task in a workflow": ("step(x=first, by=LIMIT)", "step(x=first, by=step.task_function(1))"),
    "an alias of a function": ("@workflow", "f = math.floor\n\n\n@workflow", "by=LIMIT)", "by=f(2.5))"),
    "a variable": ("LIMIT = 3", "import os\n\nLIMIT = len([os.environ])"),
    "a name that is bound twice": ("LIMIT = 3", "LIMIT = 3\nLIMIT = 5"),
    "a statement": ("LIMIT = 3", "LIMIT = 3\nfor LIMIT in [4]:\n    pass"),
    "a dynamic": ("@task\ndef make", "from flytekit import dynamic\n\n\n@dynamic\ndef make"),
    "a class with code": ("    x: int = 0", "    x: int = 0\n\n    def __init_subclass__(cls) -> None: ..."),
    "a method that a base class from a package may call": (
        "@dataclass\nclass Point:\n    x: int = 0",
        "from flytekit.types.file import FlyteFile\n\n\n@dataclass\nclass Point:\n    x: int = 0\n\n\n"
        "class Kept(FlyteFile):\n    def extension() -> str:\n        return str(helper(1))",
        "x: int = LIMIT, xs",
        "x: int = LIMIT, kept: Kept = None, xs",
    ),
    "a method that a decorator from a package may call": (
        "@dataclass\nclass Point",
        "from typing_extensions import final\n\n\n@dataclass\n@final\nclass Point",
        "    x: int = 0\n",
        "    x: int = 0\n\n    def ready(self) -> int:\n        return helper(1)\n",
    ),
    "a text that is an annotation": ("x: int = 0", 'x: "type(LIMIT)" = 0'),
}
"""Forms whose specs may depend on anything."""
PLAIN = sorted(file.stem for file in FLOWS.glob("*.py") if is_plain(ast.parse(file.read_text())))


@pytest.fixture(scope="module")
def maker() -> Iterator[SpecMaker]:
    with spec_maker() as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_specs, "_kept", {})


class Module:
    """A module that is edited and whose specs are made; `made` counts the specs that a process made."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self.made = 0
        make = SpecProcess.make

        def count(process: SpecProcess, *args: Any) -> Any:
            self.made += 1
            return make(process, *args)

        monkeypatch.setattr(SpecProcess, "make", count)

    def specs(self, text: str, at: int = 0, **settings: Any) -> dict[tuple[str, str], str]:
        """Return the specs in the version of a number."""
        (self._folder / "known_module.py").write_text(text)
        request = self._request(at, **settings)
        files = {file.name: file.read_bytes() for file in self._folder.glob("*.py")}
        return by_name(make_specs(files, request, SpecSource.of(files, request, compilable_tree)))

    def expected(self, maker: SpecMaker, at: int = 1) -> dict[tuple[str, str], str]:
        """Return what pyflyte makes."""
        return by_name(maker.make(self._folder, self._request(at)))

    def _request(self, at: int, name: str = "wf", **settings: Any) -> SpecRequest:
        request = SpecRequest("known_module", name, "flytesnacks", "development", VERSIONS[at], ARCHIVES[at])
        return replace(request, **settings)


def by_name(specs: tuple[EntitySpec, ...]) -> dict[tuple[str, str], str]:
    return {(spec.kind, spec.name): comparable(spec) for spec in specs}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    return Module(tmp_path, monkeypatch)


@pytest.mark.parametrize("edit", SAME)
def test_specs_are_known_after_an_edit_of_what_runs_in_pods_only(edit: str, module: Module, maker: SpecMaker) -> None:
    module.specs(MODULE)
    assert module.specs(edited(MODULE, *SAME[edit]), 1) == module.expected(maker)
    assert module.made == 1


@pytest.mark.parametrize("edit", OTHER)
def test_specs_are_made_again_after_any_other_edit(edit: str, module: Module, maker: SpecMaker) -> None:
    module.specs(MODULE)
    assert module.specs(edited(MODULE, *OTHER[edit]), 1) == module.expected(maker)
    assert module.made == 2


@pytest.mark.parametrize("form", ANY)
def test_specs_are_made_each_time_if_they_may_depend_on_anything(form: str, module: Module, maker: SpecMaker) -> None:
    text = edited(MODULE, *ANY[form])
    module.specs(text)
    assert module.specs(text, 1) == module.expected(maker)
    assert module.made == 2


@pytest.mark.parametrize(
    "settings", [{"image": "other:1"}, {"project": "shop"}, {"name": "step"}, {"builds_images": False}], ids=str
)
def test_other_settings_give_other_specs(settings: dict[str, Any], module: Module) -> None:
    before = module.specs(MODULE)
    module.specs(MODULE, **settings)
    assert module.made == 2
    assert module.specs(MODULE) == before
    assert module.made == 2


def test_variables_and_other_files_are_part_of_what_is_known(
    module: Module, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module.specs(MODULE)
    monkeypatch.setenv("KNOWN_SPECS", "1")
    module.specs(MODULE)
    assert module.made == 2
    (tmp_path / "own.py").write_text("X = 1")
    module.specs(MODULE)
    assert module.made == 3


@pytest.mark.parametrize("text", [VERSIONS[0], ARCHIVES[0]], ids=["version", "archive"])
def test_a_version_in_the_module_is_left_as_it_is(text: str, module: Module, maker: SpecMaker) -> None:
    text = edited(MODULE, '"""Add."""', f'"""Add what {text} does."""')
    module.specs(text)
    assert module.specs(text, 1) == module.expected(maker)
    assert module.made == 2


def test_a_module_that_cannot_be_imported_is_refused_as_before(module: Module) -> None:
    module.specs(MODULE)
    with pytest.raises(RegistrationError, match="SyntaxError"):
        module.specs(edited(MODULE, "return helper(x) + by", "break"))


@pytest.mark.parametrize("name", PLAIN)
def test_each_flow_is_registered_again_as_pyflyte_does(name: str, module: Module, maker: SpecMaker) -> None:
    text = (FLOWS / f"{name}.py").read_text()
    tree = ast.parse(text)
    entity = next(s for s in reversed(tree.body) if isinstance(s, ast.FunctionDef) and s.decorator_list)
    first = module.specs(text, name=entity.name)
    lines = text.split("\n")
    for function in reversed([s for s in tree.body if isinstance(s, ast.FunctionDef)]):
        body = function.body[-1]
        if "task" in map(ast.unparse, function.decorator_list) and body.lineno > function.lineno:
            lines.insert(body.lineno - 1, " " * body.col_offset + "print('edited')")
    assert module.specs("\n".join(lines), 1, name=entity.name).keys() == first.keys()
    assert module.made == 1
    expected = module.expected(maker)
    assert module.specs("\n".join(lines), 1, name=entity.name) == {key: expected[key] for key in first}


def edited(text: str, *texts: str) -> str:
    """Return a text with each odd one of some others replaced by the one after it."""
    for old, new in zip(texts[::2], texts[1::2], strict=True):
        assert old in text
        text = text.replace(old, new, 1)
    return text
