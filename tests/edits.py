"""Edits of notebooks: constructs that hold a number, places from which a task reaches them, and changes of both.

Each construct is source that defines `h`, with `{k}` for what is edited; each place is source that defines `f(x)`, which
calls `h(x)`. A table of every construct in every place is made of them.
"""
# ruff: noqa: E501 - a row is a row

from __future__ import annotations

PRELUDE = """
import abc, collections, contextvars, dataclasses, enum, functools, itertools, operator, os, string, sys, threading
import types, typing
from dataclasses import dataclass, field
from pathlib import Path
"""

CONSTRUCTS: dict[str, str] = {
    "a constant": "def h(x): return x * {k}",
    "a text": "def h(x): return 'a{k}'",
    "a default": "def h(x, by={k}): return x * by",
    "a keyword default": "def h(x, *, by={k}): return x * by",
    "a mutable default": "def h(x, by=[{k}]): return x * by[0]",
    "a lambda": "h = lambda x: x * {k}",
    "a lambda of a text": "h = lambda x: 'a{k}'",
    "the first text of a comprehension": "def h(x): return ''.join(['a{k}' for _ in range(x)])",
    "the first text of a generator": "def h(x): return ''.join('a{k}' for _ in range(x))",
    "a dict comprehension": "def h(x): return {{i: 'b{k}' for i in range(x)}}",
    "an inner function": "def h(x):\n    def inner(): return 'c{k}'\n    return inner()",
    "an inner class": "def h(x):\n    class A:\n        v = {k}\n    return A.v",
    "a docstring": "def h(x):\n    'says {k}'\n    return h.__doc__",
    "a docstring of a class": "class A:\n    'says {k}'\ndef h(x): return A.__doc__",
    "a docstring of a method": "class A:\n    def m(self):\n        'says {k}'\ndef h(x): return A.m.__doc__",
    "an annotation": "def g(a: 'n{k}'): pass\ndef h(x): return g.__annotations__['a']",
    "a global": "K = {k}\ndef h(x): return x * K",
    "a global tuple": "K = (1, ({k},))\ndef h(x): return K[1][0]",
    "a global dict": "K = {{'k': {k}}}\ndef h(x): return x * K['k']",
    "a dict in a list": "K = [{{'k': [{k}]}}]\ndef h(x): return x * K[0]['k'][0]",
    "a set": "K = {{1, {k}}}\ndef h(x): return sorted(K)",
    "a frozenset": "K = frozenset([{k}])\ndef h(x): return sorted(K)",
    "a long list": "K = [*range(150_000), {k}]\ndef h(x): return K[-1]",
    "a long table": "K = [(i, [i]) for i in range(101_000)] + [(0, [{k}])]\ndef h(x): return K[-1][1]",
    "a deep list": "K = [{k}]\nfor _ in range(3000): K = [K]\ndef h(x):\n    at = K\n    while type(at) is list: at = at[0]\n"
    "    return at",
    "a mapping proxy": "K = types.MappingProxyType({{'k': {k}}})\ndef h(x): return x * K['k']",
    "a memoryview": "K = memoryview(bytes([{k}]))\ndef h(x): return K[0]",
    "a bytearray": "K = bytearray([{k}])\ndef h(x): return K[0]",
    "dict keys": "K = {{{k}: 1}}.keys()\ndef h(x): return list(K)",
    "dict values": "K = {{1: {k}}}.values()\ndef h(x): return list(K)",
    "dict items": "K = {{1: {k}}}.items()\ndef h(x): return list(K)",
    "a context variable": "K = contextvars.ContextVar('K')\nK.set({k})\ndef h(x): return x * K.get()",
    "the default of a context variable": "K = contextvars.ContextVar('K', default={k})\ndef h(x): return x * K.get()",
    "a deque": "K = collections.deque([{k}])\ndef h(x): return K[0]",
    "a default dict": "K = collections.defaultdict(lambda: {k})\ndef h(x): return dict(K).get(1) or K.default_factory()",
    "an ordered dict": "K = collections.OrderedDict(a={k})\ndef h(x): return K['a']",
    "the order of an ordered dict": "K = collections.OrderedDict(a=1, b=2)\nif {k} == 3: K.move_to_end('a')\n"
    "def h(x): return list(K)",
    "a counter": "K = collections.Counter(a={k})\ndef h(x): return K['a']",
    "a chain map": "K = collections.ChainMap(dict(a={k}))\ndef h(x): return K['a']",
    "a namespace": "K = types.SimpleNamespace(k={k})\ndef h(x): return K.k",
    "an iterator": "K = itertools.repeat({k})\ndef h(x): return next(K)",
    "a slice": "K = slice({k})\ndef h(x): return 'abcdef'[K]",
    "a range": "K = range({k})\ndef h(x): return len(K)",
    "a class attribute": "class A:\n    k = {k}\ndef h(x): return x * A.k",
    "a private class attribute": "class A:\n    _k = {k}\ndef h(x): return x * A()._k",
    "a mangled class attribute": "class A:\n    __k = {k}\n    def m(self): return self.__k\ndef h(x): return A().m()",
    "a dunder class attribute": "class A:\n    __k__ = {k}\ndef h(x): return A.__k__",
    "a method": "class A:\n    def m(self): return {k}\ndef h(x): return A().m()",
    "a private method": "class A:\n    def _m(self): return {k}\n    def m(self): return self._m()\ndef h(x): return A().m()",
    "a static method": "class A:\n    @staticmethod\n    def m(): return {k}\ndef h(x): return A.m()",
    "a class method": "class A:\n    @classmethod\n    def m(cls): return {k}\ndef h(x): return A.m()",
    "a property": "class A:\n    @property\n    def m(self): return {k}\ndef h(x): return A().m",
    "a cached property": "class A:\n    @functools.cached_property\n    def m(self): return {k}\ndef h(x): return A().m",
    "a partial method": "class A:\n    def m(self, k): return k\n    n = functools.partialmethod(m, {k})\ndef h(x): return A().n()",
    "a descriptor": "class D:\n    def __init__(self, k): self.k = k\n    def __get__(self, o, c): return self.k\n"
    "class A:\n    m = D({k})\ndef h(x): return A().m",
    "a descriptor's method": "class D:\n    def __get__(self, o, c): return {k}\nclass A:\n    m = D()\ndef h(x): return A().m",
    "an operator": "class A:\n    def __add__(self, o): return {k}\ndef h(x): return A() + x",
    "a call operator": "class A:\n    def __call__(self, x): return x * {k}\nh = A()",
    "an iterator class": "class A:\n    def __iter__(self): return iter([{k}])\ndef h(x): return list(A())",
    "a base class": "class B:\n    def m(self): return {k}\nclass A(B): pass\ndef h(x): return A().m()",
    "a mixin": "class B:\n    v = {k}\nclass C: pass\nclass A(C, B): pass\ndef h(x): return A.v",
    "super": "class B:\n    def m(self): return {k}\nclass A(B):\n    def m(self): return super().m()\ndef h(x): return A().m()",
    "a metaclass method": "class M(type):\n    def k(cls): return {k}\nclass A(metaclass=M): pass\ndef h(x): return A.k()",
    "a metaclass's getattr": "class M(type):\n    def __getattr__(cls, name): return {k}\nclass A(metaclass=M): pass\n"
    "def h(x): return A.anything",
    "a class's init_subclass": "class B:\n    def __init_subclass__(cls, **kw): cls.v = {k}\nclass A(B): pass\ndef h(x): return A.v",
    "an abstract class": "class B(abc.ABC):\n    @abc.abstractmethod\n    def m(self): ...\nclass A(B):\n    def m(self): return {k}\n"
    "def h(x): return A().m()",
    "slots": "class A:\n    __slots__ = ('k',)\n    def __init__(self): self.k = {k}\ndef h(x): return A().k",
    "an object": "class A:\n    def __init__(self, k): self.k = k\nK = A({k})\ndef h(x): return K.k",
    "an object with slots": "class A:\n    __slots__ = ('k',)\nK = A(); K.k = {k}\ndef h(x): return K.k",
    "an object that leaves out its state": "class A:\n    def __init__(self, k): self.k = k\n    def __getstate__(self): return {{}}\n"
    "K = A({k})\ndef h(x): return K.k",
    "an object that reduces itself": "class A:\n    def __init__(self, k): self.k = k\n    def __reduce__(self): return (A, (0,))\n"
    "K = A({k})\ndef h(x): return K.k",
    "an object that can't be copied": "class A:\n    def __init__(self, k): self.k, self.lock = k, threading.Lock()\n"
    "    def __reduce_ex__(self, v): raise TypeError\nK = A({k})\ndef h(x): return K.k",
    "an object with a lock": "class A:\n    def __init__(self, k): self.k, self.lock = k, threading.RLock()\nK = A({k})\n"
    "def h(x):\n    with K.lock: return K.k",
    "an object with a getattr": "class A:\n    def __getattr__(self, name): return {k}\nK = A()\ndef h(x): return K.any",
    "a list's subclass": "class A(list): pass\nK = A([{k}])\ndef h(x): return K[0]",
    "a dict's subclass": "class A(dict): pass\nK = A(k={k})\ndef h(x): return K['k']",
    "an int's subclass": "class A(int): pass\nK = A({k})\ndef h(x): return int(K)",
    "a text's subclass": "class A(str): pass\nK = A('{k}')\ndef h(x): return str(K)",
    "an exception": "class A(Exception): pass\nK = A({k})\ndef h(x): return K.args",
    "a dataclass": "@dataclass\nclass A:\n    k: int\nK = A({k})\ndef h(x): return K.k",
    "a dataclass's default": "@dataclass\nclass A:\n    k: int = {k}\ndef h(x): return A().k",
    "a dataclass's factory": "@dataclass\nclass A:\n    k: list = field(default_factory=lambda: [{k}])\ndef h(x): return A().k",
    "a dataclass's flag": "@dataclass(order={k} == 3)\nclass A:\n    k: int\ndef h(x): return '__lt__' in vars(A)",
    "a dataclass's frozen flag": "@dataclass(frozen={k} == 3)\nclass A:\n    k: int\n"
    "def h(x):\n    a = A(1)\n    try: a.k = 2\n    except Exception: pass\n    return a.k",
    "a dataclass's repr": "@dataclass\nclass A:\n    k: int = field(default=1, repr={k} == 3)\ndef h(x): return repr(A())",
    "a dataclass's metadata": "@dataclass\nclass A:\n    k: int = field(default=1, metadata={{'m': {k}}})\n"
    "def h(x): return dataclasses.fields(A)[0].metadata['m']",
    "a named tuple's default": "class A(typing.NamedTuple):\n    k: int = {k}\ndef h(x): return A().k",
    "a named tuple": "A = collections.namedtuple('A', 'k', defaults=[{k}])\ndef h(x): return A().k",
    "a named tuple's value": "A = collections.namedtuple('A', 'k')\nK = A({k})\ndef h(x): return K.k",
    "an enum": "class A(enum.Enum):\n    B = {k}\ndef h(x): return A.B.value",
    "an enum's method": "class A(enum.Enum):\n    B = 1\n    def m(self): return {k}\ndef h(x): return A.B.m()",
    "an enum's alias": "class A(enum.Enum):\n    B = 1\n    C = 1 if {k} == 2 else 2\ndef h(x): return A.C is A.B",
    "a flag": "class A(enum.Flag):\n    B = {k}\ndef h(x): return A.B.value",
    "a typed dict": "class A(typing.TypedDict, total={k} == 3):\n    k: int\ndef h(x): return A.__total__",
    "a function attribute": "def g(): pass\ng.k = {k}\ndef h(x): return g.k",
    "its own attribute": "def h(x): return h.k\nh.k = {k}",
    "a closure": "def make(n):\n    def g(x): return x * n\n    return g\nh = make({k})",
    "a closure in a closure": "def make(n):\n    def outer():\n        def g(x): return x * n\n        return g\n    return outer()\nh = make({k})",
    "a closure of a list": "def make(n):\n    def g(x): return x * n[0]\n    return g\nh = make([{k}])",
    "a partial": "h = functools.partial(operator.mul, {k})",
    "a partial's keyword": "def g(x, by): return x * by\nh = functools.partial(g, by={k})",
    "a bound method": "class A:\n    def __init__(self, k): self.k = k\n    def m(self, x): return x * self.k\nh = A({k}).m",
    "an item getter": "g = operator.itemgetter({k})\ndef h(x): return g('abcdef')",
    "a decorator": "def d(g):\n    @functools.wraps(g)\n    def w(x): return g(x) * {k}\n    return w\n@d\ndef h(x): return x",
    "what is decorated": "def d(g):\n    @functools.wraps(g)\n    def w(x): return g(x)\n    return w\n@d\ndef h(x): return x * {k}",
    "a decorator with arguments": "def d(k):\n    def e(g): return lambda x: g(x) * k\n    return e\n@d({k})\ndef h(x): return x",
    "a decorating class": "class D:\n    def __init__(self, g): self.g = g\n    def __call__(self, x): return self.g(x)\n@D\n"
    "def h(x): return x * {k}",
    "a cached function": "@functools.lru_cache\ndef h(x): return x * {k}",
    "a single dispatch": "@functools.singledispatch\ndef h(x): return 0\n@h.register(int)\ndef _(x): return x * {k}",
    "a method by single dispatch": "class A:\n    @functools.singledispatchmethod\n    def m(self, x): return 0\n    @m.register(int)\n"
    "    def _(self, x): return x * {k}\ndef h(x): return A().m(x)",
    "a method made by exec": "class A: pass\nexec('def m(self): return {k}', globals())\nA.m = m\ndel m\ndef h(x): return A().m()",
    "a function made by exec": "exec('def h(x): return {k}', globals())",
    "a method set later": "class A: pass\nA.m = lambda self: {k}\ndef h(x): return A().m()",
    "a class made by type": "A = type('A', (), {{'k': {k}}})\ndef h(x): return A.k",
    "a generator function": "def g():\n    yield {k}\ndef h(x): return list(g())",
    "a coroutine": "async def g(): return {k}\ndef h(x):\n    c = g()\n    try: c.send(None)\n    except StopIteration as e: return e.value",
    "a context manager": "class A:\n    def __enter__(self): return {k}\n    def __exit__(self, *_): pass\n"
    "def h(x):\n    with A() as a: return a",
    "a match": "def h(x):\n    match x:\n        case int(): return {k}",
    "a caught exception": "def h(x):\n    try: [][1]\n    except ({{2: KeyError, 3: IndexError}}[{k}]): return 1\n    except Exception: return 2",
    "an f-string": "def h(x): return f'{{x}}-{k}'",
    "a format": "K = '{{:.{k}f}}'\ndef h(x): return K.format(x)",
    "a template": "K = string.Template('${{a}} {k}')\ndef h(x): return K.substitute(a=x)",
    "a list that it appends to": "K = [{k}]\ndef h(x):\n    K.append(x)\n    return K[0]",
    "a dict that it writes to": "K = {{'a': {k}}}\ndef h(x):\n    K['b'] = x\n    return K['a']",
    "a set that it adds to": "K = {{{k}}}\ndef h(x):\n    K.add(1)\n    return max(K)",
    "a dict that it pops from": "K = {{'a': {k}}}\ndef h(x): return K.pop('a', 1)",
    "a dict with a default set": "K = {{'a': {k}}}\ndef h(x): return K.setdefault('a', 1)",
    "a global that it rebinds": "K = {k}\ndef h(x):\n    global K\n    K = K + 0\n    return K",
    "a global that it counts": "K = {k}\ndef h(x):\n    global K\n    K += 1\n    return K",
    "a name by globals()": "K = {k}\ndef h(x): return globals()['K']",
    "a name by eval": "K = {k}\ndef h(x): return eval('K')",
    "a name by a function's globals": "K = {k}\ndef h(x): return h.__globals__['K']",
    "a list kept in a local": "K = [{k}]\ndef h(x):\n    own = K\n    own.append(1)\n    return own[0]",
    "an environment variable": "os.environ['FLYTENB_EDIT'] = '{k}'\ndef h(x): return os.environ['FLYTENB_EDIT']",
    "a variable by get": "os.environ['FLYTENB_EDIT'] = '{k}'\ndef h(x): return os.environ.get('FLYTENB_EDIT', '')",
    "a variable by getenv": "os.environ['FLYTENB_EDIT'] = '{k}'\ndef h(x): return os.getenv('FLYTENB_EDIT')",
    "a variable by a name": "os.environ['FLYTENB_EDIT'] = '{k}'\nNAME = 'FLYTENB_EDIT'\ndef h(x): return os.environ[NAME]",
    "a variable by a loop": "os.environ['FLYTENB_EDIT'] = '{k}'\ndef h(x): return [os.environ[n] for n in ['FLYTENB_EDIT']]",
    "a variable by a local": "os.environ['FLYTENB_EDIT'] = '{k}'\ndef h(x):\n    e = os.environ\n    return e['FLYTENB_EDIT']",
    "a file": "Path('edit.txt').write_text('{k}')\ndef h(x):\n    with open('edit.txt') as o: return o.read()",
    "a file by a global": "Path('edit.txt').write_text('{k}')\nP = 'edit.txt'\ndef h(x):\n    with open(P) as o: return o.read()",
    "a file by a path": "P = Path('edit.txt')\nP.write_text('{k}')\ndef h(x): return P.read_text()",
    "a file in a folder": "Path('folder').mkdir(exist_ok=True)\nPath('folder/edit.txt').write_text('{k}')\n"
    "def h(x): return (Path('folder') / 'edit.txt').read_text()",
    "a joined path": "Path('folder').mkdir(exist_ok=True)\nPath('folder/edit.txt').write_text('{k}')\nROOT = 'folder'\n"
    "def h(x):\n    with open(os.path.join(ROOT, 'edit.txt')) as o: return o.read()",
    "an f-string path": "Path('folder').mkdir(exist_ok=True)\nPath('folder/edit.txt').write_text('{k}')\nROOT = 'folder'\n"
    "def h(x):\n    with open(f'{{ROOT}}/edit.txt') as o: return o.read()",
    "a listed folder": "Path('folder').mkdir(exist_ok=True)\nPath('folder/n{k}.txt').write_text('')\n"
    "def h(x): return len(os.listdir('folder'))",
}

