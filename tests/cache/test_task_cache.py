"""Keys say what goes in, and nothing else; what is stored comes back as it would from a literal."""

from __future__ import annotations

import enum
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
from flytekit import HashMethod, task
from flytekit.core.local_cache import LocalTaskCache
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

import flytenb
from flytenb.bridge.context import Workspace
from flytenb.bridge.crossing import hash_of, packer
from flytenb.bridge.workflow.policy import task_policy
from flytenb.cache import store as cache_store
from flytenb.cache.single_flight import SingleFlight
from flytenb.cache.task_cache import TaskCache
from flytenb.model import CacheStatus


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"

    def __repr__(self) -> str:
        return "a colour"


@dataclass
class Point:
    x: float
    y: float


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diskcache import Cache as Store

    monkeypatch.setattr(LocalTaskCache, "_cache", Store(str(tmp_path / "cache")), raising=False)
    monkeypatch.setattr(LocalTaskCache, "_initialized", True)


def cache_of(declared: Any, returns: Any = int) -> TaskCache:
    def of(x: declared) -> returns:  # type: ignore[valid-type]
        return x

    of.__annotations__ = {"x": declared, "return": returns}
    made = task(of, cache=True, cache_version="1")
    return TaskCache(made, task_policy(made))


@dataclass
class Place:
    """The same fields as Point."""

    x: float
    y: float


@dataclass
class Holder:
    file: FlyteFile


class Bag:
    """Crosses as a pickle."""

    def __init__(self, *held: Any) -> None:
        self.held = held


def shared_and_not(is_shared: bool) -> Bag:
    one, other = ["a"], ["a"]
    return Bag(one, one if is_shared else other)


def with_attributes(*names: str) -> Bag:
    made = Bag()
    for name in names:
        setattr(made, name, 1)
    return made


def frame(**changes: Any) -> pd.DataFrame:
    made = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4], "c": ["x", "y"]})
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def zoned(zone: str) -> pd.DataFrame:
    return pd.DataFrame({"t": pd.to_datetime(["2020-01-01T00:00"], utc=True).tz_convert(zone)})


def categories(of: str, *, ordered: bool = False) -> pd.DataFrame:
    return pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=list(of), ordered=ordered)})


def renamed(of: str) -> pd.DataFrame:
    made = frame()
    getattr(made, of).name = "named"
    return made


def file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


EQUAL: list[tuple[str, Any, Callable[[], Any]]] = [
    ("int", int, lambda: 3),
    ("text", str, lambda: "é\n\ud7ff"),
    ("none", int | None, lambda: None),
    ("enum", Colour, lambda: Colour.RED),
    ("list", list[int], lambda: [1, 2]),
    ("dict", dict[str, float], lambda: {"a": 1.0, "b": float("inf")}),
    ("dataclass", Point, lambda: Point(1.0, 2.0)),
    ("array", np.ndarray, lambda: np.arange(6.0).reshape(2, 3)),
    ("frame", pd.DataFrame, frame),
    ("frame with an index", pd.DataFrame, lambda: frame(index=pd.Index([5, 7], name="i"))),
    ("frame of dates", pd.DataFrame, lambda: pd.DataFrame({"t": pd.to_datetime(["2020-01-01", "2021-01-01"])})),
    ("frame of objects", pd.DataFrame, lambda: pd.DataFrame({"o": pd.Series(["a", None], dtype=object)})),
    ("pickle of a set", Bag, lambda: Bag({"a", "b", "c"}, frozenset([1, 2]))),
    ("pickle of a function", Bag, lambda: Bag(lambda x: x + 1)),
    ("anything", Any, lambda: {"a": (1, 2.0, None)}),
    ("empty array", np.ndarray, lambda: np.zeros((0, 3))),
    ("array without axes", np.ndarray, lambda: np.array(5.0)),
    ("array of texts", np.ndarray, lambda: np.array(["a", "b"])),
    ("empty frame", pd.DataFrame, lambda: pd.DataFrame({"a": np.zeros(0)})),
    ("frame of zoned dates", pd.DataFrame, lambda: pd.DataFrame({"t": pd.to_datetime(["2020-01-01"], utc=True)})),
    ("frame of categories", pd.DataFrame, lambda: pd.DataFrame({"c": pd.Categorical(["b", "a"])})),
    ("frame by position", pd.DataFrame, lambda: pd.DataFrame(np.ones((3, 2)), columns=["a", "b"])),
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("declared", "make"), [pytest.param(t, m, id=name) for name, t, m in EQUAL])
def test_equal_values_made_apart_have_one_key(declared: Any, make: Callable[[], Any]) -> None:
    cache = cache_of(declared)
    assert cache.key({"x": make()}) == cache.key({"x": make()})


