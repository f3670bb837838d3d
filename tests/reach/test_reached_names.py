"""The installed things that a function may use, through everything of its own that it reaches."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from flytenb.reach.reached_names import Reach

USES: list[tuple[str, str, str]] = [
    ("a module's function", "import os\ndef f(): os.chdir('/')", "os.chdir"),
    ("one imported by name", "from os import chdir\ndef f(): chdir('/')", "os.chdir"),
    ("one under another name", "from os import chdir as go\ndef f(): go('/')", "os.chdir"),
    ("one imported inside", "def f():\n    from os import chdir\n    chdir('/')", "os.chdir"),
    ("an object", "import os\ndef f(): return os.environ.get('A')", "os.environ"),
    ("an object imported by name", "from os import environ\ndef f(): return environ['A']", "os.environ"),
    ("a bound method", "from random import seed\ndef f(): seed(1)", "random.seed"),
    ("a method of a module's state", "import random\ndef f(): return random.random()", "random.random"),
    ("a package's module", "import numpy as np\ndef f(): np.random.seed(1)", "numpy.random.seed"),
    ("a compiled method", "from numpy.random import seed\ndef f(): seed(1)", "numpy.random.seed"),
    ("an import of a part", "def f():\n    import os.path as p\n    return p.abspath('a')", "os.path.abspath"),
    ("a class", "from contextlib import redirect_stdout\ndef f():\n    with redirect_stdout(None): pass",
     "contextlib.redirect_stdout"),
    ("a Python function", "from signal import signal\ndef f(): signal(1, None)", "signal.signal"),
    ("a C function of a private module", "from asyncio import get_event_loop\ndef f(): get_event_loop()",
     "asyncio.get_event_loop"),
    ("a builtin", "def f(): return open('a')", "builtins.open"),
    ("a helper's", "import os\ndef h(): os.chdir('/')\ndef f(): h()", "os.chdir"),
    ("a method's", "import os\nclass A:\n    def m(self): os.chdir('/')\ndef f(): A().m()", "os.chdir"),
    ("a base class's", "import os\nclass B:\n    def m(self): os.chdir('/')\nclass A(B): pass\ndef f(): A().m()",
     "os.chdir"),
    ("a default's", "import os\ndef f(g=os.chdir): g('/')", "os.chdir"),
    ("a closure's", "import os\ndef make():\n    go = os.chdir\n    def f(): go('/')\n    return f\nf = make()",
     "os.chdir"),
    ("a decorator's", "import os, functools\ndef d(g):\n    @functools.wraps(g)\n    def w(): os.chdir('/'); g()\n"
     "    return w\n@d\ndef f(): pass", "os.chdir"),
    ("what is decorated", "import os, functools\ndef d(g):\n    @functools.wraps(g)\n    def w(): g()\n    return w\n"
     "@d\ndef f(): os.chdir('/')", "os.chdir"),
    ("a partial's", "import os, functools\ng = functools.partial(os.chdir, '/')\ndef f(): g()", "os.chdir"),
    ("an inner function's", "import os\ndef f():\n    go = os\n    return [go.chdir(x) for x in '/']", "os.chdir"),
    ("a table's", "import os\nTABLE = {'go': [os.chdir]}\ndef f(): TABLE['go'][0]('/')", "os.chdir"),
    ("by getattr", "import os\ndef f(): getattr(os, 'chdir')('/')", "os.chdir"),
    ("by importlib", "import importlib\ndef f(): importlib.import_module('os').chdir('/')", "os.chdir"),
    ("a module handed on", "import random\ndef h(m): m.seed(1)\ndef f(): h(random)", "random"),
    ("what isn't loaded yet", "def f():\n    import this.that\n    this.that.more()", "this.that"),
]  # fmt: skip


def define(source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("notebook_of_a_test")
    module.__file__ = "<cell>"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(textwrap.dedent(source), "<cell>", "exec", dont_inherit=True), vars(module))
    return module


@pytest.mark.parametrize(("source", "name"), [pytest.param(*rest, id=name) for name, *rest in USES])
def test_an_installed_thing_is_found_wherever_it_is_used(
    source: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name in Reach(define(source, monkeypatch).f).names


def test_what_is_beside_it_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import os, random\ndef other(): os.chdir('/')\ndef f(x): return os.getpid() + random.Random(1).random()"
    found = Reach(define(source, monkeypatch).f).names
    assert found.isdisjoint({"os", "os.chdir", "random", "random.seed", "random.random"})


@pytest.mark.parametrize("is_loaded", [True, False])
def test_own_modules_are_looked_into(is_loaded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "going_of_a_test.py").write_text("import staying_of_a_test\ndef go(): staying_of_a_test.stay()\n")
    (tmp_path / "staying_of_a_test.py").write_text("import os\ndef stay(): os.chdir('/')\n")
    monkeypatch.syspath_prepend(tmp_path)
    f = define("def f():\n    from going_of_a_test import go\n    go()", monkeypatch).f
    try:
        if is_loaded:
            __import__("going_of_a_test")
        assert "os.chdir" in Reach(f).names
    finally:
        sys.modules.pop("going_of_a_test", None)
        sys.modules.pop("staying_of_a_test", None)
