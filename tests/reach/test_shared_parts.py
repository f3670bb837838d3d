"""Code that changes a part of an object which tasks share, whichever way it takes to the part, is kept apart from itself.

Python evaluates the rows as well: each body of `CHANGING` changes what it reaches, and no body of `READING` does.
"""
# ruff: noqa: E501 - a row is a row

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from flytekit import task

from flytenb.reach.state_uses import state_use_of
from tests.notebook_cells import NotebookCells

CELL = """
import array, collections, contextlib, copy, functools, itertools, json, operator, random, re, threading, types
import numpy as np, pandas as pd
D = {"a": [1], "b": [2]}; L = [[1], [2]]; BIG = [[i] for i in range(100)]; A = np.zeros(3); M = np.zeros((3, 3))
DF = pd.DataFrame({"a": [1, 2]}); B = bytearray(b"abc"); DQ = collections.deque([[1]]); NS = types.SimpleNamespace(xs=[1])
DD = collections.defaultdict(list); OD = collections.OrderedDict(a=[1]); N = [1, 2, 3]; ST = {1}
ARR = array.array("i", [1, 2]); C3 = np.zeros((2, 2, 2)); Y = np.arange(4.0)
OA = np.array([[1], [2, 3]], dtype=object); FL = pd.DataFrame({"xs": [[1], [2]], "k": [1, 2]})
DT = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
class O:
    def __init__(self): self.xs, self.d, self.a, self.kids = [1], {"k": [1]}, np.zeros(2), []
    def get(self): return self.xs
    def __getitem__(self, k): return self.d[k]
OB = O(); OBS = [O(), O()]
"""
CHANGING = {
    "values of a dict": "for v in D.values():\n    v.append(n)\nreturn str(D)",
    "items of a dict": "for k, v in D.items():\n    v.append(n)\nreturn str(D)",
    "an item of a long list": "BIG[n].append(n)\nreturn str(BIG[n])",
    "the items of a long list": "for x in BIG:\n    x[0] = n\nreturn str(BIG)",
    "enumerate": "for i, x in enumerate(L):\n    x[0] = n\nreturn str(L)",
    "zip": "for x, y in zip(L, L):\n    x[0] = n\nreturn str(L)",
    "sorted": "for x in sorted(L):\n    x.append(n)\nreturn str(L)",
    "reversed": "for x in reversed(L):\n    x.append(n)\nreturn str(L)",
    "a list of a list": "list(L)[0].append(n)\nreturn str(L)",
    "max": "max(L).append(n)\nreturn str(L)",
    "the first of an iterator": "next(iter(L)).append(n)\nreturn str(L)",
    "unpacking": "a, b = L\na.append(n)\nreturn str(L)",
    "unpacking with a rest": "a, *b = L\na.append(n)\nreturn str(L)",
    "a rest": "*a, b = L\na[0].append(n)\nreturn str(L)",
    "a starred item": "[*L][0].append(n)\nreturn str(L)",
    "a slice of a list": "L[:1][0].append(n)\nreturn str(L)",
    "a copied list": "L.copy()[0].append(n)\nreturn str(L)",
    "a shallow copy": "copy.copy(L)[0].append(n)\nreturn str(L)",
    "a comprehension": "[x for x in L][0].append(n)\nreturn str(L)",
    "a dict comprehension": "{i: x for i, x in enumerate(L)}[0].append(n)\nreturn str(L)",
    "a generator expression": "next((x for x in L)).append(n)\nreturn str(L)",
    "filter": "list(filter(None, L))[0].append(n)\nreturn str(L)",
    "a method given to map": "list(map(N.append, [n]))\nreturn str(N)",
    "a method of a class given to map": "list(map(list.append, L, [n, n]))\nreturn str(L)",
    "a bound method": "f = N.append\nf(n)\nreturn str(N)",
    "a bound method given to a function": "(lambda g: g(n))(N.append)\nreturn str(N)",
    "a partial of a method": "functools.partial(N.append, n)()\nreturn str(N)",
    "shuffle of a new generator": "random.Random(n).shuffle(N)\nreturn str(N)",
    "shuffle of numpy": "np.random.default_rng(n).shuffle(N)\nreturn str(N)",
    "operator.setitem": "operator.setitem(D, n, n)\nreturn str(D)",
    "operator.iadd": "operator.iadd(N, [n])\nreturn str(N)",
    "operator.methodcaller": "operator.methodcaller('append', n)(N)\nreturn str(N)",
    "an operator on a slice of an array": "v = A[:2]\nv += n\nreturn str(A)",
    "an item of a slice of an array": "v = A[:2]\nv[0] = n\nreturn str(A)",
    "a slice of an array": "A[:2][0] = n\nreturn str(A)",
    "a row of an array": "M[0][1] = n\nreturn str(M)",
    "a reshaped array": "A.reshape(3, 1).fill(n)\nreturn str(A)",
    "a transposed array": "M.T[0] = n\nreturn str(M)",
    "a flat array": "M.flat[0] = n\nreturn str(M)",
    "ravel": "np.ravel(M)[0] = n\nreturn str(M)",
    "asarray": "np.asarray(M)[0] = n\nreturn str(M)",
    "out by name": "np.add(A, n, out=A)\nreturn str(A)",
    "out by position": "np.add(A, n, A)\nreturn str(A)",
    "out in a tuple": "np.add(A, n, out=(A,))\nreturn str(A)",
    "ufunc.at": "np.add.at(A, [0], n)\nreturn str(A)",
    "rows of an array": "for r in M:\n    r[0] = n\nreturn str(M)",
    "loc of a frame": "DF.loc[0, 'a'] += n\nreturn str(DF.a.sum())",
    "iloc of a frame": "DF.iloc[0, 0] = n\nreturn str(DF['a'].sum())",
    "at of a frame": "DF.at[0, 'a'] = n\nreturn str(DF.sum())",
    "a column of a frame": "DF['a'] = n\nreturn str(DF.a.sum())",
    "an attribute of a frame": "DF.a = n\nreturn str(DF.a.sum())",
    "an inserted column": "DF.insert(0, f'c{n}', n)\nreturn str(DF.shape)",
    "inplace": "DF.replace(1, n, inplace=True)\nreturn str(DF.shape)",
    "attrs of a frame": "DF.attrs['n'] = n\nreturn str(DF.attrs)",
    "the names of columns": "DF.columns = [f'c{n}']\nreturn str(DF.columns)",
    "a memoryview": "m = memoryview(B)\nm[0] = n\nreturn str(B)",
    "frombuffer": "np.frombuffer(B, dtype='u1')[0] = n\nreturn str(B)",
    "a namespace": "NS.xs.append(n)\nreturn str(NS.xs)",
    "vars of a namespace": "vars(NS)['xs'].append(n)\nreturn str(NS)",
    "getattr": "getattr(NS, 'xs').append(n)\nreturn str(NS)",
    "operator.attrgetter": "operator.attrgetter('xs')(NS).append(n)\nreturn str(NS)",
    "operator.itemgetter": "operator.itemgetter('a')(D).append(n)\nreturn str(D)",
    "a default dict": "DD['x'].append(n)\nreturn str(DD)",
    "get of a dict": "D.get('a').append(n)\nreturn str(D)",
    "get or a default": "(D.get('a') or []).append(n)\nreturn str(D)",
    "a key in an f-string": "D[f\"{'a'}\"].append(n)\nreturn str(D)",
    "what a method returns": "OB.get().append(n)\nreturn str(OB.xs)",
    "the item of an object": "OB['k'].append(n)\nreturn str(OB.d)",
    "an array of an object": "OB.a[0] = n\nreturn str(OB.a)",
    "one of several objects": "OBS[n % 2].xs.append(n)\nreturn str([o.xs for o in OBS])",
    "several objects": "for o in OBS:\n    o.kids = [n]\nreturn str([o.kids for o in OBS])",
    "setattr by a name that isn't known": "setattr(OB, f'x{n}', n)\nreturn str(vars(OB))",
    "vars of an object": "vars(OB).update(z=n)\nreturn str(vars(OB))",
    "__dict__ of an object": "OB.__dict__['z'] = n\nreturn str(OB.__dict__)",
    "a conditional expression": "(L[0] if n else L[1]).append(n)\nreturn str(L)",
    "an assignment expression": "(q := L[0]).append(n)\nreturn str(L)",
    "nullcontext": "import contextlib\nwith contextlib.nullcontext(N) as x:\n    x.append(n)\nreturn str(N)",
    "reduce": "functools.reduce(lambda a, x: (a.append(x), a)[1], [n], N)\nreturn str(N)",
    "a deleted item": "del N[0]\nreturn str(N)",
    "an operator on a set": "s = ST\ns |= {n}\nreturn str(ST)",
    "an array.array": "ARR[0] = n\nreturn str(ARR)",
    "an item of a deque": "DQ[0].append(n)\nreturn str(DQ)",
    "an item of an ordered dict": "OD['a'].append(n)\nreturn str(OD)",
    "itertools.chain": "for x in itertools.chain(L, L):\n    x.append(n)\nreturn str(L)",
    "itertools.islice": "for x in itertools.islice(L, 1):\n    x.append(n)\nreturn str(L)",
    "an argument of a function": "\ndef go(xs):\n    for x in xs:\n        x.append(n)\ngo(L)\nreturn str(L)",
    "starred arguments": "\ndef go(*xs):\n    xs[0].append(n)\ngo(*L)\nreturn str(L)",
    "keyword arguments": "\ndef go(**k):\n    k['xs'].append(n)\ngo(xs=N)\nreturn str(N)",
    "a new dict": "{'k': N}['k'].append(n)\nreturn str(N)",
    "a new tuple": "(N,)[0].append(n)\nreturn str(N)",
    "a matched sequence": "match L:\n    case [a, b]:\n        a.append(n)\nreturn str(L)",
    "a matched mapping": "match D:\n    case {'a': a}:\n        a.append(n)\nreturn str(D)",
    "a matched class": "match OB:\n    case O(xs=a):\n        a.append(n)\nreturn str(OB.xs)",
    "a method given to a thread": "import threading\nt = threading.Thread(target=N.append, args=(n,))\nt.start()\nt.join()\nreturn str(N)",
    "a method given to a parser": "json.loads('{}', object_hook=N.append)\nreturn str(N)",
    "pop": "N.pop()\nreturn str(N)",
    "sort": "N.sort(key=lambda x: -x)\nreturn str(N)",
    "an item of a masked array of objects": "OA[OA != 0][0].append(n)\nreturn str(OA)",
    "a cell of a column of lists": "FL.at[0, 'xs'].append(n)\nreturn str(FL['xs'].tolist())",
    "a cell of a copied table of lists": "x = FL[FL['k'] > 0]\nx.iloc[0, 0].append(n)\nreturn str(FL['xs'].tolist())",
    "a cell of a filtered table of lists": "FL[['xs']].iloc[0, 0].append(n)\nreturn str(FL['xs'].tolist())",
    "rows by a key that is a slice or a mask": "k = slice(0, 2) if n else A > 1\nA[k][0] = n\nreturn str(A)",
    "rows by an unpacked key": "M[*[0]][1] = n\nreturn str(M)",
    "rows by a tuple": "M[(0,)][1] = n\nreturn str(M)",
    "a row by a position": "i = np.argsort(A)[0]\nM[i][1] = n\nreturn str(M)",
    "a plane by two numbers": "C3[0, 1][0] = n\nreturn str(C3)",
    "a slice beside a number": "v = M[0, 1:]\nv += n\nreturn str(M)",
    "a method in a callback": "re.sub('a', lambda m: N.append(n) or '', 'aa')\nreturn str(N)",
}
READING = {
    "a number of an array": "x = A[0]\nx += n\nreturn str(x)",
    "sums of an array": "return str(A.sum() + M.T[0].sum())",
    "sums of the values of a dict": "t = 0\nfor v in D.values():\n    t += sum(v)\nreturn str(t)",
    "a copy of a column": "x = DF.a.copy()\nx += n\nreturn str(x)",
    "a list of a list": "x = list(N)\nx.append(n)\nreturn str(x)",
    "a copied list": "x = N.copy()\nx.append(n)\nx = sorted(N)\nx.sort()\nreturn str(x)",
    "a copied array": "x = A.copy()\nx[0] = n\ny = A + 1\ny[0] = n\nreturn str(x)",
    "a dict of a dict": "x = dict(D)\nx['z'] = n\nreturn str(x)",
    "an array of an array": "x = np.array(A)\nx[0] = n\nreturn str(x)",
    "a filtered frame": "x = DF[DF.a > 0]\ny = x.groupby('a').sum()\ny['z'] = 1\nreturn str(y)",
    "a copied frame": "x = DF.copy()\nx['z'] = n\nx.loc[0, 'a'] = n\nreturn str(x)",
    "lengths": "m = {}\nfor k, v in D.items():\n    m[k] = len(v)\n    m.setdefault(k, [])\nreturn str(m)",
    "numbers of a list": "s = 0\nfor x in N:\n    s += x\nfor i, x in enumerate(N):\n    s += x\nreturn str(s)",
    "numbers of an array": "s = 0.0\nfor x in A:\n    s += x\nreturn str(s)",
    "a masked array": "z = Y[Y > 1]\nz[0] = n\nz = M[M >= 0]\nz += n\nreturn str(z)",
    "an array masked twice": "z = Y[(Y > 1) & ~(Y > 2)]\nz[0] = n\nreturn str(z)",
    "positions of a permutation": "k = np.random.default_rng(n).permutation(4)[:3]\nz = Y[k]\nz -= z.mean()\nreturn str(z)",
    "positions of argsort and where": "z = Y[np.argsort(Y)]\nz[0] = n\nz = Y[np.where(Y > 1)]\nz[0] = n\nreturn str(z)",
    "positions of a method": "z = Y[Y.argsort()]\nz[0] = n\nreturn str(z)",
    "positions in a list": "z = M[[0, 2]]\nz[0] = n\nk = [0, 1]\nz = M[k]\nz[0] = n\nreturn str(z)",
    "positions in a comprehension": "z = M[[i for i in range(2)]]\nz[0] = n\nreturn str(z)",
    "a filtered table": "d = DT[DT['a'] > 1]\nd['z'] = n\nd = DT.loc[DT.a > 1, ['a', 'b']]\nd['z'] = n\nreturn str(d)",
    "a table filtered twice": "d = DT[(DT.a > 1) & (DT.b == 'x')]\nd['z'] = n\nd['a'] += 1\nreturn str(d)",
    "a table filtered by a method": "d = DT[DT['b'].isin(['x'])]\nd['z'] = n\nd = DT[DT['b'].notna()]\nd['z'] = n\nreturn str(d)",
    "a table filtered by text": "d = DT[DT['b'].str.contains('x')]\nd['z'] = n\nreturn str(d)",
    "columns of a table": "d = DT[['a', 'b']]\nd['z'] = n\nreturn str(d)",
    "a cell of a table": "v = DT.loc[0, 'a']\nv += n\nv = DT.at[0, 'a']\nv += n\nv = DT.iloc[0, 0]\nv += n\nreturn str(v)",
    "a cell of an array": "v = M[0, 1]\nv += n\nfor i in range(2):\n    v += M[i, 0]\nreturn str(v)",
    "a shape": "r, c = M.shape\nr += n\nreturn str(r)",
    "the maximum of an array": "m = max(Y)\nm += n\nreturn str(m)",
    "max, sorted and next": "return str(max(N) + sum(sorted(N)) + next(iter(N)))",
    "other frames": "x = DF.assign(z=n)\nx['y'] = 1\nx = DF.reset_index()\nx['q'] = 3\nreturn str(x)",
    "a mapped column": "x = DF['a'].to_numpy().copy()\nx[0] = n\nx = DF['a'].map(lambda q: q + 1)\nx[0] = 1\nreturn str(x)",
}


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> NotebookCells:
    monkeypatch.delitem(sys.modules, "notebook_of_parts", raising=False)
    made = NotebookCells("notebook_of_parts")
    monkeypatch.setitem(sys.modules, "notebook_of_parts", made.module)
    made.run(CELL)
    return made


