"""A kept run shows what the run showed, whatever the kernel that reads it knows."""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
from flytekit import current_context, task, workflow
from flytekit.core.type_engine import TypeEngine, TypeTransformer
from flytekit.models.core.types import BlobType
from flytekit.models.literals import Blob, BlobMetadata, Literal, Scalar
from flytekit.models.types import LiteralType
from flytekit.types.file import FlyteFile

import flytenb
from flytenb import api
from flytenb.bridge.execution.kept_arrays import read_array
from flytenb.bridge.execution.kept_values import write_value
from flytenb.errors import AbsentValueError, KeptTaskError, UnknownNameError, UsageError
from flytenb.model import Kind
from flytenb.record import run_description
from flytenb.record.run_store import RunStore, digests_in
from flytenb.render.drawing import draw
from flytenb.runner.absent import Absent
from flytenb.runner.run import Run
from flytenb.session import Definition, Session
from flytenb.session.configuration import Choice
from flytenb.session.host import host
from tests.flows import FLOWS, Flow
from tests.forks import fork
from tests.waiting import PATIENCE, is_executed, wait_for

WITHOUT_DOCKER = [flow for flow in FLOWS.values() if "docker" not in flow.needs]


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    close = host.open(made)
    yield made
    close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def kept(folder: Path, entity: Any, **inputs: Any) -> Run:
    """A run that was kept; an error of its own is left in it."""
    return settled(flytenb.options(keep=str(folder), cache=False).start(entity, **inputs))


def settled(run: Run) -> Run:
    run.wait()
    assert host.keeper.wait()
    assert run.is_kept
    return run


def define(session: Session, name: str, entity: Any) -> None:
    session.definitions[name] = Definition(name, entity, Kind.SUBWORKFLOW, None, "")


def start(flow: Flow, folder: Path) -> Run:
    made = flytenb.options(
        keep=str(folder),
        cache=False,
        answers=flow.answers,
        stand_ins={entity.name: function for entity, function in flow.stand_ins},
    )
    return settled(made.start(flow.entity, **flow.inputs))


@pytest.mark.sampled(5)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("flow", WITHOUT_DOCKER, ids=repr)
def test_a_kept_run_is_the_run(flow: Flow, folder: Path, session: Session) -> None:
    run = start(flow, folder)
    define(session, run.name, flow.entity)
    back = flytenb.load_run(run.id, str(folder))
    assert [d for d in run.compare(back).differences if "pickle" not in say(d)] == []
    assert (back.phase, back.started, back.duration) == (run.phase, run.started, run.duration)
    assert back.graph == run.graph
    assert draw(back.graph, states=back._states).text == draw(run.graph, states=run._states).text
    assert repr(back.timeline()) == repr(run.timeline())
    assert list(back.events) == [event for event in run.events if event.kind != "log"]
    assert back._states == run._states
    for path, node in run.nodes.items():
        again = back.nodes[path]
        assert (again.log, again.links, again.attempts) == (node.log, node.links, node.attempts)
        assert str(again.error) == str(node.error)
        assert (again.cache_status, again.cache_reason, again.place) == (
            node.cache_status,
            node.cache_reason,
            node.place,
        )
        assert [(deck.name, deck.html) for deck in again.decks] == [(deck.name, deck.html) for deck in node.decks]


def say(difference: Any) -> str:
    found = [each.error.hint for each in (difference.this, difference.other) if isinstance(each, Absent)]
    return "".join(found)


@dataclass
class Point:
    x: int
    when: date


@task
def make(n: int) -> tuple[np.ndarray, pd.DataFrame, Point, date, list[date], FlyteFile, dict[str, int]]:
    path = Path(current_context().working_directory) / "made.txt"
    path.write_text("text")
    frame = pd.DataFrame({"a": np.arange(n), "b": [str(i) for i in range(n)]})
    day = date(2026, 2, 3)
    return np.arange(n), frame, Point(n, day), day, [day], FlyteFile(str(path)), {"n": n}


