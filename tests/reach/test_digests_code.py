"""Code is what it does and what it reaches: helpers, classes, constants; not where it stands nor what is said of it."""

from __future__ import annotations

import linecache
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flytekit import task
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.extend import TypeTransformer
from flytekit.extras.tasks.shell import ShellTask
from flytekit.models.types import LiteralType, SimpleType

from flytenb.bridge import private
from flytenb.reach.code_digest import CodeDigest, UnreadableCodeError, digest_of_code

PREFIX = "from dataclasses import dataclass, field\nimport enum, functools, re\nfrom datetime import timedelta\n"


def digest(source: str, monkeypatch: pytest.MonkeyPatch, filename: str = "<cell>") -> bytes:
    """The digest of the task `f` that a notebook with these cells would make."""
    module = ModuleType("notebook_of_a_test")
    module.__file__ = filename
    monkeypatch.setitem(sys.modules, module.__name__, module)
    text = PREFIX + textwrap.dedent(source)
    monkeypatch.setitem(linecache.cache, filename, (len(text), None, text.splitlines(keepends=True), filename))
    exec(compile(text, filename, "exec", dont_inherit=True), vars(module))
    function = vars(module)["f"]
    made = task(function) if "__annotations__" in dir(function) else function
    return digest_of_code(made)


SAME: list[tuple[str, str, str]] = [
    (
        "comments",
        "def f(x: int) -> int:\n    return x + 1",
        "def f(x: int) -> int:\n    # more\n    return x + 1  # one",
    ),
    ("lines", "def f(x: int) -> int:\n    return x + 1", "\n\n\ndef f(x: int) -> int:\n\n\n    return x + 1"),
    ("spaces", "def f(x: int) -> int:\n    return x + 1", "def f(x: int) -> int:\n    return (x   +1)"),
    ("what isn't reached", "def f(x: int) -> int:\n    return x", "y = 3\ndef f(x: int) -> int:\n    return x"),
    (
        "an attribute that a global is named like",
        "real = 1\ndef f(x: int) -> int:\n    return x.real",
        "real = 2\ndef f(x: int) -> int:\n    return x.real",
    ),
    (
        "where a helper stands",
        "def h(x): return x + 1\ndef f(x: int) -> int:\n    return h(x)",
        "\n# helper\ndef f(x: int) -> int:\n    return h(x)\ndef h(x): return x + 1",
    ),
    (
        "the order of a set",
        "names = {'a', 'b', 'c'}\ndef f(x: str) -> bool:\n    return x in names",
        "names = {'c', 'a', 'b'}\ndef f(x: str) -> bool:\n    return x in names",
    ),
    (
        "what it notes itself",
        "seen = []\ndef f(x: int) -> int:\n    seen.append(x)\n    return x",
        "seen = [1]\ndef f(x: int) -> int:\n    seen.append(x)\n    return x",
    ),
    *(
        (
            f"what it notes itself by {note}",
            f"seen = [0]\ndef f(x: int) -> int:\n    {note}\n    return x",
            f"seen = [1]\ndef f(x: int) -> int:\n    {note}\n    return x",
        )
        for note in ("seen[0] += x", "seen[0] = x", "seen[x] = x", "del seen[0]", "global seen; seen = x")
    ),
    (
        "comments in a class",
        "@dataclass\nclass P:\n    x: int\ndef f(p: P) -> int:\n    return p.x",
        "@dataclass\nclass P:\n    x: int  # metres\ndef f(p: P) -> int:\n    return p.x",
    ),
]

