"""The text of an exported module: comments, empty lines, imports; and the same bytes for the same cells."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import flytenb
from flytenb.errors import ExportError, NotAnEntityError, SaveError
from flytenb.reach.syntax_trees import parse
from flytenb.ship.module_text import Imported, import_block
from flytenb.ship.secret_texts import find_secrets, has_secret
from tests.ship.notebooks import open_notebook

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # event loops and directories that IPython and flytekit leave
)

CELLS = (
    "import os\nimport json  # for the report\nfrom flytekit import workflow, task\nfrom datetime import timedelta",
    """# Settings
# of all runs.
LIMIT = 3  # the most
'''How many.'''
FACTOR = LIMIT * 2

WAIT = timedelta(
    minutes=5,  # long enough
)
print(LIMIT)
""",
    """%%task timeout=WAIT
# Adds.

def inc(x: int) -> int:
    '''Add one.'''
    # A comment inside.
    return x + FACTOR
""",
    """wf = None
@workflow
def wf(x: int = 1) -> int:
    return report(x=inc(x=x))  # at the end


# Behind everything.
""",
    "@task\ndef report(x: int) -> int:\n    return len(json.dumps(x))\n%flyte\nwf(x=2)",
)
TEXT = '''"""wf, exported from a notebook."""

import json  # for the report
from datetime import timedelta

from flytekit import task, workflow

# Settings
# of all runs.
LIMIT = 3  # the most
\'\'\'How many.\'\'\'
FACTOR = LIMIT * 2

WAIT = timedelta(
    minutes=5,  # long enough
)

# Adds.


@task(timeout=WAIT)
def inc(x: int) -> int:
    \'\'\'Add one.\'\'\'
    # A comment inside.
    return x + FACTOR


@task
def report(x: int) -> int:
    return len(json.dumps(x))


@workflow
def wf(x: int = 1) -> int:
    return report(x=inc(x=x))  # at the end
'''


def test_the_module_is_what_the_cells_say_of_it() -> None:
    """The text is the same in every process, whatever its hash seed."""
    with open_notebook() as notebook:
        notebook.run(*CELLS)
        made = flytenb.export(notebook.names["wf"])
    assert made.text == TEXT
    assert repr(made) == TEXT.rstrip()
    assert "def wf" in made._repr_mimebundle_()["text/html"]


def test_a_long_module_is_shown_whole() -> None:
    steps = [f"@task\ndef step_{number}(x: int) -> int:\n    return x + {number}" for number in range(100)]
    body = "".join(f"    x = step_{number}(x=x)\n" for number in range(100))
    with open_notebook() as notebook:
        notebook.run(
            "from flytekit import task, workflow", *steps, f"@workflow\ndef wf(x: int) -> int:\n{body}    return x"
        )
        made = flytenb.export(notebook.names["wf"])
    shown = made._repr_mimebundle_()["text/html"]
    assert "x = step_99(x=x)" in shown
    assert "return x" in shown.rpartition("step_99")[2]
    assert "more char" not in shown


DOCUMENTED = """# Copyright of somebody

'''Add one.

Every day.
'''

from flytekit import task"""
TABLE = """# What follows

# is a table.

TABLE = [1]
# with one number

# Not this.
print(TABLE)
# nor this"""
LATER = """'A text.'

# --- Steps

# Adds.
@task
def step(x: int) -> int:
    '''Add.'''
    return x + TABLE[0]

    # the end

# alone, at the end of its cell"""
COMMENTED = """# Copyright of somebody

'''Add one.

Every day.
'''

from flytekit import task

# What follows

# is a table.

TABLE = [1]
# with one number

# --- Steps


# Adds.
@task
def step(x: int) -> int:
    '''Add.'''
    return x + TABLE[0]

    # the end
"""