def test_which_parts_of_a_pickled_object_are_one_is_not_what_it_says() -> None:
    cache = cache_of(Bag)
    assert cache.key({"x": shared_and_not(True)}) == cache.key({"x": shared_and_not(False)})
    assert cache.key({"x": with_attributes("a", "b")}) == cache.key({"x": with_attributes("b", "a")})


def test_a_file_inside_a_dataclass_is_its_content(tmp_path: Path) -> None:
    cache = cache_of(list[Holder])
    path = file(tmp_path, "one", "a")

    def key(at: str) -> str:
        return cache.key({"x": [Holder(FlyteFile(at))]})

    before = key(path)
    (tmp_path / "elsewhere").mkdir()
    assert before == key(file(tmp_path / "elsewhere", "one", "a")) != key(file(tmp_path / "elsewhere", "one", "b"))
    assert key(file(tmp_path, "another", "a")) != before, "a task may read the name"
    file(tmp_path, "one", "changed")
    assert key(path) != before


def test_a_directory_is_the_names_in_it_and_what_they_hold(tmp_path: Path) -> None:
    cache = cache_of(FlyteDirectory)

    def key(**held: str | None) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir()))) / "folder"
        folder.mkdir(parents=True)
        for name, text in held.items():
            if text is None:
                (folder / name).mkdir()
            else:
                (folder / name).write_text(text)
        return cache.key({"x": FlyteDirectory(str(folder))})

    assert key(a="1", b="2") == key(b="2", a="1")
    keys = [key(a="1", b="2"), key(a="2", b="1"), key(a="12"), key(a="1"), key(a="1", b=""), key(a="1", b=None), key()]
    assert len(set(keys)) == len(keys)


def test_files_of_equal_content_have_one_key_wherever_they_are(tmp_path: Path) -> None:
    cache = cache_of(FlyteFile)
    for folder in "abc":
        (tmp_path / folder).mkdir()
    one, same, other = (file(tmp_path / folder, "name", text) for folder, text in zip("abc", "aab", strict=True))
    assert cache.key({"x": one}) == cache.key({"x": same}) != cache.key({"x": other})


def test_files_of_equal_content_and_another_name_have_another_key(tmp_path: Path) -> None:
    cache = cache_of(FlyteFile)
    assert cache.key({"x": file(tmp_path, "a", "same")}) != cache.key({"x": file(tmp_path, "b", "same")})


def test_a_hash_of_the_producer_s_takes_the_place_of_the_value() -> None:
    def same(value: int) -> str:
        return "same"

    hashing = packer(Annotated[int, HashMethod(same)])
    one, other = hashing(1), hashing(2)
    assert hash_of(one) == hash_of(other) == "same"
    assert hash_of(packer(int)(1)) is None
    cache = cache_of(int)
    assert cache.key({"x": 1}, {"x": "same"}) == cache.key({"x": 2}, {"x": "same"}) != cache.key({"x": 1})


@pytest.mark.parametrize("damage", ["not a database", "a page", "a table"])
def test_a_damaged_store_is_replaced_and_said_once(damage: str, tmp_path: Path) -> None:
    store = LocalTaskCache._cache
    cache = cache_of(int)
    keys = [cache.key({"x": n}) for n in range(200)]
    for key in keys:
        cache.put(key, {"o0": packer(int)(1)})
    path = tmp_path / "cache" / "cache.db"
    if damage == "a table":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("drop table Cache")
    else:
        store.close()
        for extra in path.parent.glob("cache.db-*"):
            extra.unlink()
        held = bytearray(path.read_bytes())
        begin = 0 if damage == "not a database" else 4096
        held[begin : begin + 20_000] = b"\xff" * len(held[begin : begin + 20_000])
        path.write_bytes(held)

    with pytest.raises(cache_store.DamagedStoreError, match="a new cache was started"):
        for key in keys:
            cache.get(key)
    cache.put(keys[0], {"o0": packer(int)(2)})
    found = cache.get(keys[0])
    assert found is not None
    assert found["o0"].native() == 2
    assert [folder.name for folder in tmp_path.glob("*.damaged-*")] == ["cache.damaged-1"]