PLACES: dict[str, str] = {
    "called": "def f(x): return repr(h(x))",
    "by a helper": "def via(x): return h(x)\ndef f(x): return repr(via(x))",
    "in a lambda": "via = lambda x: h(x)\ndef f(x): return repr(via(x))",
    "in a comprehension": "def f(x): return repr([h(y) for y in [x]])",
    "in an inner function": "def f(x):\n    def inner(y): return h(y)\n    return repr(inner(x))",
    "by a default": "def f(x, g=h): return repr(g(x))",
    "in a table": "TABLE = {'a': [h]}\ndef f(x): return repr(TABLE['a'][0](x))",
    "by a method": "class Caller:\n    def m(self, x): return h(x)\ndef f(x): return repr(Caller().m(x))",
    "by an object": "class Caller:\n    def __init__(self, g): self.g = g\nCALLER = Caller(h)\ndef f(x): return repr(CALLER.g(x))",
    "in a closure": "def closing(g):\n    def f(x): return repr(g(x))\n    return f\nf = closing(h)",
    "by a decorator": "def deco(g):\n    @functools.wraps(g)\n    def w(x): return repr(h(g(x)))\n    return w\n@deco\n"
    "def f(x: int) -> str: return x",
    "by a partial": "part = functools.partial(h)\ndef f(x): return repr(part(x))",
    "by map": "def f(x): return repr(list(map(h, [x])))",
    "by another name": "other = h\ndef f(x): return repr(other(x))",
}