def test_the_docstring_and_the_comments_of_the_cells_are_kept() -> None:
    with open_notebook() as notebook:
        notebook.run("%load_ext flytenb\n# only a comment", key="a")
        notebook.run(DOCUMENTED.replace("one", "two"), key="b")
        notebook.run(TABLE, key="c")
        notebook.run(LATER, key="d")
        notebook.run(DOCUMENTED, key="b")
        made = flytenb.export(notebook.names["step"])
    assert made.text == COMMENTED


def test_comments_without_a_docstring_begin_the_module() -> None:
    with open_notebook() as notebook:
        notebook.run("#!/usr/bin/env python\n# Adds one.\n\nimport json\nfrom flytekit import task", STEP.format(k=1))
        made = flytenb.export(notebook.names["step"])
    assert made.text.startswith("#!/usr/bin/env python\n# Adds one.\n\nfrom flytekit import task\n\n\n@task\n")


@pytest.mark.parametrize("head", ["'''{}'''", "# {}\n\n'''Adds.'''", "# {}\n\nimport json"])
def test_a_secret_at_the_beginning_is_refused(head: str) -> None:
    with open_notebook() as notebook:
        notebook.run(head.format("The key is AKIAIOSFODNN7EXAMPLE"), IMPORT + STEP.format(k=1))
        with pytest.raises(ExportError, match="that looks like a secret"):
            flytenb.export(notebook.names["step"])


def test_running_a_cell_again_or_replacing_a_definition_moves_nothing() -> None:
    cells = [IMPORT, "def one(x):\n    return x", "def two(x):\n    return one(x)", STEP.format(k="two(x)")]
    with open_notebook() as notebook:
        for number, cell in enumerate(cells):
            notebook.run(cell, key=f"{number}")
        before = flytenb.export(notebook.names["step"]).text
        notebook.run(cells[1], key="1")
        assert flytenb.export(notebook.names["step"]).text == before
        notebook.run("def one(x):\n    return x + three(x)", key="4")
        notebook.run("def three(x):\n    return 3", key="5")
        made = flytenb.export(notebook.names["step"]).text
    defined = [line.partition("(")[0] for line in made.splitlines() if line.startswith("def ")]
    assert defined == ["def three", "def one", "def two", "def step"]


def test_the_magic_writes_the_file(tmp_path: Path) -> None:
    with open_notebook() as notebook:
        notebook.run(*CELLS)
        for option in ("-o", "--save"):
            made = notebook.run(f"%flyte export wf {option} {tmp_path}/pipeline{option}.py")
            assert (tmp_path / f"pipeline{option}.py").read_text() == made.text == TEXT
        assert notebook.run("%flyte export [report, inc]").names == ("report", "inc")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with open_notebook() as notebook:
        notebook.run(*CELLS)
        with pytest.raises(SaveError, match="can't write"):
            flytenb.export(notebook.names["wf"], tmp_path / "nowhere" / "pipeline.py")


IMPORT = "import flytenb\nfrom flytekit import task\n"
STEP = "@task\ndef step(x: int) -> int:\n    return x + {k}\n"


@pytest.mark.parametrize(
    "cells",
    [
        [IMPORT + STEP.format(k=2) + "made = flytenb.export(step)"],
        [IMPORT + STEP.format(k=1), STEP.format(k=2) + "made = flytenb.export(step)"],
        [IMPORT + STEP.format(k=1), f"get_ipython().run_cell({STEP.format(k=2)!r})\nmade = flytenb.export(step)"],
        [IMPORT + STEP.format(k=1), "1 / 0", STEP.format(k=2) + "made = flytenb.export(step)"],
    ],
    ids=["the first cell", "a later cell", "a cell that runs a cell", "after a cell that failed"],
)
def test_what_a_cell_defines_is_exported_in_the_same_cell(cells: list[str]) -> None:
    with open_notebook() as notebook:
        for cell in cells:
            notebook.try_run(cell)
        assert "x + 2" in notebook.names["made"].text
        notebook.run(STEP.format(k=3))
        made = flytenb.export(notebook.names["step"])
        assert "x + 3" in made.text
        assert made.text.count("def step") == 1


