"""What users' objects say: no control character reaches a terminal, no slow or gigantic text stalls anything."""

from __future__ import annotations

import enum
import importlib
import re
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest
from flytekit import conditional, task, workflow

import flytenb
from flytenb.display.runs.error_card import FullError, card_lines
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.errors import (
    FlytenbError,
    InputError,
    full_traceback,
    headline,
    is_foreign,
    is_library,
    own_frames,
    package_roots,
    say,
)
from flytenb.notebook.failures.short_error import printable, short_lines
from flytenb.session.listing import Listing
from flytenb.wording import text as user_text
from flytenb.wording.text import LateError, as_printed, clean, clip_middle, in_time, message_of
from flytenb.wording.values import brief
from tests.kernel import Kernel

EVIL = "\x1b]0;owned\x07\x1b[31m\r\x9b2J\u202e"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def is_clean(text: str) -> bool:
    return CONTROL.search(text) is None


Evil = type(f"Evil{EVIL}", (ValueError,), {})
Color: Any = enum.Enum("Color", {f"RED{EVIL}": "red"})


class Slow(Exception):
    """Its words come after the test."""

    asked = threading.Event()
    release = threading.Event()

    def __str__(self) -> str:
        self.asked.set()
        self.release.wait()
        return "at last"

    __repr__ = __str__


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class of exceptions that say nothing until the test is over."""
    monkeypatch.setattr(user_text, "PATIENCE", 0.05)
    made = type("Slow", (Slow,), {"asked": threading.Event(), "release": threading.Event()})
    yield made
    made.release.set()


# --- escapes ----------------------------------------------------------------------------------------------------------


@task
def breaks(s: str) -> str:
    if s:
        raise Evil(s + EVIL) from Evil(EVIL)
    return s


@task
def group(s: str) -> str:
    if s:
        raise ExceptionGroup(f"several{EVIL}", [Evil(s), KeyError(EVIL)])
    return s


@task
def noted(s: str) -> str:
    error = Evil(s)
    error.add_note(EVIL)
    if s:
        raise error
    return s


@workflow
def refuses(s: str) -> str:
    return conditional(f"c{EVIL}").if_(s == "x").then(breaks(s=s)).else_().fail(f"no{EVIL}")


@pytest.mark.parametrize("entity", [breaks, group, noted, refuses], ids=lambda e: e.name.rpartition(".")[2])
def test_no_way_to_show_a_failed_run_passes_a_control_character(entity: Any) -> None:
    run = flytenb.start(entity, s=f"given{EVIL}").wait()
    assert run.error is not None
    shown = [
        *card_lines(run),
        repr(FullError.of(run)),
        repr(run),
        repr(Listing.of_runs([run])),
        run_bundle(run, show)["text/plain"],
        flytenb.draw(run).text,
        flytenb.show(run.error.exception).text,
        brief(run.error.exception),
    ]
    assert [text for text in shown if not is_clean(text)] == []
    assert "owned" in shown[0]


def test_an_error_of_a_cell_passes_none(tmp_path: Path) -> None:
    try:
        flytenb.start(breaks, EVIL, EVIL)  # type: ignore[arg-type]
    except Exception as error:
        assert is_clean(str(error))
        assert all(map(is_clean, short_lines(error, None)))
    try:
        raise Evil(EVIL)
    except Evil as error:
        assert is_clean(full_traceback(error))
        assert is_clean(repr(FullError.whole(error)))


def test_every_error_of_ours_is_clean_by_construction() -> None:
    def subclasses(cls: type) -> set[type]:
        return {cls}.union(*map(subclasses, cls.__subclasses__()))

    for cls in subclasses(FlytenbError):
        error = cls(f"got {EVIL}", f"did you mean {EVIL}?")
        assert is_clean(str(error)), cls
        assert all(map(is_clean, error._render_traceback_()))  # type: ignore[attr-defined]
        assert is_clean(str(error.args))


@pytest.mark.parametrize("name", [EVIL, f"x{EVIL}", "\n\x1b[2J"])
def test_a_refused_input_s_name_and_value_are_clean(name: str) -> None:
    for inputs in ({name: 1}, {"s": Evil(name)}, {"s": list(Color)}):
        with pytest.raises(InputError) as raised:
            flytenb.run(breaks, **inputs)
        assert is_clean(str(raised.value))


@pytest.mark.parametrize(
    "value", [Evil(EVIL), *Color, Evil, {EVIL: EVIL}, types.SimpleNamespace(**{EVIL: 1})], ids=type
)
def test_a_value_in_short_is_clean(value: Any) -> None:
    assert is_clean(brief(value))
    assert is_clean(flytenb.show(value, name=EVIL).text)


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [
        (ValueError("x"), True),
        (KeyError("x"), True),
        (InputError(EVIL), True),
        (Evil("x"), False),
        (OSError(EVIL), False),
    ],
)
def test_a_front_end_gets_a_name_and_words_that_are_clean(error: Exception, is_kept: bool) -> None:
    reported = printable(error)
    assert (reported is error) == is_kept
    assert is_clean(type(reported).__name__ + str(reported))
    assert printable(error, is_shown_by_us=False) is error


@pytest.mark.slow
@pytest.mark.kernel
def test_a_failed_run_sends_a_notebook_no_control_character() -> None:
    with Kernel() as kernel:
        kernel.run(f"""
            from flytekit import task
            Evil = type("Evil" + {EVIL!r}, (ValueError,), {{}})

            @task
            def breaks(s: str) -> str:
                if s:
                    raise Evil(s)
                return s
        """).ok()
        outcome = kernel.run(f"%flyte run breaks(s='words' + {EVIL!r})")
        [sent] = [o for o in outcome.outputs if o["output_type"] == "error"]
        assert is_clean(sent["ename"] + sent["evalue"])
        assert is_clean(re.sub(r"\x1b\[[0-9;]*m", "", "".join(sent["traceback"])))
        assert "words" in sent["evalue"]
        assert all(is_clean(str(data)) for bundle in outcome.bundles for data in bundle.values())


def test_a_name_is_one_line() -> None:
    error = type("Two\nlines", (Exception,), {})("said")
    assert headline(error) == "Two\\nlines: said"


def test_what_is_printable_stays_as_it_is() -> None:
    text = "naïve 座標 🚀 \n\t \u00a0 e\u0301 שלום"
    assert clean(text) == text


# --- time and length --------------------------------------------------------------------------------------------------


def test_slow_words_are_given_up(slow: Any) -> None:
    error = slow()
    assert "takes more than" in say(error)
    assert "takes more than" in brief(error)
    assert "takes more than" in flytenb.show(error).text
    assert "at last" not in full_traceback(error)
    assert "takes more than" in str(printable(error))
    assert slow.asked.is_set()


def test_a_class_that_was_slow_is_not_asked_again(slow: Any) -> None:
    say(slow())
    slow.asked.clear()
    assert "takes more than" in say(slow())
    assert not slow.asked.is_set()


def test_what_words_raise_is_told() -> None:
    class Exits(Exception):
        def __str__(self) -> str:
            raise SystemExit(3)

    class NotText(Exception):
        def __str__(self) -> str:
            return 3  # type: ignore[return-value]

    assert say(Exits()) == "(its message can't be read: SystemExit)"
    assert say(NotText()) == "(its message can't be read: TypeError)"


def test_words_see_the_context_of_who_asks() -> None:
    import contextvars

    known = contextvars.ContextVar("known", default="nothing")
    known.set("the caller's")
    assert in_time(Slow, known.get) == "the caller's"


def test_a_late_answer_is_an_error_of_its_own(slow: Any) -> None:
    with pytest.raises(LateError):
        message_of(slow())


@pytest.mark.parametrize("kind", [ValueError, KeyError, Evil, OSError])
def test_a_gigantic_message_is_cut(kind: Any) -> None:
    error = kind("x" * 5_000_000)
    assert len(say(error)) <= user_text.LONGEST + 10
    error = kind(2, "x" * 5_000_000)
    assert len(say(error)) <= user_text.LONGEST + 40


@pytest.mark.parametrize(
    "error",
    [
        ValueError(), ValueError("a"), ValueError("a", 1), KeyError("a"), OSError(2, "missing", "file"),
        StopIteration(3),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "why"), ExceptionGroup("several", [ValueError("a")]),
        SyntaxError("bad", ("f", 1, 2, "x", 1, 3)), ValueError({"a": [1]}), ValueError(b"a"),
        ImportError("a", name="b"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_an_exception_says_is_what_python_says(error: Exception) -> None:
    assert say(error) == str(error)


# --- whose frames -----------------------------------------------------------------------------------------------------

SOURCE = """
from flytekit import task