def defined(cells: NotebookCells, body: str) -> Any:
    """Define the body as `f(n)`."""
    cells.run("def f(n: int) -> str:\n" + "".join(f"    {line}\n" for line in body.splitlines()))
    return cells.f


def state(module: ModuleType) -> str:
    """What the cell's objects hold, as text."""
    found = {name: value for name, value in vars(module).items() if name.isupper() and name != "O"}
    inner = [vars(each) for each in (module.OB, *module.OBS)]
    return repr((found, inner, module.DF.attrs)).replace(" ", "")


def may_run_twice_at_once(function: Any) -> bool:
    use, _ = state_use_of(task(function), has_own_cwd=True)
    return use.conflict_with(use) is None


@pytest.mark.parametrize("name", CHANGING)
def test_code_that_changes_a_shared_object_is_kept_apart(name: str, cells: NotebookCells) -> None:
    module, function = cells.module, defined(cells, CHANGING[name])
    assert not may_run_twice_at_once(function)
    before = state(module)
    function(7)
    assert state(module) != before  # or the row is no example


@pytest.mark.parametrize("name", READING)
def test_code_that_only_reads_a_shared_object_is_not(name: str, cells: NotebookCells) -> None:
    module, function = cells.module, defined(cells, READING[name])
    assert may_run_twice_at_once(function)
    before = state(module)
    function(7)
    assert state(module) == before