def test_what_is_no_entity_or_has_no_variable_is_refused() -> None:
    with open_notebook() as notebook:
        notebook.run(
            "from flytekit import task\n@task\ndef step(x: int) -> int:\n    return x\nheld = [step]\ndel step"
        )
        with pytest.raises(ExportError, match="no variable of the notebook holds"):
            flytenb.export(notebook.names["held"][0])
        with pytest.raises(NotAnEntityError):
            flytenb.export([3])


def test_imports_are_sorted_in_sections_and_joined() -> None:
    imports = [
        Imported(2, True, "flytekit", "task"),
        Imported(2, True, "flytekit", "map_task", "each"),
        Imported(1, False, "sys"),
        Imported(1, True, "a", "b"),
        Imported(1, False, "os.path", "", "p"),
        Imported(0, True, "__future__", "annotations"),
        Imported(3, False, "mine", text="import mine  # here"),
    ]
    assert import_block(imports) == (
        "from __future__ import annotations\n\nimport os.path as p\nimport sys\nfrom a import b\n\n"
        "from flytekit import map_task as each\nfrom flytekit import task\n\nimport mine  # here"
    )
    long = import_block([Imported(2, True, "package", f"a_rather_long_name_{number}") for number in range(5)])
    assert long.splitlines()[:2] == ["from package import (", "    a_rather_long_name_0,"]
    assert max(map(len, long.splitlines())) <= 100


SECRETS = [
    "PASSWORD = 'x'",
    "db_password: str = 'hunter2'",
    "connect(passwd='abc')",
    "settings = {'client_secret': 'abc'}",
    "os.environ['GITHUB_TOKEN'] = 'abcd1234'",
    "def f(api_key='abcd1234'): ...",
    "def f(*, access_key='abcd1234'): ...",
    "key = 'AKIAIOSFODNN7EXAMPLE'",
    "x = 'ghp_" + "a1" * 18 + "'",
    "url = 'postgresql://me:word@host/db'",
    "pem = '''-----BEGIN RSA PRIVATE KEY-----'''",
    "x = 'Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZkdISUpLTE1OT1A'",
    "user, password = 'me', 'hunter2'",
    "API_KEY = b'abcd1234'",
    "os.environ.get('DB_PASSWORD', 'hunter2')",
]
NO_SECRETS = [
    "PASSWORD = ''",
    "token = '<PAD>'",
    "max_tokens = 4096",
    "tokenizer = 'bert-base-uncased-v2'",
    "secret = Secret(group='db', key='name')",
    "author = 'a1b2c3d4e5'",
    "digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
    "url = 'https://example.org:8080/path?x=1'",
    "path = 's3://bucket/Some/Long/Path/With/Many/Parts/And/2024/01/data.parquet'",
    "name = 'a_rather_long_identifier_with_words_in_it_v2'",
    "SECRET_NAME, SECRET_GROUP = 'user_secret', 'user-info'",
    "password_column = 'pw'",
    "os.environ.get('DB_PASSWORD', '')",
    f"long = '{'a' * 200_000}'",
]


@pytest.mark.parametrize("code", SECRETS)
def test_a_text_that_looks_like_a_secret_is_found(code: str) -> None:
    assert list(find_secrets([*ast.walk(parse(code))]))


@pytest.mark.parametrize("code", NO_SECRETS)
def test_a_text_that_only_resembles_one_is_not(code: str) -> None:
    assert not list(find_secrets([*ast.walk(parse(code))]))


def test_a_message_about_a_secret_does_not_contain_it() -> None:
    assert has_secret("ghp_" + "a1" * 18)
    assert "a1a1" not in "".join(find_secrets([*ast.walk(parse(f"x = 'ghp_{'a1' * 18}'"))]))
