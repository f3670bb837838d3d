"""What export does for each situation that a notebook can be in: an equal result elsewhere, or a refusal by name."""

from __future__ import annotations

import builtins
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

import flytenb
from flytenb.errors import ExportError
from flytenb.ship.module_cells import cells_of_module
from tests.ship.notebooks import imported, open_notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

START = "from flytekit import dynamic, eager, map_task, task, workflow, LaunchPlan"
WF = """
@workflow
def wf(x: int) -> int:
    return step(x=x)
"""


@dataclass(frozen=True)
class Situation:
    """Cells, and what becomes of `wf` there.

    Attributes:
        cells: their texts; a pair has the front end's name of the cell.
        call: an expression that has the same value in the notebook and in the module.
        has: texts that the module contains, in this order.
        lacks: texts that it doesn't contain.
        refused: parts of the message, instead of a module.
    """

    cells: tuple[str | tuple[str, str], ...]
    call: str = "wf(x=3)"
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def _exported(*cells: str | tuple[str, str], call: str = "wf(x=3)", has: str = "", lacks: str = "") -> Situation:
    """Cells whose workflow is exported; `has` and `lacks` have a text on each line."""
    return Situation(cells, call, _lines(has), _lines(lacks))


def _refused(*cells: str | tuple[str, str], why: str) -> Situation:
    return Situation(cells, refused=_lines(why))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _step(body: str, decorator: str = "@task", head: str = "def step(x: int) -> int:") -> str:
    return f"{decorator}\n{head}\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


