"""Vocabulary of the random programs: types, the preamble and the tasks, each as source text.

A task's text is the body of a plain function. The oracle runs the same function without decorators; where a body
handles files, the oracle runs `plain` instead, in which a file is its text and a directory is the texts of its files.
"""

from __future__ import annotations

from dataclasses import dataclass

TYPES = {
    "int": "int",
    "text": "str",
    "ints": "list[int]",
    "table": "dict[str, int]",
    "point": "Point",
    "points": "list[Point]",
    "maybe": "Optional[int]",
    "maybes": "list[Optional[int]]",
    "either": "Union[int, str]",
    "moment": "datetime",
    "span": "timedelta",
    "colour": "Colour",
    "pair": "Pair",
    "file": "FlyteFile",
    "folder": "FlyteDirectory",
    "frame": "pd.DataFrame",
    "none": "None",
}
"""Every type of a program's values by its short name, as an annotation."""

UNLOGGED = ("file", "folder", "frame")
"""Types whose values are not part of a log entry: they have no short text."""

PREAMBLE = '''\
import asyncio
import functools
import time
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Optional, Union


class Boom(Exception):
    """What the tasks of this program raise."""


@dataclass
class Inner:
    z: int


@dataclass
class Point:
    x: int
    ys: list[int]
    tags: dict[str, int]
    inner: Inner


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Pair(NamedTuple):
    lo: int
    hi: int
'''
"""What both a program and its oracle begin with."""

FLYTEKIT = """\
import flytekit
from flytekit import LaunchPlan, WorkflowFailurePolicy, conditional, dynamic, eager, map_task, task, workflow
from flytekit.core.node_creation import create_node
from flytekit.exceptions.user import FlyteRecoverableException as Recoverable
from flytekit.types.directory import FlyteDirectory
from flytekit.types.error import FlyteError
from flytekit.types.file import FlyteFile


def note(name, *args):
    entry = f"{name}({', '.join(map(repr, args))})"
    with open(LOG, "a") as log:
        log.write(entry + "\\n")
    chance = zlib.crc32(f"{SEED} {entry}".encode())
    if chance % 3 == 0:
        time.sleep(chance // 3 % 4 / 1000)


def attempts(start):
    return sum(line.startswith(start) for line in Path(LOG).read_text().splitlines())


def place(name):
    return Path(flytekit.current_context().working_directory) / name
"""
"""What only a program begins with: `note` logs a call and sometimes sleeps up to 3 ms, by the seed and the call."""


@dataclass(frozen=True)
class Task:
    """One task: its interface as short type names, and its body."""

    name: str
    params: tuple[tuple[str, str], ...]
    returns: str
    body: str
    plain: str = ""
    options: str = ""
    is_async: bool = False

    def function(self, *, plain: bool = False) -> str:
        """Return the source of the function, for a program or for its oracle."""
        head = "async def" if self.is_async and not plain else "def"
        if plain:
            params = ", ".join(name for name, _ in self.params)
            arrow = ""
        else:
            params = ", ".join(f"{name}: {TYPES[kind]}" for name, kind in self.params)
            arrow = f" -> {TYPES[self.returns]}"
        logged = ", ".join(name for name, kind in self.params if kind not in UNLOGGED)
        lines = [f"note({', '.join(filter(None, (repr(self.name), logged)))})"]
        if self.is_async and not plain:
            lines.append("await asyncio.sleep(0)")
        lines += ((plain and self.plain) or self.body).strip().splitlines()
        return f"{head} {self.name}({params}){arrow}:\n" + "".join(f"    {line}\n" for line in lines)

    def source(self) -> str:
        """Return the source of the task."""
        return (f"@task({self.options})\n" if self.options else "@task\n") + self.function()


def _task(name: str, params: str, returns: str, body: str, **more: object) -> Task:
    pairs = tuple((p.split(":")[0], p.split(":")[1]) for p in params.split())
    return Task(name, pairs, returns, body, **more)  # type: ignore[arg-type]


def _flaky(retries: int) -> Task:
    name = f"flaky{retries}"
    body = f'if attempts(f"{name}({{tag!r}},") <= times:\n    raise Recoverable(f"not yet {{tag}}")\nreturn x + times\n'
    return _task(name, "tag:text x:int times:int", "int", body, options=f"retries={retries}")


