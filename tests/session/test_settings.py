"""Settings: five places to set them, one order of precedence, one check whose message names the place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
from traitlets.config.loader import KVArgParseConfigLoader

import flytenb
from flytenb.errors import UsageError
from flytenb.notebook.magics.flyte import FlyteMagics
from flytenb.runner.settings import RULES, Settings
from flytenb.session import Session
from flytenb.session.configuration import CONFIGURABLE, read_project
from flytenb.session.host import host
from tests.kernel import Kernel

BAD: dict[str, list[Any]] = {
    "workers": [0, -3, 1.0, True, "4", [1]],
    "strict": [1, "yes", 0.0],
    "cache": ["yes", 1, 0, ["overwrite"]],
    "processes": [2, "no"],
    "engine": ["dokcer", 1, True, ""],
    "network": [1, "yes"],
    "memory": [-1, 2.5, "2", "much", "120%", True],
    "keep": [1, True, ["runs"]],
    "keep_days": [0, -1, "30", True],
    "keep_size": [-1, "5", "5 XB", 2.5, True],
}
GOOD: dict[str, list[Any]] = {
    "workers": [1, 400],
    "strict": [True, False],
    "cache": [True, False, "overwrite"],
    "processes": [True, False],
    "engine": ["auto", "docker", "bubblewrap", "host"],
    "network": [True, False],
    "memory": [0, 10**9, "2 GB", "25%", "0.5 %"],
    "keep": ["", "runs"],
    "keep_days": [30, 0.5],
    "keep_size": [0, 10**9, "5 GB", "1.5MB", "100 b"],
}


def toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project around the working directory."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "inside" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "inside" / "deeper")
    return tmp_path / "pyproject.toml"


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    close = host.open(made)
    yield made
    close()


def magics(session: Session, **config: Any) -> FlyteMagics:
    shell = InteractiveShell(config=Config({"FlyteMagics": config}))
    made = FlyteMagics(shell, session, ready=lambda: None)
    shell.register_magics(made)
    return made


# --- the check --------------------------------------------------------------------------------------------------------


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "value"), [(n, v) for n in BAD for v in BAD[n]])
def test_a_bad_value_is_refused_wherever_it_is_set(
    name: str, value: Any, project: Path, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    message = f"{name} must be {RULES[name].expected}, got {value!r}"
    with pytest.raises(UsageError) as raised:
        Settings(**{name: value})
    assert raised.value.message == message
    with pytest.raises(UsageError) as raised:
        flytenb.options(**{name: value})
    assert raised.value.message == message

    made = magics(session)
    made.shell.run_line_magic("config", f"FlyteMagics.{name} = {value!r}")
    assert message in caplog.text
    assert f"%config FlyteMagics.{name}" in caplog.text
    assert getattr(made, name) == getattr(Settings(), name)
    assert flytenb.options().settings == Settings()

    magics(session, **{name: value})
    with pytest.raises(UsageError) as raised:
        _ = flytenb.options().settings
    assert (raised.value.message, "ipython_config.py" in raised.value.hint) == (message, True)
    session.configured.clear()

    project.write_text(f"[tool.flytenb]\n{name} = {toml(value)}\n")
    for use in (read_project, lambda: flytenb.options().settings):
        with pytest.raises(UsageError) as raised:
            use()
        assert (raised.value.message, str(project) in raised.value.hint) == (message, True)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "value"), [(n, v) for n in GOOD for v in GOOD[n]])
def test_a_good_value_is_used_wherever_it_is_set(name: str, value: Any, project: Path, session: Session) -> None:
    expected = Settings(**{name: value})
    assert flytenb.options(**{name: value}).settings == expected
    project.write_text(f"[tool.flytenb]\n{name} = {toml(value)}\n")
    assert flytenb.options().settings == expected
    project.write_text("")
    made = magics(session, **{name: value})
    assert flytenb.options().settings == expected
    setattr(made, name, None)
    assert flytenb.options().settings == Settings()
    made.shell.run_line_magic("config", f"FlyteMagics.{name} = {value!r}")
    assert flytenb.options().settings == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.flytenb]\nworker = 4\n", "unknown setting 'worker' in [tool.flytenb] of"),
        ("[tool.flytenb]\nanswers = {}\n", "unknown setting 'answers' in [tool.flytenb] of"),
        ("[tool]\nflytenb = 4\n", "must be a table, got 4"),
        ("tool = 3\n", "must be a table, got 3"),
        ("[tool.flytenb\n", "isn't valid TOML"),
    ],
)
def test_a_bad_file_is_named_with_the_mistake(text: str, message: str, project: Path) -> None:
    project.write_text(text)
    with pytest.raises(UsageError) as raised:
        _ = flytenb.options().settings
    assert message in raised.value.message
    assert str(project) in raised.value.message


def test_the_nearest_file_counts_and_no_other(project: Path) -> None:
    project.write_text("[tool.flytenb]\nworkers = 3\n")
    assert flytenb.options().settings.workers == 3
    (project.parent / "inside" / "pyproject.toml").write_text("[tool.other]\nworkers = 5\n")
    assert flytenb.options().settings.workers == 16


# --- precedence -------------------------------------------------------------------------------------------------------

PLACES = ("call", "%config", "ipython_config.py", "pyproject.toml")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("places", [c for n in range(5) for c in itertools.combinations(PLACES, n)], ids="+".join)
def test_the_first_place_that_sets_a_value_wins(places: tuple[str, ...], project: Path, session: Session) -> None:
    workers = {place: number for number, place in enumerate(PLACES, start=2)}
    if "pyproject.toml" in places:
        project.write_text(f"[tool.flytenb]\nworkers = {workers['pyproject.toml']}\n")
    made = magics(session, **({"workers": workers["ipython_config.py"]} if "ipython_config.py" in places else {}))
    if "%config" in places:
        made.shell.run_line_magic("config", f"FlyteMagics.workers = {workers['%config']}")
    options = flytenb.options(workers=workers["call"]) if "call" in places else flytenb.options()
    expected = next((workers[place] for place in PLACES if place in places), 16)
    assert options.settings.workers == expected
    listed = {row[0]: row[1:3] for row in made.shell.run_line_magic("flyte", "settings").rows}
    shown = next((place for place in PLACES[1:] if place in places), "the default")
    assert listed["workers"][0] == str(workers.get(shown, 16))
    assert shown in listed["workers"][1]
    assert listed["strict"] == ("False", "the default")


def test_the_list_has_every_setting(session: Session) -> None:
    listed = magics(session).shell.run_line_magic("flyte", "settings")
    assert [row[0] for row in listed.rows] == list(RULES)
    for row in listed.rows:
        assert row[3] == RULES[row[0]].help


def test_options_keep_what_was_given_and_read_the_rest_anew(project: Path) -> None:
    strict = flytenb.options(strict=True)
    assert repr(strict) == "flytenb.options(strict=True)"
    project.write_text("[tool.flytenb]\nworkers = 3\nstrict = false\n")
    assert strict.settings == Settings(strict=True, workers=3)
    both = strict.options(workers=5)
    assert both.settings == Settings(strict=True, workers=5)
    assert strict.settings.workers == 3


def test_traits_are_made_from_the_fields_of_the_settings(session: Session) -> None:
    made = magics(session)
    assert set(made.traits(config=True)) == set(CONFIGURABLE) == set(GOOD)
    for name in CONFIGURABLE:
        assert getattr(made, name) == getattr(Settings(), name)
        assert RULES[name].help in made.traits()[name].help
    assert session.configured == {}


def test_a_value_from_the_command_line_of_ipython_is_read_as_python(session: Session) -> None:
    config = KVArgParseConfigLoader(classes=[FlyteMagics]).load_config(
        ["--FlyteMagics.workers=4", "--FlyteMagics.cache=overwrite", "--FlyteMagics.strict=True"]
    )
    shell = InteractiveShell(config=config)
    FlyteMagics(shell, session, ready=lambda: None)
    assert flytenb.options().settings == Settings(workers=4, cache="overwrite", strict=True)


# --- a real kernel ----------------------------------------------------------------------------------------------------


@pytest.mark.kernel
def test_a_kernel_reads_all_places_and_a_run_uses_them() -> None:
    with Kernel() as kernel:
        (kernel.cwd / "pyproject.toml").write_text("[tool.flytenb]\nworkers = 3\nstrict = true\n")
        kernel.run("""
            import flytenb
            from flytekit import task

            @task
            def one(x: int) -> int:
                return x
        """).ok()
        used = "[r.settings.workers, r.settings.strict]"
        kernel.run("r = %flyte run one(x=1)").ok()
        assert kernel.value(used) == [3, True]
        kernel.run("%config FlyteMagics.workers = 4").ok()
        kernel.run("r = flytenb.run(one, x=1)").ok()
        assert kernel.value(used) == [4, True]
        kernel.run("r = %flyte run one(x=1) --workers 5 --no-strict").ok()
        assert kernel.value(used) == [5, False]
        kernel.run("r = flytenb.options(workers=6).run(one, x=1)").ok()
        assert kernel.value(used) == [6, True]
        listed = kernel.run("%flyte settings").ok()
        for shown in (listed.shown, listed.html):
            assert "%config FlyteMagics.workers" in shown
            assert "pyproject.toml" in shown
        kernel.run("%reload_ext flytenb").ok()
        kernel.run("r = %flyte run one(x=1)").ok()
        assert kernel.value(used) == [4, True]
        kernel.run("%config FlyteMagics.workers = None").ok()
        assert kernel.value("flytenb.options().settings.workers") == 3
        assert "must be an integer >= 1, got 0" in kernel.run("%config FlyteMagics.workers = 0").stderr
        assert "how many nodes run" in kernel.run("%config FlyteMagics").ok().text
        (kernel.cwd / "pyproject.toml").write_text("[tool.flytenb]\nworkers = 0\n")
        for cell in ("%flyte settings", "%flyte run one(x=1)", "flytenb.run(one, x=1)"):
            error = kernel.run(cell).fails()
            assert error.ename == "UsageError"
            assert "workers must be an integer >= 1, got 0" in error.traceback
            assert "pyproject.toml" in error.traceback
        (kernel.cwd / "pyproject.toml").unlink()


@pytest.mark.kernel
def test_a_kernel_reads_ipythons_configuration() -> None:
    config = "c = get_config()\nc.FlyteMagics.workers = 7\nc.FlyteMagics.cache = 'no'\n"
    with Kernel(ipython_config=config) as kernel:
        error = kernel.run("%flyte settings").fails()
        assert "cache must be True, False or 'overwrite', got 'no'" in error.traceback
        assert "c.FlyteMagics.cache in ipython_config.py" in error.traceback
        kernel.run("%config FlyteMagics.cache = False").ok()
        kernel.run("rows = {r[0]: r[1:3] for r in get_ipython().run_line_magic('flyte', 'settings').rows}").ok()
        assert kernel.value("[*rows['workers'], *rows['cache']]") == [
            "7",
            "c.FlyteMagics.workers in ipython_config.py",
            "False",
            "%config FlyteMagics.cache",
        ]