SITUATIONS = {
    # --- which definition counts
    "a name that was redefined": _exported("K = 1", "K = 2", _step("return x + K"), WF, has="K = 2", lacks="K = 1"),
    "a task that was redefined": _exported(_step("return x"), WF, _step("return x * 10"), has="x * 10"),
    "a cell that was deleted after it had run": _exported("K = 4", _step("return x + K"), WF, has="K = 4"),
    "cells that ran out of order": _exported(
        WF.replace("step", "later"),
        _step("return helper(x)", head="def later(x: int) -> int:"),
        "def helper(x):\n    return x + 1",
        has="def helper\ndef later\ndef wf",
    ),
    "a helper that ran after its user": _exported(
        _step("return helper(x)"), WF, "def helper(x):\n    return -x", has="def helper\ndef step\ndef wf"
    ),
    "an import that is shadowed by another": _exported(
        "from math import floor",
        "from operator import neg as floor",
        _step("return floor(x)"),
        WF,
        has="from operator import neg as floor",
        lacks="math",
    ),
    "an import that is shadowed by a function": _exported(
        "from math import sqrt", "def sqrt(x):\n    return x * x", _step("return sqrt(x)"), WF, lacks="math"
    ),
    "a variable of a cell that was edited since": _refused(
        ("a", "K = 1"), _step("return x + K"), WF, ("a", "L = 1"), why="K is left from an earlier text\ncell 2"
    ),
    "a function of a cell that was edited since": _refused(
        ("a", "def helper(x):\n    return x"),
        _step("return helper(x)"),
        WF,
        ("a", "def helped(x):\n    return x"),
        why="helper is left from an earlier text",
    ),
    "a cell that was edited and defines the name still": _exported(
        ("a", "K = 1"), _step("return x + K"), WF, ("a", "K = 7"), has="K = 7", lacks="K = 1"
    ),
    "a cell that failed in the middle": _exported(
        "K = 1", ("a", "K = 2\nraise SystemError\nK = 3"), _step("return x + K"), WF, has="K = 2", lacks="raise\nK = 3"
    ),
    "a name that was deleted": _refused(
        "K = 1", _step("return x + K"), "del K", WF, why="K has been deleted\nrun the cell again"
    ),
    "a name that was deleted after its use": _exported(
        "half = 2\nK = half * 2\ndel half", _step("return x + K"), WF, has="half = 2\nK = half * 2", lacks="del"
    ),
    "a name that nothing defines": _refused(_step("return x + NOWHERE"), WF, why="nothing defines 'NOWHERE'\ncell 2"),
    # --- imports
    "names of a star import": _exported(
        "from math import *", _step("return floor(x + pi)"), WF, has="from math import *"
    ),
    "an import of several names": _exported(
        "import os, sys, json as j", _step("return len(j.dumps(x))"), WF, has="import json as j", lacks="import os\nsys"
    ),
    "modules of one package": _exported(
        "import xml.dom\nimport xml.sax",
        _step("return len(xml.dom.__name__ + xml.sax.__name__)"),
        WF,
        has="import xml.dom\nimport xml.sax",
    ),
    "an import that depends": _exported(
        "try:\n    import nonexistent as fast\nexcept ImportError:\n    import math as fast",
        _step("return fast.floor(x)"),
        WF,
        has="try:\nexcept ImportError:",
    ),
    "a flag from an import that depends": _exported(
        "try:\n    import nonexistent\n    HAS = True\nexcept ImportError:\n    HAS = False",
        _step("return x + HAS"),
        WF,
        has="HAS = True\nHAS = False",
    ),
    "imports for type checkers": _exported(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from decimal import Decimal",
        "def helper(x: 'Decimal') -> 'Decimal':\n    return x",
        _step("return helper(x)"),
        WF,
        has="if TYPE_CHECKING:\nfrom decimal import Decimal\ndef helper",
    ),
    "annotations as texts for a whole notebook": _exported(
        "from __future__ import annotations", _step("return x"), WF, has="from __future__ import annotations\ndef step"
    ),
    "annotations as texts": _exported(
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    v: int",
        "@task\ndef step(x: 'int') -> 'P':\n    return P(x)",
        "@workflow\ndef wf(x: int) -> P:\n    return step(x=x)",
        call="wf(x=3).v",
        has="class P\ndef step",
    ),
    "a comment at an import": _exported(
        "import math  # for floor", _step("return math.floor(x)"), WF, has="import math  # for floor"
    ),
    "a function of Python's that is kept before it is replaced": _exported(
        "sum_ = sum",
        "def sum(values):\n    return sum_(values) + 1",
        _step("return sum([x])"),
        WF,
        has="sum_ = sum\ndef sum",
    ),
    # --- functions
    "arguments with stars": _exported(
        "def helper(*a, **k):\n    return sum(a) + sum(k.values())", _step("return helper(*[x, 1], **{'b': 2})"), WF
    ),
    "a decorator of another cell": _exported(
        "from functools import wraps",
        "def twice(f):\n    @wraps(f)\n    def g(*a, **k):\n        return 2 * f(*a, **k)\n    return g",
        _step("return x", "@task\n@twice"),
        WF,
        has="def twice\n@task\n@twice",
    ),
    "a decorator with arguments": _exported(
        "from functools import wraps\nBY = 5",
        """
def times(n):
    def decorate(f):
        @wraps(f)
        def g(*a, **k):
            return n * f(*a, **k)
        return g
    return decorate
""",
        _step("return x", "@task\n@times(BY)"),
        WF,
        has="BY = 5\ndef times\n@times(BY)",
    ),
    "a default that names a variable": _exported(
        "K = 4", "def helper(x, by=K):\n    return x * by", _step("return helper(x)"), WF, has="K = 4\ndef helper"
    ),
    "a default that names a variable of before": _refused(
        "K = 4",
        "def helper(x, by=K):\n    return x * by",
        "K = [5]",
        "K.append(1)",
        _step("return helper(x)"),
        WF,
        why="K, a list, isn't what its statements give now",
    ),
    "a list that its own cell fills": _exported(
        "SIZES: list[int] = []\nfor n in range(3):\n    SIZES.append(n)\nSIZES.sort(reverse=True)",
        _step("return x + SIZES[0]"),
        WF,
        has="SIZES: list[int] = []\nfor n in range(3):\nSIZES.append(n)\nSIZES.sort(reverse=True)",
    ),
    "one list with two names": _exported(
        "A = B = []\nA.append(3)", _step("return x + B[0]"), WF, has="A = B = []\nA.append(3)"
    ),
    "a list that its own cell fills by chance": _refused(
        "import random\nSIZES = []\nSIZES.append(random.random())",
        _step("return x + int(SIZES[0])"),
        WF,
        why="`random.random()` isn't evaluated again",
    ),
    "functions in functions": _exported(
        "def outer(x):\n    def inner(y):\n        return y + K\n    return inner(x)\nK = 2",
        _step("return outer(x)"),
        WF,
        has="K = 2\ndef outer\ndef step",
    ),
    "functions that call each other": _exported(
        "def even(n):\n    return n == 0 or odd(n - 1)",
        "def odd(n):\n    return n != 0 and even(n - 1)",
        _step("return int(even(x))"),
        WF,
        has="def even\ndef odd",
    ),
    "a name in an f-string": _exported(
        "K = 'abc'", _step("return len(f'{K!r:>{W}}')"), "W = 9", WF, has="K = 'abc'\nW = 9"
    ),
    "a lambda in a variable": _exported("add = lambda x: x + 1", _step("return add(x)"), WF, has="add = lambda"),
    "a lambda as a task": _refused(
        "fn = lambda x: None\nfn.__annotations__ = {'x': int}",
        "step = task(fn)",
        "@workflow\ndef wf(x: int) -> None:\n    step(x=x)",
        why="the function of step is a lambda\nwrite it with def",
    ),
    "a workflow in a function": _exported(
        _step("return x + 1"),
        "def make():\n    @workflow\n    def wf(x: int) -> int:\n        return step(x=x)\n    return wf",
        "wf = make()",
        has="def step\ndef make\nwf = make()",
    ),
    "an alias of a function": _exported(
        "def f(x):\n    return x + 1", "g = f", _step("return g(x)"), WF, has="def f\ng = f"
    ),
    "an alias of an earlier function": _refused(
        ("a", "def f(x):\n    return x + 1"),
        "g = f",
        ("a", "def f(x):\n    return x + 2"),
        _step("return g(x)"),
        WF,
        why="g holds code that no cell gives now",
    ),
    "a function that was replaced by hand": _exported(
        "def f(x):\n    return x + 1",
        "def faster(x):\n    return x + 2",
        "f = faster",
        _step("return f(x)"),
        WF,
        has="def faster\nf = faster",
        lacks="def f(",
    ),
    "a function that was replaced by a function": _refused(
        "def f(x):\n    return x + 1",
        "def patch():\n    globals()['f'] = lambda x: 0",
        _step("return f(x)"),
        WF,
        "patch()",
        why="f holds code that no cell gives now",
    ),
    "a function that is wrapped later": _exported(
        "from functools import lru_cache",
        "def f(x):\n    return x + 1",
        "f = lru_cache(f)",
        _step("return f(x)"),
        WF,
        has="def f(\nf = lru_cache(f)",
    ),
    "a helper with a cache": _exported(
        "import functools",
        "@functools.lru_cache(maxsize=8)\ndef f(x):\n    return x + 1",
        "f(1)",
        _step("return f(x)"),
        WF,
        has="@functools.lru_cache(maxsize=8)",
    ),
    "a partial": _exported(
        "from functools import partial",
        "def f(a, x):\n    return a * x",
        "K = 3",
        "g = partial(f, K)",
        _step("return g(x)"),
        WF,
        has="def f\ng = partial(f, K)",
    ),
    "a generic function": _exported(
        "from functools import singledispatch",
        "@singledispatch\ndef size(x):\n    return 0",
        "@size.register\ndef _(x: int):\n    return 10",
        "@size.register(str)\ndef _of_text(x):\n    return 20",
        _step("return size(x) + size('a')"),
        WF,
        has="def size\n@size.register\n@size.register(str)",
    ),
    "a global that a function sets": _refused(
        "def set_up():\n    global K\n    K = 3", "set_up()", _step("return x + K"), WF, why="K is set by a function"
    ),
    "a counter that a function changes": _refused(
        "N = 0\ndef count(x):\n    global N\n    N += 1\n    return x",
        "count(1)",
        _step("return count(x)"),
        WF,
        why="N, an int, isn't what its statements give now\nrun cell 2 again",
    ),
    "a list that a task changes": _exported(
        "SEEN = []\nSIZE = len(SEEN)",
        _step("SEEN.append(x)\nreturn x + SIZE"),
        WF,
        "step(x=1)\nwf(x=2)",
        has="SEEN = []\nSIZE = len(SEEN)",
    ),
    "a counter that a task sets": _exported(
        "N = 0", _step("global N\nN += 1\nreturn x"), WF, "run = wf(x=1)", has="N = 0", lacks="run"
    ),
    "a table that a helper of a task fills": _exported(
        "T = {}\ndef look_up(x):\n    T[x] = 2 * x\n    return T[x]",
        _step("return look_up(x)"),
        WF,
        "wf(x=1)",
        has="T = {}",
    ),
    "a table that a cell fills by a function": _refused(
        "T = {}\ndef fill(x):\n    T[x] = x\n    return x",
        "fill(1)",
        _step("return fill(x) + len(T)"),
        WF,
        "wf(x=2)",
        why="T, a dict, isn't what its statements give now",
    ),
    "a list that a cell and a task change": _refused(
        "K = [1]",
        "K.append(2)",
        _step("K.append(x)\nreturn len(K)"),
        WF,
        "wf(x=1)",
        why="K, a list, isn't what its statements give now",
    ),
    "an async task": _exported(
        "import asyncio",
        "async def wait(x):\n    await asyncio.sleep(0)\n    return x + 1",
        "@eager\nasync def wf(x: int) -> int:\n    return await wait(x)",
        call="__import__('asyncio').run(wf.task_function(x=3))",
        has="import asyncio\nasync def wait\nasync def wf",
    ),
    # --- classes
    "a class with methods of other cells": _exported(
        "class Box:\n    def __init__(self, v):\n        self.v = v",
        "def grown(self):\n    return Box(self.v + 1)",
        "Box.grown = grown",
        _step("return Box(x).grown().v"),
        WF,
        has="class Box\ndef grown\nBox.grown = grown",
    ),
    "a class that a function changed": _refused(
        "class Box:\n    def get(self):\n        return 1",
        "def patch(cls):\n    cls.get = lambda self: 2",
        "patch(Box)",
        _step("return Box().get()"),
        WF,
        why="code that no cell gives now\npatch.<locals>.<lambda>",
    ),
    "classes that inherit over cells": _exported(
        "class A:\n    def f(self):\n        return 1",
        "class B(A):\n    def f(self):\n        return super().f() + 1",
        _step("return B().f() + x"),
        WF,
        has="class A\nclass B(A)",
    ),
    "a class that was redefined under its subclass": _refused(
        ("a", "class A:\n    def f(self):\n        return 1"),
        "class B(A):\n    pass",
        ("a", "class A:\n    def f(self):\n        return 2"),
        _step("return B().f() + x"),
        WF,
        why="A.f",
    ),
    "a dataclass and an enum": _exported(
        "from dataclasses import dataclass, field\nfrom enum import Enum",
        "class Mode(Enum):\n    ON = 1\n    OFF = 2",
        "@dataclass\nclass Config:\n    mode: Mode = Mode.ON\n    rates: list[float] = field(default_factory=list)",
        "DEFAULT = Config(rates=[0.5])",
        _step("return x + DEFAULT.mode.value + len(DEFAULT.rates)"),
        WF,
        has="class Mode\nclass Config\nDEFAULT = Config",
    ),
    "a named tuple by a call": _exported(
        "from collections import namedtuple", "P = namedtuple('P', 'a b')", _step("return P(x, 2).b"), WF
    ),
    # --- constants
    "a constant that is changed in place": _exported("K = 1", "K += 2", _step("return x + K"), WF, has="K = 1\nK += 2"),
    "a constant that was changed twice by one cell": _refused(
        "K = 1", "K += 2", "K += 2", _step("return x + K"), WF, why="K, an int, isn't what its statements give now"
    ),
    "a list that was changed": _refused(
        "KS = [1]",
        "KS.append(2)",
        _step("return x + len(KS)"),
        WF,
        why="KS, a list, isn't what its statements give now\ncell 2",
    ),
    "a table with items of other cells": _exported(
        "T = {}",
        "T['a'] = 1",
        "T['b'] = len(T)",
        _step("return x + T['b']"),
        WF,
        has="T = {}\nT['a'] = 1\nT['b'] = len(T)",
    ),
    "a comprehension": _exported(
        "T = {i: i * i for i in range(5)}", _step("return T[x]"), WF, has="T = {i: i * i for i in range(5)}"
    ),
    "constants from constants": _exported(
        "A = 2", "B = A * 3", "C = [B, -B]", _step("return x + C[0]"), WF, has="A = 2\nB = A * 3\nC = [B, -B]"
    ),
    "a constant whose source has changed": _refused(
        ("a", "A = 2"),
        "B = A * 3",
        ("a", "A = 5"),
        _step("return x + B"),
        WF,
        why="B, an int, isn't what its statements give now",
    ),
    "constants in one statement": _exported(
        "A, (B, *C) = 1, (2, 3, 4)", _step("return x + B + C[1]"), WF, has="A, (B, *C)"
    ),
    "constants on one line": _exported(
        "A = 1; B = 2; C = 3", _step("return x + B"), WF, has="B = 2", lacks="A = 1\nC = 3"
    ),
    "a constant of the library": _exported(
        "import re\nfrom datetime import timedelta\nfrom pathlib import Path",
        "WORD = re.compile(r'\\w+')\nDAY = timedelta(days=1)\nROOT = Path('data') / 'raw'",
        _step("return len(WORD.findall(str(ROOT))) + DAY.days"),
        WF,
        has="WORD = re.compile\nDAY =\nROOT =",
    ),
    "a logger": _exported(
        "import logging\nlog = logging.getLogger('mine')",
        _step("log.debug('x')\nreturn x"),
        WF,
        has="log = logging.getLogger",
    ),
    "a frame that was loaded": _refused(
        "import pandas as pd",
        "df = pd.DataFrame({'a': [1, 2]})",
        _step("return len(df)"),
        WF,
        why="df, a DataFrame, exists in the kernel only: `pd.DataFrame\npass it as an input",
    ),
    "an array of numbers": _exported(
        "import numpy as np", "W = np.array([1, 2, 3])", _step("return int(W.sum()) + x"), WF
    ),
    "an array that was changed": _refused(
        "import numpy as np",
        "W = np.zeros(3)",
        "W.fill(1)",
        _step("return int(W.sum()) + x"),
        WF,
        why="W, a ndarray, isn't what its statements give now",
    ),
    "an open connection": _refused(
        "import sqlite3\ncon = sqlite3.connect(':memory:')",
        _step("return con.total_changes"),
        WF,
        why="con, a Connection, exists in the kernel only",
    ),
    "an open file": _refused(
        "import os\nf = open(os.devnull)",
        _step("return len(f.name)"),
        "f.close()",
        WF,
        why="f, a TextIOWrapper, exists in",
    ),
    "a generator": _refused("g = (i for i in range(3))", _step("return next(g)"), WF, why="g, a generator, exists in"),
    "a number by chance": _refused(
        "import random\nK = random.random()", _step("return int(K)"), WF, why="K, a float, exists"
    ),
    "the environment": _refused(
        "import os\nHOME = os.environ.get('PATH', '')",
        _step("return len(HOME)"),
        WF,
        why="HOME, a str, exists in the kernel",
    ),
    "a result of an own function": _refused(
        "def load():\n    return [1, 2]",
        "DATA = load()",
        _step("return DATA[0]"),
        WF,
        why="DATA, a list, exists in\n`load()`",
    ),
    "a registry that a method of it fills as a decorator": _exported(
        "class Registry(dict):\n    def add(self, name):\n        return lambda f: self.setdefault(name, f)",
        "ops = Registry()",
        "@ops.add('double')\ndef _double(x):\n    return 2 * x",
        "def _unused(x):\n    return x",
        _step("return ops['double'](x) + len(ops)"),
        WF,
        "wf(x=1)",
        has="class Registry\nops = Registry()\n@ops.add('double')\ndef step",
        lacks="_unused",
    ),
    "a registry that a function fills as a decorator": _exported(
        "OPS = {}\nORDER = []",
        "def register(name):\n    def add(f):\n        OPS[name] = f\n        ORDER.append(name)\n        return f\n"
        "    return add",
        "@register('neg')\ndef _neg(x):\n    return -x",
        "@register('two')\nclass _Two:\n    def __new__(cls, x):\n        return 2 * x",
        _step("for name in ORDER:\n    x = OPS[name](x)\nreturn x"),
        WF,
        has="OPS = {}\nORDER = []\ndef register\n@register('neg')\n@register('two')\ndef step",
    ),
    "a registry that a call fills": _refused(
        "OPS = {}",
        "def register(f):\n    OPS[f.__name__] = f\n    return f",
        "@register\ndef neg(x):\n    return -x",
        "register(abs)",
        _step("return OPS['neg'](x) + len(OPS)"),
        WF,
        why="OPS, a dict, exists in the kernel only: cell 5 changes it too",
    ),
    "a registry with a function of an earlier text": _refused(
        "OPS = {}",
        "def register(f):\n    OPS[f.__name__] = f\n    return f",
        ("a", "@register\ndef neg(x):\n    return -x"),
        ("a", "@register\ndef minus(x):\n    return -x"),
        _step("return sum(f(x) for f in OPS.values())"),
        WF,
        why="neg holds code that no cell gives now",
    ),
    "a registry of subclasses": _exported(
        "class Base:\n    known = {}\n\n    def __init_subclass__(cls):\n        Base.known[cls.__name__] = cls",
        "class Two(Base):\n    k = 2",
        "class Four(Two):\n    k = 4",
        _step("return x + sum(each.k for each in Base.known.values())"),
        WF,
        has="class Base\nclass Two(Base)\nclass Four(Two)",
    ),
    "a registry with a class of an earlier text": _refused(
        "class Base:\n    known = {}\n\n    def __init_subclass__(cls):\n        Base.known[cls.__name__] = cls",
        ("a", "class Two(Base):\n    k = 2"),
        ("a", "class Deux(Base):\n    k = 2"),
        _step("return x + len(Base.known)"),
        WF,
        ("d", "del Two"),
        why="Base.known isn't what its definition gives now",
    ),
    "settings of a library": _exported(
        "import decimal, random\nimport numpy as np",
        "DIGITS = 3\nFEW = [2]",
        "decimal.getcontext().prec = DIGITS\nnp.set_printoptions(precision=DIGITS)\nrandom.seed(1)",
        "np.set_printoptions(threshold=len(FEW))",
        "np.zeros(3)",
        _step("return x + len(str(decimal.Decimal(1) / 7)) + len(str(np.array([1 / 7, 2 / 7])))"),
        WF,
        "decimal.getcontext().prec = 28",
        has="DIGITS = 3\ndecimal.getcontext().prec = DIGITS\nnp.set_printoptions(precision=DIGITS)",
        lacks="random\nFEW\nzeros",
    ),
    # --- IPython
    "the state of matplotlib": _exported(
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt",
        "plt.figure()",
        _step("fig = plt.figure()\nplt.close(fig)\nreturn x"),
        WF,
        "plt.close('all')",
        has="import matplotlib.pyplot as plt",
        lacks="use('agg')",
    ),
    "the shell in a task": _refused(
        _step("get_ipython().run_cell('1')\nreturn x"),
        WF,
        why="get_ipython exists in IPython only\nleave get_ipython out",
    ),
    "display in a task": _refused(
        _step("display(x)\nreturn x"), WF, why="display exists in IPython only\nfrom IPython.display"
    ),
    "the last result in a task": _refused("41 + 1", _step("return _"), WF, why="_ exists in IPython only"),
    "the output of a command": _refused(
        "out = !echo hello", _step("return len(out)"), WF, why="out is what a magic or shell command gave"
    ),
    "packages that a cell installs": _exported(
        "!pip --version\n%pip --version\nimport math", _step("return math.floor(x)"), WF, has="import math", lacks="pip"
    ),
    "the shell beside definitions": _exported(
        "ip = get_ipython()\nip.run_line_magic('pwd', '')\nK = 2", _step("return x + K"), WF, has="K = 2", lacks="ip"
    ),
    "a workflow with a lambda in a task's argument": _exported(
        "from functools import reduce",
        _step("return reduce(lambda a, b: a + b, range(x), 0)"),
        WF,
        has="from functools import reduce\ndef step",
    ),
    "a decorator of a class of another cell": _exported(
        "class Times:\n    def __init__(self, n):\n        self.n = n\n    def __call__(self, f):\n"
        "        from functools import wraps\n        @wraps(f)\n        def g(*a, **k):\n"
        "            return self.n * f(*a, **k)\n        return g",
        _step("return x", "@task\n@Times(3)"),
        WF,
        has="class Times\n@task\n@Times(3)",
    ),
    "a decorator that was redefined under its task": _refused(
        "from functools import wraps",
        ("a", "def plus(f):\n    @wraps(f)\n    def g(*a, **k):\n        return f(*a, **k) + 1\n    return g"),
        _step("return x", "@task\n@plus"),
        WF,
        ("a", "def plus(f):\n    @wraps(f)\n    def g(*a, **k):\n        return f(*a, **k) + 2\n    return g"),
        why="code that no cell gives now",
    ),
    "a module that is shadowed by a variable": _exported(
        "import json\njson = {'a': 4}", _step("return x + json['a']"), WF, has="json = {'a': 4}", lacks="import json"
    ),
    "a star import that is shadowed by a function": _exported(
        "from math import *\ndef floor(x):\n    return 7",
        _step("return floor(pi)"),
        WF,
        has="from math import *\ndef floor",
    ),
    "stars in a call of a task": _exported(
        _step("return x"),
        "ARGUMENTS = {'x': 4}",
        "@workflow\ndef wf(x: int) -> int:\n    return step(**ARGUMENTS)",
        has="ARGUMENTS = {'x': 4}",
    ),
    "commands and magics beside definitions": _exported(
        "!true\n%config InteractiveShell.ast_node_interactivity\nK = 2\n%pwd",
        _step("return x + K"),
        WF,
        has="K = 2",
        lacks="%\n!\nget_ipython",
    ),
    "a statement behind a magic": _exported(
        "%time K = 2 + 3", _step("return x + K"), WF, has="K = 2 + 3", lacks="time"
    ),
    "a cell with a magic that runs it": _exported(
        "%%capture out\nK = 2\n\ndef f(x):\n    return x + K",
        _step("return f(x)"),
        WF,
        has="K = 2\ndef f",
        lacks="capture",
    ),
    "a cell of another language": _exported("%%bash\ntrue", _step("return x"), WF, lacks="bash"),
    "a name that a cell magic sets": _refused(
        "from IPython.core.magic import register_cell_magic\n"
        "@register_cell_magic\ndef keep(line, cell):\n    get_ipython().user_ns[line] = cell",
        "%%keep note\nthree",
        _step("return x + len(note)"),
        WF,
        why="note is made by the magic %%keep (cell 3)\nwith Python code in a plain cell",
    ),
    "await at the top of a cell": _refused(
        "import asyncio\nasync def get():\n    return 3",
        "K = await get()",
        _step("return x + K"),
        WF,
        why="K, an int, exists in the kernel only: `await get()",
    ),
    "experiments": _exported(
        "K = 3",
        _step("return x + K"),
        WF,
        "wf(x=1)",
        "print(step(x=2))\nK",
        "import os\nassert os.sep\nunused = K * 2",
        lacks="print\nassert\nunused\nimport os",
    ),
    "displays": _exported(
        "import flytenb\nclass Thing:\n    v = 1",
        "@flytenb.display_for(Thing)\ndef show_thing(value, view):\n    return 'thing'",
        _step("return x + Thing.v"),
        WF,
        lacks="display_for\nflytenb",
    ),
    "a secret": _refused(
        "API_TOKEN = 'abcd1234efgh'",
        _step("return len(API_TOKEN)"),
        WF,
        why="API_TOKEN is set to a text that looks like a secret",
    ),
    # --- state
    "a default that calls have changed": _refused(
        "def seen(x, all=[]):\n    all.append(x)\n    return len(all)",
        "seen(1)",
        _step("return seen(x)"),
        WF,
        why="seen.all isn't what its definition gives now",
    ),
    "an attribute of a class that calls have changed": _refused(
        "class Box:\n    count = 0\n    def __init__(self):\n        Box.count += 1",
        "Box()",
        _step("return Box().count"),
        WF,
        why="Box.count isn't what its definition gives now",
    ),
    "a default of an earlier constant": _refused(
        "K = 3",
        "def times(x, k=K):\n    return x * k",
        _step("return times(x)"),
        WF,
        "K = 5",
        why="times was defined with an earlier value of K",
    ),
    "an argument of a decorator of an earlier constant": _refused(
        "K = 3\ndef by(k):\n    def wrap(f):\n        def g(x):\n            return f(x) * k\n        return g\n"
        "    return wrap",
        "@by(K)\ndef times(x):\n    return x",
        _step("return times(x)"),
        WF,
        "K = 5",
        why="times was defined with an earlier value of K",
    ),
    "an attribute of a class of an earlier constant": _refused(
        "K = 3",
        "from enum import Enum\nclass Size(Enum):\n    SMALL = K",
        _step("return Size.SMALL.value + x"),
        WF,
        "K = 5",
        why="Size was defined with an earlier value of K",
    ),
    "a default of a dataclass of an earlier constant": _refused(
        "K = 3",
        "from dataclasses import dataclass, field\n@dataclass\nclass Box:\n"
        "    sizes: list = field(default_factory=lambda k=K: [k])",
        _step("return Box().sizes[0] + x"),
        WF,
        "K = 5",
        why="Box was defined with an earlier value of K",
    ),
    "a setting of a task of an earlier constant": _refused(
        "K = 3", _step("return x", "@task(retries=K)"), WF, "K = 5", why="step was defined with an earlier value of K"
    ),
    "a default of a workflow of an earlier constant": _refused(
        "K = 3",
        _step("return x"),
        "@workflow\ndef wf(x: int = K) -> int:\n    return step(x=x)",
        "K = 5",
        why="wf was defined with an earlier value of K",
    ),
    "a closure of an earlier constant": _refused(
        "def by(k):\n    def g(x):\n        return x * k\n    return g",
        "K = 3",
        "times = by(K)",
        _step("return times(x)"),
        WF,
        "K = 5",
        why="times was defined with an earlier value of K",
    ),
    "a constant of a cell that was edited": _refused(
        ("k", "K = 3"),
        "def times(x, k=K):\n    return x * k",
        _step("return times(x)"),
        WF,
        ("k", "K = 5"),
        why="times was defined with an earlier value of K",
    ),
    "a constant made of one that was edited": _refused(
        ("b", "BASE = 3"),
        ("k", "K = BASE * 2"),
        "def times(x, k=K):\n    return x * k",
        _step("return times(x)"),
        WF,
        ("b", "BASE = 4"),
        ("k", "K = BASE * 2"),
        why="times was defined with an earlier value of K",
    ),
    "an earlier base class": _refused(
        "class Base:\n    k = 1",
        "class Box(Base):\n    pass",
        _step("return Box().k + x"),
        WF,
        "class Base:\n    k = 2",
        why="Box was defined with an earlier value of Base",
    ),
    "a constant that was run again": _exported(
        ("k", "K = 3"), "def times(x, k=K):\n    return x * k", _step("return times(x)"), WF, ("k", "K = 3  # same")
    ),
    "a constant that was written in another way": _exported(
        ("k", "K = 3"), "def times(x, k=K):\n    return x * k", _step("return times(x)"), WF, ("k", "K: int = 0x3")
    ),
    "a constant that was edited before what reads it ran again": _exported(
        ("k", "K = 3"),
        ("t", "def times(x, k=K):\n    return x * k"),
        _step("return times(x)"),
        WF,
        ("k", "K = 5"),
        ("t", "def times(x, k=K):\n    return x * k"),
    ),
    "a base class that was run again": _exported(
        ("b", "class Base:\n    k = 1"),
        "class Box(Base):\n    pass",
        _step("return Box().k + x"),
        WF,
        ("b", "class Base:\n    k = 1"),
    ),
    "a constant that a function reads when it is called": _exported(
        ("k", "K = 3"), "def times(x):\n    return x * K", _step("return times(x)"), WF, ("k", "K = 5")
    ),
    "a constant under a condition": _exported(
        "FAST = True\nif FAST:\n    K = 1\nelse:\n    K = 2", _step("return x + K"), WF, has="FAST = True\nif FAST:"
    ),
    "a table that a loop fills": _exported(
        "T = {}\nfor i in range(4):\n    T[i] = i * i", _step("return T[x]"), WF, has="T = {}\nfor i in range(4):"
    ),
    "a text that was read from a file": _refused(
        "import os\nwith open(os.devnull) as f:\n    TEXT = f.read()",
        _step("return x + len(TEXT)"),
        WF,
        why="TEXT, a str, exists in the kernel only",
    ),
    "texts with lines of every kind": _exported(
        'A = """one  \n\x0ctwo\t\u2028three   \n"""\nB = "\u00e4"; C = "\\x85"  # behind',
        _step("return len(A) * 100 + len(B + C)"),
        WF,
        has='A = """one  \n\x0ctwo',
    ),
    "names that are looked up by their texts": _exported(
        "K = 2\nL = 3", _step("return globals()['K'] + eval('L + x')"), WF, has="K = 2\nL = 3"
    ),
    "the namespace as a module": _refused(
        "K = 2",
        _step("import __main__\nreturn x + __main__.K"),
        WF,
        why="the notebook's namespace is read as a module",
    ),
    "a class that is registered with an abstract one": _exported(
        "from abc import ABC\nclass Shape(ABC):\n    pass\nclass Square:\n    pass",
        "Shape.register(Square)",
        _step("return x + isinstance(Square(), Shape)"),
        WF,
        has="class Shape\nclass Square\nShape.register(Square)",
    ),
    "a module whose attribute was set": _exported(
        "import json\njson.indent_of_mine = 3",
        "import string\nstring.unused_of_mine = 4",
        _step("return x + json.indent_of_mine + len(string.digits)"),
        WF,
        has="import json\nimport string\njson.indent_of_mine = 3",
        lacks="unused_of_mine",
    ),
    "an image that is built by calls": _exported(
        "from flytekit import ImageSpec, Resources",
        "image = ImageSpec(name='mine').with_packages(['numpy'])\nsmall = Resources(cpu='1')",
        _step("return x", "@task(container_image=image, requests=small)"),
        WF,
        has="image = ImageSpec(name='mine').with_packages(['numpy'])\nsmall = Resources(cpu='1')",
    ),
    "tasks in a table": _exported(
        _step("return x + 1", head="def one(x: int) -> int:"),
        "STEPS = {'one': one}",
        "@workflow\ndef wf(x: int) -> int:\n    return STEPS['one'](x=x)",
        has="def one\nSTEPS = {'one': one}",
    ),
    "a secret in the line of a magic": _refused(
        "%%task environment={'API_TOKEN': 'abcd1234efgh'}\ndef step(x: int) -> int:\n    return x",
        WF,
        why="API_TOKEN is set to a text that looks like a secret",
    ),
    "a secret in a comment": _refused(
        "# AKIAIOSFODNN7EXAMPLE\nK = 1", _step("return x + K"), WF, why="a comment has a text that looks like a secret"
    ),
    "a transformer and a task plugin": _exported(
        """
from flytekit.core.type_engine import SimpleTransformer, TypeEngine
from flytekit.models.literals import Literal, Primitive, Scalar
from flytekit.models.types import LiteralType, SimpleType
""",
        "class Meters:\n    def __init__(self, v):\n        self.v = v\nclass Unused:\n    pass",
        """
def to_literal(m):
    return Literal(scalar=Scalar(primitive=Primitive(integer=m.v)))
def transformer(cls):
    return SimpleTransformer(
        cls.__name__, cls, LiteralType(simple=SimpleType.INTEGER), to_literal, lambda l: cls(l.scalar.primitive.integer)
    )
""",
        "TypeEngine.register(transformer(Meters))",
        "TypeEngine.register(transformer(Unused))",
        "@task\ndef measure(x: int) -> Meters:\n    return Meters(x)",
        "@task\ndef step(m: Meters) -> int:\n    return m.v",
        "@workflow\ndef wf(x: int) -> int:\n    return step(m=measure(x=x))",
        has="class Meters\ndef to_literal\nTypeEngine.register(transformer(Meters))\ndef measure",
        lacks="Unused",
    ),
    # --- cells that define
    "cells of magics": _exported(
        "K = 2",
        """%%task retries=K, cache=False
# Adds one.
def step(x: int) -> int:
    "One more."
    return _by(x)

def _by(x):
    return x + 1
""",
        "%%workflow\ndef wf(x: int) -> int:\n    return step(x=x)",
        has="""
            K = 2
            def _by
            # Adds one.
            @task(retries=K, cache=False)
            def step
            "One more."
            @workflow
        """,
    ),
    "a cell of a magic with an import": _exported(
        "%%task\nimport math\n\nA, B = math.pi, 2\n\ndef step(x: int) -> int:\n    return math.floor(x * A) + B",
        WF,
        has="import math\nA, B =\ndef step",
    ),
    "a cell that is timed": _exported(
        "%%time\nimport math\ndef helper(x):\n    return math.floor(x)",
        _step("return helper(x)"),
        WF,
        has="import math\ndef helper",
        lacks="time",
    ),
    "a cell of a magic whose function is decorated": _exported(
        "%%task\n@task(retries=1)\ndef step(x: int) -> int:\n    return x",
        WF,
        has="@task(retries=1)",
    ),
    "a cell of a magic where its name is taken": _exported(
        "import flytekit",
        "workflow = 3",
        "%%task\ndef step(x: int) -> int:\n    return x",
        "%%workflow\ndef wf(x: int) -> int:\n    return step(x=x)",
        has="import flytekit\nfrom flytekit import task\n@flytekit.workflow",
    ),
    "a container cell": _exported(
        "N = 2",
        "%%container --lang sh --retries 1 count(x: int, y: int = N) -> kwtypes(z=int)\n# adds\nz=$((x + y))",
        "@workflow\ndef wf(x: int) -> int:\n    return count(x=x)",
        call="(count.code, count.metadata.retries, list(count.python_interface.inputs_with_defaults.items()))",
        has='import flytenb\nN = 2\ncount = flytenb.container(\n# adds\ninputs={"x": int, "y": (int, N)},\ndef wf',
        lacks="%%container",
    ),
    "a dynamic, a map and a launch plan": _exported(
        _step("return x + 1"),
        "mapped = map_task(step)",
        "@dynamic\ndef spread(n: int) -> list[int]:\n    return mapped(x=[step(x=i) for i in range(n)])",
        "@task\ndef total(xs: list[int]) -> int:\n    return sum(xs)",
        "@workflow\ndef inner(x: int) -> int:\n    return total(xs=spread(n=x))",
        "plan = LaunchPlan.get_or_create(inner, 'a plan')",
        "@workflow\ndef wf(x: int) -> int:\n    return plan(x=x)",
        has="import LaunchPlan, dynamic, map_task, task, workflow\nmapped = map_task(step)\ndef inner\nplan =\ndef wf",
    ),
    # --- statements of other kinds
    "a name that a condition binds": _exported(
        "if (K := 5) > 3:\n    M = K * 2", _step("return x + M"), WF, has="M = K * 2"
    ),
    "a match statement": _exported(
        "kind = 'a'\nmatch kind:\n    case 'a':\n        K = 1\n    case _:\n        K = 2", _step("return x + K"), WF
    ),
    "the else of a loop": _exported("for i in []:\n    pass\nelse:\n    K = 9", _step("return x + K"), WF),
    "a constant that is increased": _exported("K = 1\nK += 2", _step("return x + K"), WF, has="K = 1\nK += 2"),
    "a constant that is unpacked with a star": _exported("first, *rest = range(5)", _step("return x + sum(rest)"), WF),
    "a table whose loop variable is deleted": _exported(
        "T = {}\nfor i in range(3):\n    T[i] = i * i\ndel i", _step("return x + T[2]"), WF
    ),
    "a class with a metaclass": _exported(
        "class Meta(type):\n    def __call__(cls, *a):\n        return super().__call__(*a)",
        "class C(metaclass=Meta):\n    def v(self):\n        return 4",
        _step("return x + C().v()"),
        WF,
        has="class Meta\nclass C",
    ),
    "a generic function with a case in another cell": _exported(
        "from functools import singledispatch\n@singledispatch\ndef f(v):\n    return 0",
        "@f.register\ndef _(v: int):\n    return v + 1",
        _step("return f(x)"),
        WF,
        has="@singledispatch\n@f.register",
    ),
    "overloads of a function": _exported(
        "from typing import overload\n@overload\ndef f(v: int) -> int: ...\n@overload\ndef f(v: str) -> str: ...\n"
        "def f(v):\n    return v",
        _step("return f(x)"),
        WF,
    ),
    "a context manager": _exported(
        "from contextlib import contextmanager\n@contextmanager\ndef given():\n    yield 5",
        _step("with given() as k:\n    return x + k"),
        WF,
    ),
    "a helper with a cache that was used": _exported(
        "from functools import lru_cache\n@lru_cache\ndef f(x):\n    return x * 3\nf(4)",
        _step("return f(x)"),
        WF,
        lacks="f(4)",
    ),
    "an enum by a call": _exported(
        "from enum import Enum\nColor = Enum('Color', 'RED GREEN')", _step("return x + Color.GREEN.value"), WF
    ),
    "a cell whose output is captured": _exported(
        "%%capture said\nK = 3\nprint(K)", _step("return x + K"), WF, has="K = 3"
    ),
    "a function that calls what it replaced": _refused(
        "def f(x):\n    return x + 1",
        "_old = f\ndef f(x):\n    return _old(x) * 2",
        _step("return f(x)"),
        WF,
        why="_old holds code that no cell gives now",
    ),
    "a name of a text that was executed": _refused("exec('K = 3')", _step("return x + K"), WF, why="no cell defines K"),
    "a name that was set in the namespace": _refused(
        "globals()['K'] = 3", _step("return x + K"), WF, why="no cell defines K"
    ),
    # --- what is another in each process
    "a constant under the condition of a script": _refused(
        "if __name__ == '__main__':\n    K = 3",
        _step("return x + K"),
        WF,
        why="__name__ is '__main__' in a notebook only (cell 2, line 1)\nleave the condition",
    ),
    "a constant where an exception is ignored": _exported(
        "from contextlib import suppress\nK = 1\nwith suppress(ZeroDivisionError):\n    K = 4\n    K = 1 // 0",
        _step("return x + K"),
        WF,
        has="K = 1\nwith suppress",
    ),
    "a constant in another block": _refused(
        "from warnings import catch_warnings\nwith catch_warnings():\n    K = 4",
        _step("return x + K"),
        WF,
        why="`with catch_warnings():` isn't evaluated again",
    ),
    "a table that can't be changed": _exported(
        "from types import MappingProxyType\nT = MappingProxyType({'a': 4})", _step("return x + T['a']"), WF
    ),
    "names that exchange their values": _exported(
        "K, L = 1, 2", "K, L = L, K", _step("return x + K * 10 + L"), WF, has="K, L = 1, 2\nK, L = L, K"
    ),
    "names that exchange other values than they began with": _refused(
        "K, L = 1, 2", "L = 5", "K, L = L, K", _step("return x + K"), WF, why="K is made from itself"
    ),
    "constants of functions that calculate": _exported(
        "import struct, textwrap, zlib\nK = struct.unpack('<i', b'abcd')[0] + zlib.crc32(b'a')",
        _step("return x + K"),
        WF,
    ),
    "an experiment under the condition of a script": _exported(
        _step("return x"), WF, "if __name__ == '__main__':\n    wf(x=1)", lacks="__main__"
    ),
    "a logger with the name of the module": _exported(
        "import logging\nlog = logging.getLogger(__name__)", _step("log.debug('x')\nreturn x"), WF, has="(__name__)"
    ),
    "the hash of a text": _refused("K = hash('abc')", _step("return K"), WF, why="`hash('abc')` isn't evaluated again"),
    "a list of a set of texts": _refused(
        "NAMES = list({'a', 'b', 'c'})",
        _step("return ord(NAMES[0])"),
        WF,
        why="NAMES, a list, exists in the kernel only: it depends on the order of a set\nsorted(",
    ),
    "labels that are numbered through a set of another cell": _refused(
        "WORDS = frozenset('one two three'.split())",
        "NUMBERS = {}\nfor number, word in enumerate(WORDS):\n    NUMBERS[number] = word",
        _step("return len(NUMBERS[0])"),
        WF,
        why="NUMBERS, a dict, exists in the kernel only: it depends on the order of a set",
    ),
    "a list of two sets of texts": _refused(
        "A = {'a', 'b'}\nB = {'c', 'd'}",
        "C = [*(A | B)]",
        _step("return ord(C[0])"),
        WF,
        why="C, a list, exists in the kernel only: it depends on the order of a set",
    ),
    "a default and an attribute from a set of texts": _refused(
        "def f(names=[*{'a', 'b'}]):\n    return names[0]",
        "class Names:\n    first = list({'a', 'b'})[0]",
        _step("return ord(f()) + ord(Names.first)"),
        WF,
        why="f.names depends on the order of a set\nNames.first depends on the order of a set",
    ),
    "sets whose order doesn't count": _exported(
        "WORDS = set('one two three'.split())\nNUMBERS = [*{3, 1, 2}]",
        "NAMES = sorted(WORDS)\nSIZES = {word: len(word) for word in WORDS}\nBOTH = WORDS | {'four'}",
        _step("return len(NAMES[0]) + SIZES['three'] + len(BOTH) + NUMBERS[x - 1]"),
        WF,
    ),
    "a context variable that a cell sets": _refused(
        "from contextvars import ContextVar\nV = ContextVar('V', default=1)",
        "V.set(5)",
        _step("return x + V.get()"),
        WF,
        why="V, a ContextVar, isn't what its statements give now",
    ),
    "a context variable, a lock and what a thread keeps": _exported(
        "import threading\nfrom contextvars import ContextVar",
        "V = ContextVar('V', default=1)\nL = threading.Lock()\nR = threading.RLock()\nT = threading.local()\nT.a = 4",
        _step("with L, R:\n    return x + V.get() + T.a"),
        WF,
        has="T = threading.local()\nT.a = 4",
    ),
    "what a thread keeps and a function sets": _refused(
        "import threading\nT = threading.local()",
        "def fill():\n    T.a = 4",
        "fill()",
        _step("return x + T.a"),
        WF,
        why="T, a _local, isn't what its statements give now",
    ),
    "arrays and times by calls": _exported(
        "import numpy as np\nimport pandas as pd",
        "A = np.arange(6).reshape(2, 3).astype(float)\nDAY = pd.Timestamp('2020-01-02') + pd.Timedelta(days=1)",
        _step("return int(A[1, 0]) + DAY.day + x"),
        WF,
    ),
    "a time that is now": _refused(
        "import pandas as pd\nNOW = pd.Timestamp('now')",
        _step("return NOW.year"),
        WF,
        why="NOW, a Timestamp, isn't what its statements give now",
    ),
    "a constant that was written as a sum": _exported(
        ("k", "K = 60 * 60"), "def times(x, k=K):\n    return x * k", _step("return times(x)"), WF, ("k", "K = 3600")
    ),
    "a value that top-level code has awaited": _refused(
        "async def f():\n    return 3",
        "K = await f()",
        _step("return x + K"),
        WF,
        why="K, an int, exists in the kernel only",
    ),
}


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", SITUATIONS)
def test_export_gives_an_equal_module_or_refuses_by_name(name: str, tmp_path: Path) -> None:
    situation = SITUATIONS[name]
    with open_notebook() as notebook:
        notebook.run(START)
        for cell in situation.cells:
            text, key = (cell, None) if isinstance(cell, str) else (cell[1], cell[0])
            if "raise SystemError" in text:
                notebook.try_run(text)
            else:
                notebook.run(text, key=key)
        wf = notebook.names["wf"]
        if situation.refused:
            with pytest.raises(ExportError) as refusal:
                flytenb.export(wf)
            for part in situation.refused:
                assert part in refusal.value.message
            return
        made = flytenb.export(wf)
        assert flytenb.export(wf).text == made.text
        at = 0
        for text in situation.has:
            assert text in made.text[at:], made.text
            at = made.text.index(text, at)
        for text in situation.lacks:
            assert text not in made.text, made.text
        expected = eval(situation.call, notebook.names)
        with imported(made.text, tmp_path) as module:
            assert eval(situation.call, vars(module)) == expected
    with open_notebook() as notebook:
        notebook.run(*cells_of_module(made.text))
        assert flytenb.export(notebook.names["wf"]).text == made.text


def test_a_name_that_is_added_to_pythons_builtins_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_notebook() as notebook:
        monkeypatch.setattr(builtins, "ADDED", 3, raising=False)
        notebook.run(START, _step("return x + ADDED"), WF)
        with pytest.raises(ExportError, match="ADDED is added to Python's builtins, in this process only"):
            flytenb.export(notebook.names["wf"])
