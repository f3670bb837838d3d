"""A module that is parsed block by block has the tree that Python gives it, and the errors."""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from flytenb.reach.syntax_trees import compilable_tree, parse, parse_again

LIBRARY = sorted(Path(sysconfig.get_path("stdlib")).glob("[a-m]*.py"))
BLOCKS = [
    "def f():\n    return 1",
    "text = '''a",
    "b'''",
    "@decorated",
    "else:\n    pass",
    "if x:\n    pass",
    "    y = 1",
    "# a comment",
    "",
    "\n",
    "values = [1,",
    "2]",
    ")",
    "total = 1 + \\",
    "x = '\\d'",
    "return 1",
    "def g():\n    break",
    "async def h():\n    await x\n\n\n    return 1",
    "from __future__ import annotations",
    "\fclass A: ...",
    "def m(x):\r\n    return x",
]


def outcome(read: Callable[[str], ast.Module], source: str) -> str:
    try:
        return ast.dump(read(source), include_attributes=True)
    except SyntaxError as error:
        return f"{error.msg} {error.lineno}"


def test_pythons_own_modules_have_the_trees_that_python_gives_them() -> None:
    assert len(LIBRARY) > 50
    for file in LIBRARY:
        source = file.read_text("utf-8", "replace")
        assert outcome(parse_again, source) == outcome(parse, source), file


@pytest.mark.parametrize("seed", range(20))
def test_blocks_in_any_order_are_read_as_python_reads_them(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(200):
        source = "".join(draw.choice(BLOCKS) + draw.choice(["\n", "\n\n", "\n\n\n", "\n\n\n\n"]) for _ in range(4))
        assert outcome(parse_again, source) == outcome(parse, source), source


def test_only_blocks_that_differ_or_have_moved_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    monkeypatch.setattr(ast, "parse", lambda source: parsed.append(source) or compile(source, "", "exec", 0x400))
    blocks = [f"def f{number}():\n    return {number}, 'only here'" for number in range(4)]
    parse_again("\n\n\n".join(blocks))
    assert parsed == blocks
    blocks[1] += "\n"
    parse_again("\n\n\n".join([blocks[0], blocks[1].replace("1,", "7,"), *blocks[2:]]))
    assert len(parsed) == 4 + 3


@pytest.mark.parametrize("source", ["def f():\n    break", "x = 1\n\n\ndef f(a, a):\n    pass", "return 1"])
def test_a_module_that_cannot_be_compiled_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(SyntaxError) as expected:
        compile(source, "", "exec")
    with pytest.raises(SyntaxError) as raised:
        compilable_tree(source)
    assert (raised.value.msg, raised.value.lineno) == (expected.value.msg, expected.value.lineno)