_ALL = [
    _task("inc", "x:int", "int", "return x + 1"),
    _task("slow", "x:int", "int", "time.sleep(0.003)\nreturn x + 2", plain="return x + 2"),
    _task("ainc", "x:int", "int", "return x + 3", is_async=True),
    _task("add", "x:int y:int", "int", "return (x + y) % 1009"),
    _task("spread", "x:int", "ints", "return [x + i for i in range(x % 4)]"),
    _task("total", "xs:ints", "int", "found = sum(xs) % 1009\nxs.append(1000)\nreturn found"),
    _task("ordered", "xs:ints", "ints", "xs.sort()\nxs.append(7)\nreturn xs"),
    _task("table", "x:int", "table", 'return {"a": x, "b": x + 1}'),
    _task("tally", "table:table", "int", 'found = sum(table.values()) % 1009\ntable["new"] = 1\nreturn found'),
    _task("grow", "table:table x:int", "table", 'table["a"] = table["a"] + x\ntable["c"] = x\nreturn table'),
    _task("point", "x:int", "point", 'return Point(x, [x, x + 1], {"k": x * 2}, Inner(x + 5))'),
    _task("shift", "p:point", "point", "p.x += 1\np.ys.append(9)\np.inner.z -= 1\nreturn p"),
    _task(
        "weigh",
        "p:point",
        "int",
        "found = p.x + sum(p.ys) + p.inner.z\np.ys.clear()\np.tags.clear()\np.inner.z = 0\nreturn found % 1009",
    ),
    _task("gather", "ps:points", "int", "found = sum(p.x for p in ps) % 1009\nps[:1] = []\nreturn found"),
    _task("maybe", "x:int", "maybe", "return None if x % 3 == 0 else x"),
    _task("unmaybe", "m:maybe", "int", "return -1 if m is None else m"),
    _task("present", "ms:maybes", "int", "return sum(1 for m in ms if m is not None)"),
    _task("either", "x:int", "either", 'return x if x % 2 else f"text {x}"'),
    _task("uneither", "e:either", "int", "return e if isinstance(e, int) else len(e)"),
    _task("moment", "x:int", "moment", "return datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(hours=x)"),
    _task("span", "x:int", "span", "return timedelta(seconds=x, milliseconds=250)"),
    _task("later", "m:moment s:span", "moment", "return m + s"),
    _task("hours", "m:moment", "int", "return int(m.timestamp()) // 3600 % 1009"),
    _task("colour", "x:int", "colour", "return list(Colour)[x % 3]"),
    _task("uncolour", "c:colour", "int", "return len(c.value)"),
    _task("pair", "x:int", "pair", "return Pair(lo=x - 1, hi=x + 1)"),
    _task("void", "x:int", "none", "return None"),
    _task("check3", "x:int", "int", 'if x % 3 == 0:\n    raise Boom(f"boom {x}")\nreturn x'),
    _task("check7", "x:int", "int", 'if x % 7 == 0:\n    raise Boom(f"boom {x}")\nreturn x + 10'),
    _task("acheck", "x:int", "int", 'if x % 3 == 0:\n    raise Boom(f"boom {x}")\nreturn x + 20', is_async=True),
    _task("cached", "x:int", "int", "return x + 4", options="cache=True, cache_version=VERSION"),
    _flaky(1),
    _flaky(2),
    _task(
        "write",
        "x:int",
        "file",
        'place("out").write_text(f"file {x}")\nreturn FlyteFile(str(place("out")))',
        plain='return f"file {x}"',
    ),
    _task(
        "spoil",
        "f:file",
        "int",
        'found = len(open(f).read())\nopen(f, "w").write("spoilt by its reader")\nreturn found',
        plain="return len(f)",
    ),
    _task(
        "extend",
        "f:file",
        "file",
        'with open(f, "a") as out:\n    out.write(" and more")\nreturn FlyteFile(f.path)',
        plain='return f + " and more"',
    ),
    _task(
        "folder",
        "x:int",
        "folder",
        'place("d").mkdir()\nfor i in range(1 + x % 2):\n    (place("d") / f"{i}.txt").write_text(f"{x} {i}")\n'
        'return FlyteDirectory(str(place("d")))',
        plain='return {f"{i}.txt": f"{x} {i}" for i in range(1 + x % 2)}',
    ),
    _task(
        "count",
        "d:folder",
        "int",
        "here = Path(d)\nfound = sum(len(p.read_text()) for p in here.iterdir())\n"
        '(here / "new.txt").write_text("new")\nfor p in here.iterdir():\n    p.write_text("spoilt")\nreturn found',
        plain="return sum(map(len, d.values()))",
    ),
    _task("frame", "x:int", "frame", 'return pd.DataFrame({"a": [x, x + 1], "b": ["u", "v"]})'),
    _task("column", "d:frame", "int", 'found = int(d["a"].sum()) % 1009\nd["a"] = 0\nreturn found'),
]

TASKS = {task.name: task for task in _ALL}
"""Every task by its name."""

PRODUCERS = {
    "ints": ["spread", "ordered"],
    "table": ["table", "grow"],
    "point": ["point", "shift"],
    "maybe": ["maybe"],
    "either": ["either"],
    "moment": ["moment", "later"],
    "span": ["span"],
    "colour": ["colour"],
    "file": ["write", "extend"],
    "folder": ["folder"],
    "frame": ["frame"],
}
"""Which tasks make a value of a type; the first of each needs nothing but a number."""

ONE_INT = ["inc", "slow", "check7", "check3"]
"""Tasks from a number to a number that may stand in conditionals, maps and dynamic tasks; the last two may fail."""