OTHER: list[tuple[str, str, str]] = [
    ("a docstring", "def f(x: int) -> int:\n    return x", 'def f(x: int) -> int:\n    """Give back."""\n    return x'),
    ("a constant in it", "def f(x: int) -> int:\n    return x + 1", "def f(x: int) -> int:\n    return x + 2"),
    ("an operator", "def f(x: int) -> int:\n    return x + 1", "def f(x: int) -> int:\n    return x - 1"),
    ("1 and True", "def f(x: int) -> int:\n    return 1", "def f(x: int) -> int:\n    return True"),
    ("0.0 and -0.0", "def f(x: int) -> float:\n    return 0.0", "def f(x: int) -> float:\n    return -0.0"),
    (
        "what an error is caught for",
        "def f(x: int) -> int:\n    try:\n        return 1\n    except KeyError:\n        return 2",
        "def f(x: int) -> int:\n    try:\n        return 1\n    except ValueError:\n        return 2",
    ),
    ("a default", "def f(x: int = 1) -> int:\n    return x", "def f(x: int = 2) -> int:\n    return x"),
    (
        "a helper's body",
        "def h(x): return x + 1\ndef f(x: int) -> int:\n    return h(x)",
        "def h(x): return x + 2\ndef f(x: int) -> int:\n    return h(x)",
    ),
    (
        "a helper's helper",
        "def g(): return 1\ndef h(x): return x + g()\ndef f(x: int) -> int:\n    return h(x)",
        "def g(): return 2\ndef h(x): return x + g()\ndef f(x: int) -> int:\n    return h(x)",
    ),
    (
        "a helper's keyword default",
        "def h(*, by=1): return by\ndef f(x: int) -> int:\n    return h()",
        "def h(*, by=2): return by\ndef f(x: int) -> int:\n    return h()",
    ),
    (
        "a helper that only an inner function uses",
        "def h(): return 1\ndef f(x: int) -> int:\n    def inner(): return h()\n    return inner()",
        "def h(): return 2\ndef f(x: int) -> int:\n    def inner(): return h()\n    return inner()",
    ),
    ("a global", "n = 1\ndef f(x: int) -> int:\n    return x + n", "n = 2\ndef f(x: int) -> int:\n    return x + n"),
    (
        "a global list",
        "ns = [1]\ndef f(x: int) -> int:\n    return ns[0]",
        "ns = [2]\ndef f(x: int) -> int:\n    return ns[0]",
    ),
    (
        "a list whose items it only reads",
        "ns = [1]\ndef f(x: int) -> int:\n    own = [0]\n    own[0] = ns[0]\n    return own[0]",
        "ns = [2]\ndef f(x: int) -> int:\n    own = [0]\n    own[0] = ns[0]\n    return own[0]",
    ),
    (
        "a pattern",
        "word = re.compile('a')\ndef f(x: str) -> bool:\n    return bool(word.match(x))",
        "word = re.compile('b')\ndef f(x: str) -> bool:\n    return bool(word.match(x))",
    ),
    (
        "a duration",
        "long = timedelta(1)\ndef f(x: int) -> bool:\n    return long.days > x",
        "long = timedelta(2)\ndef f(x: int) -> bool:\n    return long.days > x",
    ),
    (
        "a lambda",
        "h = lambda x: x + 1\ndef f(x: int) -> int:\n    return h(x)",
        "h = lambda x: x + 2\ndef f(x: int) -> int:\n    return h(x)",
    ),
    (
        "a partial",
        "h = functools.partial(pow, 2)\ndef f(x: int) -> int:\n    return h(x)",
        "h = functools.partial(pow, 3)\ndef f(x: int) -> int:\n    return h(x)",
    ),
    (
        "what is kept by lru_cache",
        "@functools.lru_cache\ndef h(x): return x + 1\ndef f(x: int) -> int:\n    return h(x)",
        "@functools.lru_cache\ndef h(x): return x + 2\ndef f(x: int) -> int:\n    return h(x)",
    ),
    (
        "what a closure holds",
        "def make(n):\n    def h(x): return x + n\n    return h\nh = make(1)\ndef f(x: int) -> int:\n    return h(x)",
        "def make(n):\n    def h(x): return x + n\n    return h\nh = make(2)\ndef f(x: int) -> int:\n    return h(x)",
    ),
    (
        "a decorator",
        "def twice(g):\n    @functools.wraps(g)\n    def w(*a, **k): return g(*a, **k) * 2\n    return w\n"
        "@twice\ndef f(x: int) -> int:\n    return x",
        "def twice(g):\n    @functools.wraps(g)\n    def w(*a, **k): return g(*a, **k) * 3\n    return w\n"
        "@twice\ndef f(x: int) -> int:\n    return x",
    ),
    (
        "what a decorator wraps",
        "def twice(g):\n    @functools.wraps(g)\n    def w(*a, **k): return g(*a, **k) * 2\n    return w\n"
        "@twice\ndef f(x: int) -> int:\n    return x",
        "def twice(g):\n    @functools.wraps(g)\n    def w(*a, **k): return g(*a, **k) * 2\n    return w\n"
        "@twice\ndef f(x: int) -> int:\n    return x + 1",
    ),
    (
        "a method of a class that it is given",
        "@dataclass\nclass P:\n    x: int\n    def size(self): return 1\ndef f(p: P) -> int:\n    return p.size()",
        "@dataclass\nclass P:\n    x: int\n    def size(self): return 2\ndef f(p: P) -> int:\n    return p.size()",
    ),
    (
        "a property",
        "class P:\n    @property\n    def size(self): return 1\ndef f(x: int) -> int:\n    return P().size",
        "class P:\n    @property\n    def size(self): return 2\ndef f(x: int) -> int:\n    return P().size",
    ),
    (
        "a cached property",
        "class P:\n    @functools.cached_property\n    def s(self): return 1\ndef f(x: int) -> int:\n    return P().s",
        "class P:\n    @functools.cached_property\n    def s(self): return 2\ndef f(x: int) -> int:\n    return P().s",
    ),
    (
        "a static method",
        "class P:\n    @staticmethod\n    def size(): return 1\ndef f(x: int) -> int:\n    return P.size()",
        "class P:\n    @staticmethod\n    def size(): return 2\ndef f(x: int) -> int:\n    return P.size()",
    ),
    (
        "a base class",
        "class B:\n    def s(self): return 1\nclass P(B): pass\ndef f(x: int) -> int:\n    return P().s()",
        "class B:\n    def s(self): return 2\nclass P(B): pass\ndef f(x: int) -> int:\n    return P().s()",
    ),
    (
        "a field's default",
        "@dataclass\nclass P:\n    x: int = 1\ndef f(x: int) -> int:\n    return P().x",
        "@dataclass\nclass P:\n    x: int = 2\ndef f(x: int) -> int:\n    return P().x",
    ),
    (
        "a member of an enum",
        "class C(enum.Enum):\n    A = 'a'\ndef f(x: int) -> str:\n    return C.A.value",
        "class C(enum.Enum):\n    A = 'b'\ndef f(x: int) -> str:\n    return C.A.value",
    ),
    ("the type of an input", "def f(x: int) -> int:\n    return 1", "def f(x: float) -> int:\n    return 1"),
    (
        "a class of another name with the same fields",
        "@dataclass\nclass P:\n    x: int\ndef f(p: P) -> int:\n    return p.x",
        "@dataclass\nclass Q:\n    x: int\ndef f(p: Q) -> int:\n    return p.x",
    ),
]