@workflow
def everything(n: int) -> tuple[np.ndarray, pd.DataFrame, Point, date, list[date], FlyteFile, dict[str, int]]:
    return make(n=n)


def test_values_have_their_types_where_the_entity_is_defined(folder: Path, session: Session) -> None:
    run = kept(folder, everything, n=3)
    define(session, "everything", everything)
    back = flytenb.load_run(run.id[:5], str(folder))
    assert not run.compare(back)
    assert back.entity is everything
    assert back.nodes["n0"].entity is make
    assert back.nodes["make"].inputs == back.inputs == {"n": 3}
    assert [type(value) for value in back.result] == [type(value) for value in run.result]
    assert Path(back.result[5]).read_text() == "text"


def test_values_have_their_types_or_are_plain_data_where_nothing_is_defined(folder: Path, session: Session) -> None:
    run = kept(folder, everything, n=3)
    back = flytenb.load_run(run.id, str(folder))
    array, frame, point, day, days, file, numbers = back.result
    assert (array == np.arange(3)).all()
    pd.testing.assert_frame_equal(frame, run.result[1])
    assert point == {"x": 3, "when": "2026-02-03"}
    assert day == date(2026, 2, 3)
    assert type(day) is date
    assert len(days) == 1
    assert Path(file).read_text() == "text"
    assert numbers == {"n": 3}
    assert back.entity is None


def test_a_returned_file_is_the_users_own(folder: Path, session: Session) -> None:
    run = kept(folder, everything, n=1)
    back = flytenb.load_run(run.id, str(folder))
    Path(back.result[5]).write_text("changed")
    assert Path(back.result[5]).read_text() == "text"