SAME: dict[str, tuple[str, str]] = {
    "the same again": ("def h(x): return x * 2", "def h(x): return x * 2"),
    "a comment": ("def h(x): return x * 2", "# doubled\ndef h(x): return x * 2  # twice"),
    "lines": ("def h(x): return x * 2", "\n\n\ndef h(x):\n\n    return x * 2\n"),
    "spaces": ("def h(x): return x * 2", "def h( x ) : return ( x*2 )"),
    "a line broken": ("def h(x): return max(x, 2)", "def h(x):\n    return max(\n        x,\n        2,\n    )"),
    "quotes": ("def h(x): return 'a'", 'def h(x): return "a"'),
    "how a number is written": ("def h(x): return 1000", "def h(x): return 1_000"),
    "what isn't reached": ("y = 1\ndef h(x): return x", "y = 2\ndef h(x): return x"),
    "a helper that isn't called": ("def g(): return 1\ndef h(x): return x", "def g(): return 2\ndef h(x): return x"),
    "an equal list": ("K = [1, [2]]\ndef h(x): return K", "K = [1] + [[2]]\ndef h(x): return K"),
    "an equal object": ("@dataclass\nclass A:\n    k: int\nK = A(1)\ndef h(x): return K.k",) * 2,
    "an equal set": (
        "K = {'a', 'b', 'c'}\ndef h(x): return 'a' in K",
        "K = {'c', 'b', 'a'}\ndef h(x): return 'a' in K",
    ),
    "a class": (
        "class A:\n    def m(self): return 1\ndef h(x): return A().m()",
        "class A:\n    # one\n    def m(self):\n        return 1\n\ndef h(x): return A().m()",
    ),
    "a list that it only writes to": (
        "K = []\ndef h(x):\n    K.append(x)\n    return x",
        "K = [1]\ndef h(x):\n    K.append(x)\n    return x",
    ),
    "a counter that it only counts": (
        "K = 0\ndef h(x):\n    global K\n    K += 1\n    return x",
        "K = 7\ndef h(x):\n    global K\n    K += 1\n    return x",
    ),
    "a variable that it only sets": (
        "os.environ['FLYTENB_SET'] = '1'\ndef h(x):\n    os.environ['FLYTENB_SET'] = '3'\n    return x",
        "os.environ['FLYTENB_SET'] = '2'\ndef h(x):\n    os.environ['FLYTENB_SET'] = '3'\n    return x",
    ),
    "a variable that isn't read": (
        "os.environ['FLYTENB_SET'] = '1'\ndef h(x): return os.environ.get('FLYTENB_EDIT')",
        "os.environ['FLYTENB_SET'] = '2'\ndef h(x): return os.environ.get('FLYTENB_EDIT')",
    ),
    "a file that it only writes": (
        "Path('out.txt').write_text('1')\ndef h(x):\n    with open('out.txt', 'w') as o: o.write('3')",
        "Path('out.txt').write_text('2')\ndef h(x):\n    with open('out.txt', 'w') as o: o.write('3')",
    ),
    "a metaclass with a getattr": (
        "class M(type):\n    def __getattr__(cls, n): return 1\nclass A(metaclass=M): pass\ndef h(x): return A.b",
    )
    * 2,
    "a single dispatch": ("@functools.singledispatch\ndef h(x): return 0\n@h.register(int)\ndef _(x): return x",) * 2,
    "an enum": ("class A(enum.Flag):\n    B = 1\n    C = 2\ndef h(x): return (A.B | A.C).value",) * 2,
    "an abstract class": (
        "class A(abc.ABC):\n    def m(self): return isinstance(1, A)\nclass B(A): pass\ndef h(x): return B().m()",
    )
    * 2,
    "a pattern": ("import re\nK = re.compile('a')\ndef h(x): return bool(K.match('a'))",) * 2,
    "a lock": ("L = threading.Lock()\ndef h(x):\n    with L: return x",) * 2,
    "a logger": ("import logging\nlog = logging.getLogger('a')\ndef h(x):\n    log.debug('%s', x)\n    return x",) * 2,
    "an import inside": ("def h(x):\n    import json\n    return json.dumps(x)",) * 2,
    "a slow import": ("def h(x):\n    import wave\n    return wave.Error(x)",) * 2,
    "an array": ("import numpy as np\nK = np.arange(3)\ndef h(x): return int(K.sum())",) * 2,
    "a frame": ("import pandas as pd\nK = pd.DataFrame({'a': [1]})\ndef h(x): return int(K.a.sum())",) * 2,
}
"""Changes, and runs of the same cell, after which the answer is the same."""  # fmt: skip