@pytest.mark.parametrize("stored", [b"\x80\x05garbage", b""], ids=repr)
def test_an_entry_that_can_not_be_read_counts_as_nothing(stored: bytes, tmp_path: Path) -> None:
    cache = cache_of(int)
    key = cache.key({"x": 1})
    cache.put(key, {"o0": packer(int)(1)})
    with closing(sqlite3.connect(tmp_path / "cache" / "cache.db")) as connection, connection:
        connection.execute("update Cache set value = ?", (stored,))
    assert cache.get(key) is None
    cache.put(key, {"o0": packer(int)(2)})
    assert cache.get(key) is not None


def test_the_store_is_private_to_the_user(tmp_path: Path) -> None:
    (tmp_path / "cache").chmod(0o755)
    cache_of(int).get("key")
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_an_array_has_one_key_whatever_memory_it_lies_in() -> None:
    cache = cache_of(np.ndarray)
    wide = np.arange(12.0).reshape(3, 4)
    assert cache.key({"x": wide[:, ::2]}) == cache.key({"x": wide[:, ::2].copy()})


DIFFERENT: list[tuple[str, Any, Any, Any]] = [
    ("ints", int, 1, 2),
    ("zeros", float, 0.0, -0.0),
    ("texts", str, "1", "01"),
    ("none and zero", int | None, None, 0),
    ("enums whose repr is the same", Colour, Colour.RED, Colour.BLUE),
    ("lists", list[str], ["ab", "c"], ["a", "bc"]),
    ("dataclasses", Point, Point(1.0, 2.0), Point(2.0, 1.0)),
    ("arrays", np.ndarray, np.zeros(3), np.ones(3)),
    ("shapes", np.ndarray, np.zeros((2, 3)), np.zeros((3, 2))),
    ("dtypes", np.ndarray, np.zeros(2, "f8"), np.zeros(2, "i8")),
    ("orders of axes", np.ndarray, np.zeros((2, 3)), np.zeros((2, 3), order="F")),
    ("square arrays turned", np.ndarray, np.arange(4.0).reshape(2, 2), np.arange(4.0).reshape(2, 2).T),
    ("cells", pd.DataFrame, frame(), frame(a=[1.0, 2.5])),
    ("texts in a column", pd.DataFrame, frame(), frame(c=["x", "z"])),
    ("labels", pd.DataFrame, frame(), frame().rename(columns={"a": "A"})),
    ("labels of another type", pd.DataFrame, pd.DataFrame({"1": [1]}), pd.DataFrame({1: [1]})),
    ("column types", pd.DataFrame, frame(), frame(b=np.array([3, 4], "int32"))),
    ("indexes", pd.DataFrame, frame(), frame(index=pd.Index([5, 7]))),
    ("ranges", pd.DataFrame, frame(), frame(index=pd.RangeIndex(1, 3))),
    ("names of an index", pd.DataFrame, frame(), renamed("index")),
    ("the type of an index", pd.DataFrame, frame(index=pd.Index([5, 7])), frame(index=pd.Index([5, 7], dtype="int32"))),
    ("a text and none", pd.DataFrame, frame(c=["x", None]), frame(c=["x", "nan"])),
    ("an empty text and none", pd.DataFrame, frame(c=["x", None]), frame(c=["x", ""])),
    ("the order of columns", pd.DataFrame, frame(), frame()[["b", "a", "c"]]),
    (
        "resolutions",
        pd.DataFrame,
        zoned("UTC").astype("datetime64[us, UTC]"),
        zoned("UTC").astype("datetime64[s, UTC]"),
    ),
    ("zones", pd.DataFrame, zoned("UTC"), zoned("Europe/Rome")),
    ("categories", pd.DataFrame, categories("ab"), categories("ba")),
    ("ordered categories", pd.DataFrame, categories("ab"), categories("ab", ordered=True)),
    ("attributes of a frame", pd.DataFrame, frame(), frame(attrs={"unit": "m"})),
    ("byte orders", np.ndarray, np.zeros(2, "<f8"), np.zeros(2, ">f8")),
    ("units of time", np.ndarray, np.zeros(2, "m8[s]"), np.zeros(2, "m8[ms]")),
    ("empty shapes", np.ndarray, np.zeros((0, 3)), np.zeros((3, 0))),
    ("nothing and an axis", np.ndarray, np.array(5.0), np.array([5.0])),
    ("texts in arrays", np.ndarray, np.array(["a"]), np.array(["a"], "U2")),
    ("int and bool", int | bool, 1, True),
    ("int and text", int | str, 1, "1"),
    ("classes with the same fields", Point | Place, Point(1.0, 2.0), Place(1.0, 2.0)),
    ("pickled classes", Any, Point(1.0, 2.0), Place(1.0, 2.0)),
    ("pickled 1 and 1.0", Bag, Bag(1), Bag(1.0)),
    ("pickled 1 and True", Bag, Bag([1, [2]]), Bag([True, [2]])),
    ("pickled zeros", Bag, Bag(0.0), Bag(-0.0)),
    ("pickled list and tuple", Bag, Bag([1]), Bag((1,))),
    ("pickled nestings", Bag, Bag([[1], 2]), Bag([[1, 2]])),
    ("pickled functions", Bag, Bag(lambda x: x + 1), Bag(lambda x: x + 2)),
    ("pickled frames", Bag, Bag(frame()), Bag(frame(a=[1.0, 2.5]))),
    ("orders of a dict", dict[str, int], {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ("keys of a dict", dict[int, int], {1: 2}, {2: 1}),
    ("lists in lists", list[list[int]], [[1], [2]], [[1, 2], []]),
    ("none in lists", list[int | None], [0], [None]),
    ("names of labels", pd.DataFrame, frame(), renamed("columns")),
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("declared", "one", "other"), [pytest.param(*rest, id=name) for name, *rest in DIFFERENT])
def test_different_values_have_different_keys(declared: Any, one: Any, other: Any) -> None:
    cache = cache_of(declared)
    assert cache.key({"x": one}) != cache.key({"x": other})


@pytest.mark.slow
def test_a_key_is_the_same_in_every_process() -> None:
    program = (
        "import numpy as np, pandas as pd\n"
        "from tests.cache.test_task_cache import cache_of, frame\n"
        "from flytenb.bridge import private\n"
        "private.cache_store = lambda: None\n"
        "print(cache_of(pd.DataFrame).key({'x': frame()}))"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("returns", "value"),
    [
        (int, 3),
        (str, "é"),
        (bool, True),
        (float, 0.1),
        (list[int], [1, 2]),
        (Point, Point(1.0, 2.0)),
        (int | None, None),
    ],
    ids=str,
)
def test_what_is_stored_comes_back_with_its_exact_type(returns: Any, value: Any) -> None:
    cache = cache_of(int, returns)
    key = cache.key({"x": 1})
    assert cache.get(key) is None
    cache.put(key, {"o0": packer(returns)(value)})
    found = cache.get(key)
    assert found is not None
    assert (type(found["o0"].native()), found["o0"].native()) == (type(value), value)


@pytest.mark.parametrize("stored", [{"o1": 1}, {}, 5, None, b""], ids=str)
def test_what_is_no_answer_to_this_task_counts_as_nothing(stored: Any) -> None:
    cache = cache_of(int)
    LocalTaskCache._cache.set("key", stored)
    assert cache.get("key") is None


@dataclass
class Filed:
    file: FlyteFile
    path: str


FILED: list[tuple[Any, Callable[[Path], Any]]] = [
    (FlyteFile, lambda path: FlyteFile(str(path))),
    (FlyteFile | None, lambda path: FlyteFile(str(path))),
    (list[FlyteFile], lambda path: [FlyteFile(str(path))]),
    (dict[str, FlyteFile], lambda path: {"a": FlyteFile(str(path))}),
    (FlyteDirectory, lambda path: FlyteDirectory(str(path.parent))),
    (Filed, lambda path: Filed(FlyteFile(str(path)), "no file")),
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("returns", "make"), FILED, ids=[str(returns) for returns, _ in FILED])
@pytest.mark.parametrize("what", ["written into", "removed"])
def test_a_stored_file_that_is_not_what_it_was_is_no_answer(
    returns: Any, make: Callable[[Path], Any], what: str, tmp_path: Path
) -> None:
    path = tmp_path / "inner" / "file.txt"
    path.parent.mkdir()
    path.write_text("before")
    cache = cache_of(int, returns)
    key = cache.key({"x": 1})
    with Workspace().entered():  # where a file stays where it is, as one that is handed on does
        cache.put(key, {"o0": packer(returns)(make(path))})
    assert cache.get(key) is not None
    if what == "removed":
        path.unlink()
    else:
        path.write_text("afterwards")
    assert cache.get(key) is None


def test_a_text_that_is_a_path_is_just_a_text(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("one line")
    cache = cache_of(int, Noted)
    key = cache.key({"x": 1})
    cache.put(key, {"o0": packer(Noted)(Noted(str(path)))})
    path.write_text("two lines")
    found = cache.get(key)
    assert found is not None
    assert found["o0"].native() == Noted(str(path))


@dataclass
class Noted:
    path: str


PIPELINE = """
import sys
import threading
import time
from flytekit import task, workflow
from flytekit.types.file import FlyteFile
import flytenb

@task(cache=True, cache_version="1")
def size(file: FlyteFile, more: int) -> int:
    return len(open(file).read()) + more

@workflow
def sizes(file: FlyteFile) -> int:
    return size(file=file, more=1)

assert flytenb.run(sizes, file=__file__).nodes["n0"].cache_status.name == "POPULATED"
assert flytenb.run(sizes, file=__file__).nodes["n0"].cache_status.name == "HIT"
print([name for name in ("numpy.linalg", "pandas.core.frame", "joblib.hashing") if name in sys.modules])
"""


@pytest.mark.slow
def test_the_first_cached_run_of_a_process_loads_no_library_that_its_types_do_not_need(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    command = [sys.executable, str(tmp_path / "pipeline.py")]
    done = subprocess.run(command, env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_equal_calls_go_one_at_a_time_and_one_that_fails_lets_the_next_in() -> None:
    inside: list[int] = []
    most: list[int] = []
    flights = SingleFlight()

    def call(number: int) -> None:
        with suppress(ValueError), flights.of("key"):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.001)
            inside.remove(number)
            if number % 2:
                raise ValueError(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20
    assert flights.calls == {}


def test_a_call_that_fails_leaves_nothing_behind() -> None:
    flights = SingleFlight()
    with suppress(ValueError), flights.of("alone"):
        raise ValueError
    assert flights.calls == {}


@task(cache=True, cache_version="1")
def named(n: int) -> dict[str, dict[str, int]]:
    return {"b": {"z": n, "y": 1}, "c": {}, "a": {"d": 2}}


def test_a_hit_has_the_keys_of_dicts_in_their_order() -> None:
    first, second = flytenb.run(named, n=3), flytenb.run(named, n=3)
    assert second.nodes["n0"].cache_status is CacheStatus.HIT
    assert repr(second.result) == repr(first.result) == repr({"b": {"z": 3, "y": 1}, "c": {}, "a": {"d": 2}})


@task(cache=True, cache_version="1")
def below(n: int) -> str:
    return (Path("data").resolve() / chr(97)).read_text()


def test_a_file_below_the_working_directory_is_another_one_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1", "2", "1"):
        (tmp_path / name / "data").mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "data" / "a").write_text(name)
        monkeypatch.chdir(tmp_path / name)
        assert flytenb.run(below, n=3).result == name
        assert flytenb.run(below, n=3).nodes["n0"].cache_status is CacheStatus.HIT