ARRAYS = {
    "rows": np.arange(12.0).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "nothing": np.zeros((0, 3)),
    "one": np.array(3),
    "times": np.array(["2026-01-02"], dtype="datetime64[s]"),
    "texts": np.array(["a", "bcd"]),
    "structure": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "other byte order": np.arange(3, dtype=">i4"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_read_as_numpy_reads_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    np.save(path, ARRAYS[name])
    [digest] = digests_in(tmp_path).values()
    expected, found = np.load(path), read_array(path, digest)
    if name == "nothing":
        assert found is None
        return
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert found.tobytes() == expected.tobytes()
    for flag in ("C_CONTIGUOUS", "F_CONTIGUOUS", "WRITEABLE", "ALIGNED"):
        assert found.flags[flag] == expected.flags[flag], flag
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        assert read_array(path, digest) is None


class Secret:
    """A class that Flyte pickles."""

    def __repr__(self) -> str:
        return "Secret(7)"


@task
def hide() -> tuple[Secret, int]:
    return Secret(), 7


@pytest.mark.filterwarnings("ignore:Unsupported Type")
def test_a_value_that_only_a_pickle_holds_is_kept_as_its_text(folder: Path, session: Session) -> None:
    run = kept(folder, hide)
    back = flytenb.load_run(run.id, str(folder), unpickle=True)
    absent, number = back.outputs.values()
    assert number == 7
    assert isinstance(absent, Absent)
    assert "only the text of the value was kept: Secret(7)" in repr(absent)
    assert not [path for path in folder.rglob("*") if path.is_file() and path.parent != folder]
    with pytest.raises(AbsentValueError, match=r"Secret\(7\)"):
        _ = back.result
    assert "Secret(7)" in flytenb.show(back).text
    [difference] = [d for d in run.compare(back).differences if not d.path]
    assert "only the text" in difference.problem


class Model:
    def __init__(self, size: int) -> None:
        self.size = size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and other.size == self.size

    __hash__ = None  # type: ignore[assignment]


class ModelTransformer(TypeTransformer[Model]):
    """As those of PyTorch and scikit-learn: a file of its own format, with a pickle inside."""

    kind = BlobType(format="model", dimensionality=BlobType.BlobDimensionality.SINGLE)

    def __init__(self) -> None:
        super().__init__("model", Model)

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(blob=self.kind)

    def to_literal(self, ctx: Any, python_val: Model, python_type: Any, expected: LiteralType) -> Literal:
        path = ctx.file_access.get_random_local_path()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(pickle.dumps(python_val))
        uri = ctx.file_access.put_raw_data(path)
        return Literal(scalar=Scalar(blob=Blob(BlobMetadata(self.kind), uri)))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Any:
        try:
            return pickle.loads(Path(lv.scalar.blob.uri).read_bytes())
        except Exception:
            return None  # whatever a transformer makes of a refusal


@pytest.fixture
def transformer() -> Iterator[None]:
    TypeEngine.register(ModelTransformer())
    yield
    del TypeEngine._REGISTRY[Model]


@pytest.mark.usefixtures("transformer")
def test_nothing_is_unpickled_unless_asked_for(folder: Path, session: Session) -> None:
    @task
    def fit(n: int) -> Model:
        return Model(n)

    run = kept(folder, fit, n=5)
    define(session, "fit", fit)
    back = flytenb.load_run(run.id, str(folder))
    with pytest.raises(AbsentValueError, match="without unpickling") as raised:
        _ = back.result
    assert "unpickle=True" in raised.value.hint
    with pytest.raises(AbsentValueError):
        back._plan.outputs["o0"].literal()  # type: ignore[union-attr]
    assert flytenb.load_run(run.id, str(folder), unpickle=True).result == Model(5)
    assert pickle.loads(pickle.dumps(Model(1))) == Model(1)  # elsewhere pickle works


@task
def fail(x: int) -> int:
    if x > 2:
        raise ValueError(f"not {x}")
    return x


def test_an_error_has_its_name_message_and_traceback(folder: Path, session: Session) -> None:
    run = kept(folder, fail, x=3)
    back = flytenb.load_run(run.id, str(folder))
    assert run.error is not None
    assert back.error is not None
    assert (str(back.error), back.error.path) == (str(run.error), run.error.path)
    assert isinstance(back.error.exception, KeptTaskError)
    assert str(back.error) == "ValueError: not 3"
    assert 'raise ValueError(f"not {x}")' in str(back.error.exception.__cause__)
    with pytest.raises(KeptTaskError):
        _ = back.result
    assert back.error.inputs == run.error.inputs


def test_one_object_is_kept_once(folder: Path, session: Session) -> None:
    @task
    def array() -> np.ndarray:
        return np.zeros(1000)

    @task
    def use(x: np.ndarray) -> float:
        return float(x.sum())

    @workflow
    def inner(x: np.ndarray) -> np.ndarray:
        use(x=x)
        return x

    @workflow
    def outer() -> np.ndarray:
        made = array()
        use(x=made)
        return inner(x=made)

    run = kept(folder, outer)
    assert len([path for path in (folder / "files").rglob("*") if path.is_file()]) == 1
    back = flytenb.load_run(run.id, str(folder))
    assert not run.compare(back)
    assert (back.nodes["n2"].inputs["x"] == np.zeros(1000)).all()


@task(cache=True, cache_version="1")
def cached(x: int) -> int:
    return 2 * x


def test_how_the_cache_was_used_is_kept(folder: Path, session: Session, tmp_path: Path) -> None:
    x = hash(tmp_path) % 10**9  # not in the cache of an earlier test
    runs = [settled(flytenb.options(keep=str(folder)).start(cached, x=x)) for _ in range(2)]
    for run in runs:
        node, again = run.nodes["n0"], flytenb.load_run(run.id, str(folder)).nodes["n0"]
        assert (again.cache_status, again.cache_reason) == (node.cache_status, node.cache_reason)
    assert runs[1].nodes["n0"].cache_status == "HIT"


# --- lists and ids ----------------------------------------------------------------------------------------------------


@task
def double(x: int) -> int:
    return 2 * x


may_end = threading.Event()


@task
def held() -> int:
    may_end.wait(PATIENCE)
    return 1


def test_runs_of_earlier_kernels_are_listed_before_those_of_this_one(folder: Path, session: Session) -> None:
    first, second = kept(folder, double, x=1), kept(folder, double, x=2)
    session.configured["keep"] = Choice(str(folder), "a test")
    define(session, "double", double)
    session.keep(second)
    listed = api.runs(session)
    assert [row[:3] for row in listed.rows] == [("0", "double", "✓ succeeded"), ("1", "double", "✓ succeeded")]
    assert [row[5] for row in listed.rows] == [first.id, second.id]
    assert listed[0].result == 2
    assert listed[-1] is second
    assert flytenb.load_run(first.id).result == 2


def test_an_unknown_or_ambiguous_id_is_an_error(folder: Path, session: Session) -> None:
    runs = [kept(folder, double, x=n) for n in range(17)]  # two of 17 ids begin alike
    first = next(a.id[0] for a in runs for b in runs if a is not b and a.id[0] == b.id[0])
    with pytest.raises(UsageError, match="expected the id of one run"):
        flytenb.load_run(first, str(folder))
    for wanted in ("", "nothing"):
        with pytest.raises(UnknownNameError):
            flytenb.load_run(wanted, str(folder))
    with pytest.raises(UsageError, match="no folder"):
        flytenb.load_run("a")
    with pytest.raises(UnknownNameError):
        flytenb.load_run("a", str(folder / "nowhere"))
    assert not (folder / "nowhere").exists()


def test_a_run_is_waited_for_that_is_being_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_write = threading.Event()
    write = RunStore.write

    def write_late(*args: Any, **options: Any) -> None:
        assert may_write.wait(PATIENCE)
        write(*args, **options)

    monkeypatch.setattr(RunStore, "write", write_late)
    run = flytenb.options(keep=str(folder), cache=False).run(double, x=4)
    with ThreadPoolExecutor() as pool:
        back = pool.submit(flytenb.load_run, run.id[:12], str(folder))
        wait_for(lambda: back.done() or is_executed(threading.Condition.wait_for))
        may_write.set()
        assert back.result(PATIENCE).result == 8


def test_the_error_of_a_run_that_goes_on_names_the_way_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flytenb.record.run_keeper._EVERY", 1e6)  # else it may be on disk, as far as it is
    may_end.clear()
    run = flytenb.options(keep=str(folder), cache=False).start(held)
    with pytest.raises(UnknownNameError, match=r"(?s)no kept run .*run\.wait\(\)"):
        flytenb.load_run(run.id, str(folder))
    may_end.set()
    run.wait()
    assert flytenb.load_run(run.id, str(folder)).result == 1


def test_old_runs_are_removed_by_age_and_by_size(folder: Path, session: Session) -> None:
    keep = flytenb.options(keep=str(folder), keep_size=0)
    first, second = (settled(keep.start(double, x=n)) for n in (1, 2))
    with pytest.raises(UnknownNameError):
        flytenb.load_run(first.id, str(folder))
    third = settled(flytenb.options(keep=str(folder), keep_days=1e-9).start(double, x=3))
    for gone in (first, second, third):
        with pytest.raises(UnknownNameError):
            flytenb.load_run(gone.id, str(folder))


def test_a_changed_file_makes_its_value_absent_and_no_other(folder: Path, session: Session) -> None:
    run = kept(folder, everything, n=4)
    files = [path for path in (folder / "files").rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        for change in (content[:-1], content + b"x", bytes([content[0] ^ 1]) + content[1:], None):
            if change is None:
                path.unlink()
            else:
                path.write_bytes(change)
            outputs = flytenb.load_run(run.id, str(folder)).outputs
            assert sum(isinstance(value, Absent) for value in outputs.values()) == 1
            path.write_bytes(content)
    assert not any(isinstance(value, Absent) for value in flytenb.load_run(run.id, str(folder)).outputs.values())


Break = Callable[[Path], None]


def truncate(folder: Path) -> None:
    path = folder / "runs.sqlite"
    path.write_bytes(path.read_bytes()[:100])


def of_another_version(folder: Path) -> None:
    import sqlite3

    with sqlite3.connect(folder / "runs.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")


def replaced_by_a_link(folder: Path) -> None:
    path = folder / "runs.sqlite"
    path.rename(folder / "other.sqlite")
    path.symlink_to(folder / "other.sqlite")


@pytest.mark.parametrize("spoil", [truncate, of_another_version, replaced_by_a_link])
def test_an_unusable_store_is_a_miss_with_one_warning(spoil: Break, folder: Path, session: Session) -> None:
    first = kept(folder, double, x=1)
    host.keeper.close()
    spoil(folder)
    before = (folder / "runs.sqlite").read_bytes()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(UnknownNameError):
            flytenb.load_run(first.id, str(folder))
        assert len([w for w in caught if "kept runs" in str(w.message)]) == 1
        for n in (2, 3):
            run = flytenb.options(keep=str(folder)).run(double, x=n)
            assert host.keeper.wait()
            assert not run.is_kept
            assert run.result == 2 * n
        assert len([w for w in caught if "wasn't kept" in str(w.message)]) == 1
    assert (folder / "runs.sqlite").read_bytes() == before


def test_a_full_disk_is_reported_once_and_what_was_written_can_be_read(
    folder: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_if_there_is_room(value: Any, *how: Any) -> Any:
        if value.native() == 4:
            raise OSError(28, "No space left on device")
        return write_value(value, *how)

    monkeypatch.setattr(run_description, "write_value", write_if_there_is_room)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in (2, 2, 1):
            run = flytenb.options(keep=str(folder)).run(double, x=n)
            assert host.keeper.wait()
            assert run.is_kept == (n == 1)
    (said,) = [str(w.message) for w in caught if "No space left" in str(w.message)]
    assert said.startswith("a run was kept without some of its values: ")
    assert flytenb.load_run(run.id, str(folder)).result == 2


def test_an_exception_that_ends_a_thread_leaves_later_runs_kept(
    folder: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_or_leave(value: Any, *how: Any) -> Any:
        if value.native() == 4:
            raise SystemExit("left")
        return write_value(value, *how)

    monkeypatch.setattr(run_description, "write_value", write_or_leave)
    with pytest.warns(UserWarning, match="a run wasn't kept: SystemExit: left"):
        run = flytenb.options(keep=str(folder)).run(double, x=2)
        assert host.keeper.wait(60)
        assert not run.is_kept
    assert kept(folder, double, x=1).is_kept


@task
def annotated() -> Annotated[pd.DataFrame, "a note"]:
    return pd.DataFrame({"a": [1]})


def test_an_annotated_type_is_that_of_its_values(folder: Path, session: Session) -> None:
    run = kept(folder, annotated)
    define(session, "annotated", annotated)
    pd.testing.assert_frame_equal(flytenb.load_run(run.id, str(folder)).result, run.result)


def test_settings_of_a_run_are_kept_as_far_as_they_are_plain(folder: Path, session: Session) -> None:
    run = settled(flytenb.options(keep=str(folder), workers=3, strict=True).start(double, x=1))
    assert flytenb.load_run(run.id, str(folder)).settings == replace(flytenb.Settings(), workers=3, strict=True)


def test_a_run_that_was_reported_as_kept_is_there_after_its_process_was_killed(folder: Path, session: Session) -> None:
    reported = []
    for kill in range(5):
        reads, writes = os.pipe()
        child = fork()
        if not child:
            with suppress(BaseException):
                for number in itertools.count(kill * 1000):
                    run = flytenb.options(keep=str(folder), cache=False).run(double, x=number)
                    host.keeper.wait()
                    if run.is_kept:
                        os.write(writes, f"{run.id} {number}\n".encode())
            os._exit(1)
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            reported.append(pipe.readline())
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            reported += [line for line in pipe if line.endswith(b"\n")]
    assert len(reported) >= 5
    for line in reported:
        run, number = line.decode().split()
        assert flytenb.load_run(run, str(folder)).result == 2 * int(number)