@pytest.mark.parametrize(("one", "other"), [pytest.param(*rest, id=name) for name, *rest in SAME])
def test_code_is_the_same_whatever_changes_of(one: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert digest(one, monkeypatch) == digest(other, monkeypatch, "<another cell>")


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("one", "other"), [pytest.param(*rest, id=name) for name, *rest in OTHER])
def test_code_is_another_with_another(one: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert digest(one, monkeypatch) == digest(one, monkeypatch)
    assert digest(one, monkeypatch) != digest(other, monkeypatch)


MODULE = "def grow(x):\n    return x + {by}\n\ndef other(x):\n    return x * {times}\n"


@pytest.mark.parametrize(
    "source",
    [
        "import growing_of_a_test\ndef f(x: int) -> int:\n    return growing_of_a_test.grow(x)",
        "from growing_of_a_test import grow\ndef f(x: int) -> int:\n    return grow(x)",
        "def f(x: int) -> int:\n    from growing_of_a_test import grow\n    return grow(x)",
    ],
    ids=["module", "name", "inside"],
)
def test_a_module_of_the_user_s_counts_by_what_is_taken_from_it(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_module(by: int) -> bytes:
        folder = tmp_path / str(by)
        folder.mkdir(exist_ok=True)
        (folder / "growing_of_a_test.py").write_text(MODULE.format(by=by, times=2))
        with monkeypatch.context() as patch:
            patch.syspath_prepend(folder)
            patch.delitem(sys.modules, "growing_of_a_test", raising=False)
            made = digest(source, monkeypatch)
            patch.delitem(sys.modules, "growing_of_a_test", raising=False)
        return made

    assert with_module(1) == with_module(1) != with_module(2)


@pytest.mark.parametrize("value", ["None", "[]", "print"])
def test_a_global_that_is_deleted_counts(value: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"held = {value}\ndef f(x): return held", scope)
    digest = CodeDigest(scope["f"])
    before = digest.now()
    del scope["held"]
    assert digest.now() != before


def test_a_task_without_a_function_is_its_script() -> None:
    one, same, other = (ShellTask(name="s", script=text, inputs={}) for text in ("echo a", "echo a", "echo b"))
    assert digest_of_code(one) == digest_of_code(same) != digest_of_code(other)


def test_a_script_in_a_file_is_its_content(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text("echo a")
    shell = ShellTask(name="s", script_file=str(script), inputs={})
    digest = CodeDigest(shell)
    before = digest.now()
    assert digest.now() == before
    script.write_text("echo b")
    assert digest.now() != before


def test_a_plugin_s_configuration_is_part_of_a_task() -> None:
    def f(x: int) -> int:
        return x

    one, same, other = (PythonFunctionTask(config, f) for config in ({"a": 1}, {"a": 1}, {"a": 2}))
    assert digest_of_code(one) == digest_of_code(same) != digest_of_code(other)


class Celsius(float):
    pass


def test_a_transformer_of_the_user_s_is_part_of_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    def transformer(factor: int) -> Any:
        class Own(TypeTransformer[Celsius]):
            def to_python_value(self, ctx: Any, lv: Any, expected: Any) -> Celsius:
                return Celsius(lv.scalar.primitive.float_value * factor)

            def get_literal_type(self, t: Any) -> LiteralType:
                return LiteralType(simple=SimpleType.FLOAT)

        return Own("celsius", Celsius)

    def f(x: list[Celsius]) -> int:
        return 1

    f.__annotations__ = {"x": list[Celsius], "return": int}
    registry = private.transformer_registry()
    monkeypatch.setitem(registry, Celsius, transformer(1))
    digest = CodeDigest(task(f))
    before = digest.now()
    monkeypatch.setitem(registry, Celsius, transformer(2))
    assert digest.now() != before


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f(x: int) -> int:\n    return eval('x')", "f: eval() may read anything"),
        ("def h(): return globals()\ndef f(x: int) -> int:\n    return len(h())", "h: globals() gives all names"),
        ("import sys\ndef f(x: int) -> int:\n    return len(sys.modules)", "f: sys.modules gives all modules"),
        (
            "import sys\ndef f(x: int) -> str:\n    return sys._getframe().f_code.co_name",
            "f: it looks into its callers",
        ),
        ("g = (i for i in range(3))\ndef f(x: int) -> int:\n    return next(g)", "f: an object of type 'builtins.gen"),
        ("def f(x: int) -> int:\n    return f.__globals__['x']", "f: it reads the attribute '__globals__'"),
    ],
)
def test_what_can_not_be_read_is_named(source: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableCodeError) as caught:
        digest(source, monkeypatch)
    assert reason in str(caught.value)


def test_code_that_reaches_itself_or_what_says_nothing_has_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        import threading
        lock = threading.Lock()
        class Node:
            def next(self): return Node()
        loop = []
        loop.append(loop)
        deep = []
        for _ in range(5000):
            deep = [deep]
        def f(x: int) -> int:
            with lock:
                return f(x - 1) if x else len([Node(), loop, deep])
    """
    assert digest(source, monkeypatch) == digest(source, monkeypatch)


SHOW = """
import enum, re, sys
from dataclasses import dataclass
from flytekit import task
from flytenb.reach.code_digest import digest_of_code

class Colour(enum.Enum):
    RED = "red"

@dataclass
class Point:
    x: int
    tags: frozenset = frozenset("abcdef")

WORDS, NAMES = re.compile("a|b"), {"a", "b", "c", "d"}

@task
def f(p: Point, c: Colour) -> bool:
    return p.x in {1, 2, 3} and c in {Colour.RED} and str(p) in {"a", "b", "c"} and NAMES and WORDS and sys.argv

print(digest_of_code(f).hex(), end='')
"""


@pytest.mark.slow
def test_code_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW)

    def shown(seed: str) -> str:
        return subprocess.run(
            [sys.executable, str(tmp_path / "show.py")],
            env={"PATH": "", "PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]

    assert shown("1") == shown("2") != ""


def test_using_a_class_does_not_change_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import dataclass

    from mashumaro.mixins.json import DataClassJSONMixin

    @dataclass
    class Plain:
        x: int

    @dataclass
    class Mixed(DataClassJSONMixin):
        x: int

    def f(p: Any, m: Any) -> int:
        return 1

    f.__annotations__ = {"p": Plain, "m": Mixed, "return": int}
    made: Any = task(f)
    before = digest_of_code(made)
    made(p=Plain(1), m=Mixed(2))
    Mixed.from_json(Mixed(1).to_json())
    assert digest_of_code(made) == before


@pytest.mark.parametrize(
    "source",
    [
        "def f(p={path!r}): return open(p).read()",
        "import pathlib\ndef f(p=pathlib.Path({path!r})): return p.read_text()",
        "def f(*, p={path!r}): return open(p).read()",
        "class L:\n    def __init__(self, p={path!r}): self.p = p\n    def get(self): return open(self.p).read()\n"
        "def f(): return L().get()",
    ],
    ids=["default", "default path", "keyword default", "default of a class"],
)
def test_a_file_at_a_default_path_counts_by_its_content(source: str, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("one")
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source.format(path=str(path)), "<cell>", "exec"), scope)
    before = digest_of_code(scope["f"])
    assert digest_of_code(scope["f"]) == before
    path.write_text("two!")
    assert digest_of_code(scope["f"]) != before