@task
def half(n: int) -> int:
    return inner(n)

def inner(n):
    raise ValueError("mine")
"""


@pytest.mark.parametrize("folder", ["flytekit", "flytenb", "IPython", "loky", "site-packages", "flytekit/core", "x"])
def test_a_project_s_folder_may_be_called_as_it_likes(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / folder / "project"
    place.mkdir(parents=True)
    name = f"own_{folder.replace('/', '_').replace('-', '_').lower()}"
    (place / f"{name}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(place))
    module = importlib.import_module(name)
    run = flytenb.start(module.half, n=1).wait()
    assert run.error is not None
    names = [frame.name for frame in own_frames(run.error.exception.__traceback__)]
    assert names == ["half", "inner"]
    assert any(f"{name}.py, line 9" in line for line in card_lines(run))


def test_flytekit_s_frames_and_ours_are_known_by_where_they_are_installed() -> None:
    import flytekit
    from flytekit.core import base_task

    assert is_foreign(base_task.__file__)
    assert is_foreign(flytenb.__file__)
    root = package_roots("flytekit")[0]
    assert root == str(Path(flytekit.__file__).parent) + "/"
    assert not is_foreign(root.removesuffix("/") + "_mine/x.py")
    assert not is_foreign(str(Path(flytenb.__file__).parent) + "_mine/x.py")
    assert is_library(root + "x.py")


def test_flytekit_isn_t_imported_for_it() -> None:
    code = (
        "import sys; from flytenb.errors import is_foreign, package_roots; r = package_roots('flytekit'); "
        "print(len(r) > 0, is_foreign(r[0] + 'core/x.py'), 'flytekit' in sys.modules, package_roots('no_such_package'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "False", "()"]


@pytest.mark.parametrize("limit", [1, 2, 9, 10, 19, 20, 30])
def test_the_middle_is_clipped_and_the_end_kept(limit: int) -> None:
    text = "/a/b/c/d/e/pyproject"
    assert len(text) == 20
    short = clip_middle(text, limit)
    assert len(short) == min(limit, 20)
    assert text.startswith(short.partition("…")[0])
    assert text.endswith(short.rpartition("…")[2])


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("\rread 1/3\rread 2/3\rread 3/3\ndone\n", "read 3/3\ndone\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("\x1b[1;31mred\x1b[0m text\x1b[K", "red text"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
    ],
)
def test_a_log_is_shown_as_a_terminal_leaves_it(text: str, printed: str) -> None:
    assert as_printed(text) == printed
