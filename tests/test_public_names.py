"""The public names: importable, typed, with signatures that a reader can use, and nothing internal on their objects."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flytekit import task

import flytenb
from flytenb import parts

ROOT = Path(__file__).parent.parent
NAMES = sorted(n for n in flytenb.__all__ if n != "parts")


RUN = """
    also_failed approve cancel compare duration entity error events explore forget graph id inputs is_kept listen name
    nodes on_finish outputs phase questions result set_input settings started timeline wait waiting
"""
NODE = """
    attempts cache_reason cache_status decks duration entity error inputs links log note outputs path phase place
    resumed started waited_for
"""


def is_protocol(value: Any) -> bool:
    return bool(getattr(value, "_is_protocol", False))


def callables() -> Iterator[tuple[str, Any]]:
    """Every public function, class and public method of a public class."""
    for owner, names in ((flytenb, NAMES), (parts, parts.__all__)):
        for name in names:
            value = getattr(owner, name)
            yield f"{owner.__name__}.{name}", value
            if inspect.isclass(value):
                for member in vars(value):
                    found = inspect.getattr_static(value, member)
                    if not member.startswith("_") and isinstance(found, classmethod | staticmethod | type(lambda: 0)):
                        yield f"{owner.__name__}.{name}.{member}", getattr(value, member)


CALLABLES = dict(callables())


def test_the_lists_agree() -> None:
    assert list(flytenb.__all__) == sorted(flytenb.__all__)
    assert list(parts.__all__) == sorted(parts.__all__)
    for name in flytenb.__all__:
        assert name in dir(flytenb)


@pytest.mark.parametrize("name", CALLABLES)
def test_a_public_signature_can_be_read(name: str) -> None:
    if inspect.isclass(CALLABLES[name]) and (is_protocol(CALLABLES[name]) or issubclass(CALLABLES[name], Exception)):
        return  # neither is called by a reader
    signature = inspect.signature(CALLABLES[name])
    assert "object object" not in str(signature)
    assert "<factory>" not in str(signature) or inspect.isclass(CALLABLES[name])
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            assert parameter.name in ("inputs", "selection")  # the names are the entity's own
        if not (inspect.isclass(CALLABLES[name]) or parameter.name == "self"):
            assert parameter.annotation is not inspect.Parameter.empty


@pytest.mark.parametrize("name", CALLABLES)
def test_what_is_public_has_a_docstring(name: str) -> None:
    assert (inspect.getdoc(CALLABLES[name]) or "").strip()


@task
def one(x: int) -> int:
    return x


def test_a_run_and_its_nodes_have_only_what_is_documented() -> None:
    run = flytenb.run(one, x=1)
    node = run.nodes["n0"]
    assert {name for name in dir(run) if not name.startswith("_")} == set(RUN.split())
    assert {name for name in dir(node) if not name.startswith("_")} == set(NODE.split())


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="module 'flytenb' has no attribute 'nothing'"):
        _ = flytenb.nothing


@pytest.mark.parametrize(
    ("name", "absent"), [(n, "flytekit") for n in ("Graph", "Node", "Edge", "RunEvent", "Settings")]
)
def test_light_names_load_no_flytekit(name: str, absent: str) -> None:
    code = f"import sys, flytenb; flytenb.{name}; print({absent!r} in sys.modules, 'IPython' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout == "False False\n"


def test_the_parts_load_neither_widgets_nor_ipython() -> None:
    code = "import sys, flytenb.parts; print(sorted({'IPython', 'ipywidgets', 'anywidget'} & set(sys.modules)))"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout == "[]\n"


@pytest.mark.slow
def test_a_users_module_is_typed() -> None:
    """mypy, strict, over a module that uses what is public; an unused `type: ignore` is an error too."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml")]
    made = subprocess.run(
        [*command, "-m", "tests.typing.user_module"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout


def test_the_reference_is_up_to_date() -> None:
    """Run `python docs/make_reference.py` after a change to a public docstring or signature."""
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == written
    assert module.verbs_page() == (ROOT / "docs" / "verbs.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### `flytenb\.(.*)`$", written, re.MULTILINE)
    assert sorted(headings) == sorted([*NAMES, *(f"parts.{name}" for name in parts.__all__)])
