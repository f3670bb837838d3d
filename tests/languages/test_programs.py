"""Programs of cells: errors name the line or the output, files cross, names and shapes that can't are refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from flytenb.bridge.execution.container_files import LARGEST_ERROR
from flytenb.errors import DefinitionError
from flytenb.languages.language import Cell, CellPort
from flytenb.languages.language_registry import find_language
from tests.languages.cells import EPOCH, MICRO, Sent, run_cell
from tests.languages.values import NASTY, SCALARS, TEXTS

MICRO_LATER = EPOCH + MICRO
LATEST = datetime.datetime(9999, 12, 31, 23, 59, 59, 999000, datetime.UTC)
FLOAT = {"y": CellPort("d")}
FAILING_CODE = {
    "python": ("x = 1\ndef f():\n    raise KeyError('no')\n\nf()", "KeyError: 'no'\nline 3: raise KeyError('no')"),
    "r": ("x <- 1\nf <- function() {\n  stop('no')\n}\nf()", "Error in f(): no\nline 3: stop('no')"),
    "node": (
        "let x = 1\nfunction f() {\n  throw new TypeError('no')\n}\nf()",
        "TypeError: no\nline 3: throw new TypeError('no')",
    ),
    "shell": ("x=1\nf() {\n  cat /no/file 2>/dev/null\n  y=1\n}\n\n  f", "exit status 1\nline 7: f"),
}
"""Code that fails in a function, and what `_ERROR` says."""


@pytest.mark.parametrize("language", FAILING_CODE)
def test_an_error_names_the_line_of_the_cell(language: str, tmp_path: Path) -> None:
    code, message = FAILING_CODE[language]
    ended = run_cell(find_language(language), code, tmp_path, {}, FLOAT)
    assert (ended.status, ended.error, ended.outputs) == (1, message, {})
    assert message in ended.stderr


SYNTAX_ERRORS = {
    "python": "x = 1\ny = (\n",
    "r": "x <- 1\ny <- )\n",
    "node": "let x = 1\nlet y = )\n",
    "shell": "x=1\ny=$(echo 1)) \n",
}


@pytest.mark.parametrize("language", SYNTAX_ERRORS)
def test_a_syntax_error_names_the_line_of_the_cell(language: str, tmp_path: Path) -> None:
    code = SYNTAX_ERRORS[language]
    ended = run_cell(find_language(language), code, tmp_path, {}, FLOAT)
    assert ended.status == 1 and ended.error is not None
    assert ended.error.endswith(f"\nline 2: {code.splitlines()[1].strip()}")


WRONG = {
    "python": ["y = 'a'", "", "y = [1]"],
    "r": ["y <- c('a', 'b')", "", "y <- NA"],
    "node": ["const y = ['a']", "", "const y = '1'"],
    "shell": ["y=abc", "", "y=1.2.3"],
}
WRONG_MESSAGES = {
    "python": ["a float, got str 'a'", "a float, but the cell doesn't set y", "a float, got list [1]"],
    "r": ["a float, got a character vector of length 2", "a float, but the cell doesn't set y", "a float, got NA"],
    "node": [
        "a Number, got an array of length 1",
        "a Number, but the cell doesn't set y",
        'a Number, got the string "1"',
    ],
    "shell": ["a float, got 'abc'", "a variable or the file {outputs}/y, got neither", "a float, got '1.2.3'"],
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("language", "code", "message"), [
    (language, code, message)
    for language, codes in WRONG.items()
    for code, message in zip(codes, WRONG_MESSAGES[language], strict=True)
])  # fmt: skip
def test_an_output_of_another_type_is_an_error(language: str, code: str, message: str, tmp_path: Path) -> None:
    ended = run_cell(find_language(language), code, tmp_path, {}, FLOAT)
    expected = f"output 'y': expected {message.format(outputs=tmp_path / 'outputs')}"
    assert (ended.status, ended.error, ended.stderr) == (1, expected, f"{expected}\n")


TOO_MUCH = {
    "python": ("y = 2**63", "output 'y': expected an int of at most 64 bits, got 9223372036854775808"),
    "r": ("y <- 2.5", "output 'y': expected an int, got 2.5"),
    "node": (
        "const y = 2n ** 63n",
        "output 'y': expected an integer of at most 64 bits, got the BigInt 9223372036854775808",
    ),
    "shell": ("y=1e3", "output 'y': expected an int, got '1e3'"),
}


@pytest.mark.parametrize("language", TOO_MUCH)
def test_a_value_that_does_not_fit_is_an_error(language: str, tmp_path: Path) -> None:
    code, message = TOO_MUCH[language]
    assert run_cell(find_language(language), code, tmp_path, {}, {"y": CellPort("i")}).error == message


@pytest.mark.parametrize(("language", "sent", "message"), [
    ("r", Sent("i", 2**53), "an int below 2^53, which R can hold, got 9007199254740992: pass it as str"),
    ("r", Sent("s", "a\0b"), "text without NUL characters, which R can't hold"),
    ("r", Sent("T", LATEST), "whole microseconds, which R can hold, got 253402300799 s and 9.99e+08 ns"),
    ("shell", Sent("s", "a\0b"), "text without NUL characters, which a shell variable can't hold"),
    ("node", Sent("T", MICRO_LATER), "whole milliseconds, got 1000 ns: pass it as str"),
])  # fmt: skip
def test_an_input_that_a_language_can_t_hold_is_an_error(
    language: str, sent: Sent, message: str, tmp_path: Path
) -> None:
    ended = run_cell(find_language(language), "", tmp_path, {"x": sent}, {})
    assert (ended.status, ended.error) == (1, f"input 'x': expected {message}")


FILES = {
    "python": "import os, shutil\ncopied = path\nos.mkdir('made')\nopen('made/a', 'w').write('1')\nmade = 'made'\n"
    "shutil.copy(path, os.environ['FLYTENB_OUTPUTS'] + '/written')",
    "r": "copied <- path\ndir.create('made')\nwriteLines('1', 'made/a', sep = '')\nmade <- 'made'\n"
    "x <- file.copy(path, file.path(Sys.getenv('FLYTENB_OUTPUTS'), 'written'))",
    "node": "const fs = require('fs')\nconst copied = path\nfs.mkdirSync('made')\nfs.writeFileSync('made/a', '1')\n"
    "const made = 'made'\nfs.copyFileSync(path, process.env.FLYTENB_OUTPUTS + '/written')",
    "shell": 'copied=$path\nmkdir made\nprintf 1 >made/a\nmade=made\ncp "$path" "$FLYTENB_OUTPUTS/written"',
}


@pytest.mark.parametrize("language", FILES)
def test_files_and_directories_are_paths(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent").write_bytes(b"\0\xff")
    outputs = {"copied": CellPort("f"), "written": CellPort("f"), "made": CellPort("F")}
    sent = {"path": Sent("f", str(tmp_path / "sent"))}
    ended = run_cell(find_language(language), FILES[language], tmp_path, sent, outputs)
    assert (ended.error, ended.stderr) == (None, "")
    assert ended.outputs == {"copied": b"\0\xff", "written": b"\0\xff", "made": {"a": b"1"}}


def test_shell_variables_hold_values_exactly(tmp_path: Path) -> None:
    values = [(tag, value) for tag, some in SCALARS.items() for value in some]
    inputs = {f"in{i}": Sent(tag, value) for i, (tag, value) in enumerate(values)}
    outputs = {f"out{i}": CellPort(tag, tag in "sa") for i, (tag, _) in enumerate(values)}
    inputs["texts"], outputs["same"] = Sent("l s", TEXTS), CellPort("l s", True)
    code = "\n".join(f"out{i}=$in{i}" for i in range(len(values))) + "\nsame=$texts"
    ended = run_cell(find_language("shell"), code, tmp_path, inputs, outputs, environment={"LANG": "C"})
    assert (ended.error, ended.stderr) == (None, "")
    for i, (_, value) in enumerate(values):
        assert repr(ended.outputs[f"out{i}"]) == repr(value)
    assert ended.outputs["same"] == TEXTS


CODE_AS_WRITTEN = {
    "python": "s = r'''{}'''",
    "r": 's <- r"---({})---"',
    "node": "const s = String.raw`{}`.replace(/…/g, '$')",
    "shell": "s=$(cat <<'END_OF_IT' && printf x\n{}\nEND_OF_IT\n)\ns=${{s%?x}}",
}


@pytest.mark.parametrize("language", CODE_AS_WRITTEN)
def test_code_reaches_the_interpreter_as_written(language: str, tmp_path: Path) -> None:
    pattern = CODE_AS_WRITTEN[language]
    text = NASTY.replace("\r", "").replace("`", "")
    text = text.replace("${", "").replace("$", "…") if language == "node" else text
    ended = run_cell(find_language(language), pattern.format(text), tmp_path, {}, {"s": CellPort("s", True)})
    assert ended.error is None
    assert ended.outputs["s"] == (text.replace("…", "$") if language == "node" else text)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("language", "code"), [
    ("python", "import sys\ny = 1.0\nsys.exit(0)\ny = 2.0"),
    ("node", "let y = 1\nprocess.exit(0)\ny = 2"),
    ("node", "let y = 1\nreturn\ny = 2"),
    ("shell", "y=1.0\nexit 0\ny=2.0"),
    ("r", "y <- 1\nquit(status = 0)\ny <- 2"),
    ("r", "y <- 1\nleave <- function() q('no')\ntryCatch(leave(), error = print)\ny <- 2"),
])  # fmt: skip
def test_a_cell_may_end_early(language: str, code: str, tmp_path: Path) -> None:
    ended = run_cell(find_language(language), code, tmp_path, {}, FLOAT)
    assert (ended.status, ended.error, ended.outputs) == (0, None, {"y": 1.0})


@pytest.mark.parametrize(("language", "code", "says"), [
    ("python", "y = 1.0\nexit(3)", "exit(3)"),
    ("node", "let y = 1\nprocess.exit(3)", "exit status 3"),
    ("shell", "y=1\nexit 3", "exit status 3"),
    ("r", "y <- 1\nquit(status = 3)", "quit(status = 3)"),
])  # fmt: skip
def test_a_cell_that_ends_with_a_status_fails(language: str, code: str, says: str, tmp_path: Path) -> None:
    ended = run_cell(find_language(language), code, tmp_path, {}, FLOAT)
    assert (ended.status, ended.outputs) == (1, {})
    assert ended.error is not None and says in ended.error


@pytest.mark.parametrize(("language", "code"), [
    ("python", "raise ValueError('xé' * 2_000_000)"),
    ("node", "throw new Error('xé'.repeat(2e6))"),
    ("r", "stop(simpleError(strrep('xé', 2e6)))"),
])  # fmt: skip
def test_copilot_reads_the_beginning_of_a_long_message(language: str, code: str, tmp_path: Path) -> None:
    ended = run_cell(find_language(language), code, tmp_path, {}, FLOAT)
    assert ended.status == 1 and ended.error is not None
    assert 10_000 < len(ended.error.encode()) < LARGEST_ERROR


@pytest.mark.parametrize(("shape", "code", "says"), [
    ("l d", "y <- matrix(1:4, 2)", "expected a list, got an array of 2 x 2"),
    ("l l d", "y <- matrix(1:4, 2)", "expected a list, got an array of 2 x 2"),
    ("j", "y <- list(a = matrix(1:4, 2))", "got an array of 2 x 2, at $a"),
    ("s", "y <- '\\xff'", "expected text in UTF-8"),
])  # fmt: skip
def test_r_refuses_what_it_would_change(shape: str, code: str, says: str, tmp_path: Path) -> None:
    ended = run_cell(find_language("r"), code, tmp_path, {}, {"y": CellPort(shape, True)})
    assert ended.error is not None and says in ended.error


def test_functions_of_an_r_cell_are_not_those_of_the_prelude(tmp_path: Path) -> None:
    code = "c <- paste0 <- length <- escape <- is.character <- function(...) 'mine'\ny <- list('a', 'b')"
    ended = run_cell(find_language("r"), code, tmp_path, {}, {"y": CellPort("l s", True)})
    assert (ended.error, ended.outputs) == (None, {"y": ["a", "b"]})


@pytest.mark.parametrize("names", ["0 2", "0 other", "1", "0 .hidden"])
def test_a_list_of_a_shell_cell_has_every_place_and_no_other_file(names: str, tmp_path: Path) -> None:
    code = f"mkdir {tmp_path}/d\nfor name in {names}; do echo x >{tmp_path}/d/$name; done\ny={tmp_path}/d"
    ended = run_cell(find_language("shell"), code, tmp_path, {}, {"y": CellPort("l s", True)})
    assert ended.error is not None and "expected a directory with 0, 1, 2 … only, got " in ended.error
    assert ended.outputs == {}


def test_node_awaits_at_top_level_and_imports(tmp_path: Path) -> None:
    code = (
        "const path = await import('path')\nawait new Promise((done) => setImmediate(done))\nconst y = path.sep.length"
    )
    assert run_cell(find_language("node"), code, tmp_path, {}, FLOAT).outputs == {"y": 1.0}


def test_node_names_what_it_waits_for_in_vain(tmp_path: Path) -> None:
    ended = run_cell(find_language("node"), "await new Promise(() => {})\nconst y = 1", tmp_path, {}, FLOAT)
    assert ended.error is not None and "waits for what never happens, before it set y" in ended.error


def test_no_command_of_a_shell_cell_fails_unseen(tmp_path: Path) -> None:
    ended = run_cell(find_language("shell"), "false\ny=1", tmp_path, {}, FLOAT)
    assert (ended.status, ended.error) == (1, "exit status 1\nline 1: false")


@pytest.mark.parametrize(("language", "name"), [
    ("python", "class"), ("r", "TRUE"), ("r", "_x"), ("node", "await"), ("julia", "end"), ("shell", "PATH"),
    ("shell", "flytenb_code"), ("python", "a b"), ("shell", "é"),
])  # fmt: skip
def test_a_reserved_name_is_refused(language: str, name: str) -> None:
    assert repr(name) in find_language(language).refuse(name, CellPort("d"), True)


@pytest.mark.parametrize(("port", "is_input"), [
    (CellPort("m d"), True), (CellPort("s"), False), (CellPort("l d"), False), (CellPort("f", True), True),
    (CellPort("r 1 x f", True), False),
])  # fmt: skip
@pytest.mark.parametrize("language", ["python", "r", "node", "julia", "shell"])
def test_a_shape_that_can_t_cross_like_that_is_refused(language: str, port: CellPort, is_input: bool) -> None:
    assert find_language(language).refuse("x", port, is_input)
    assert not find_language(language).refuse("x", CellPort("d"), is_input)


@pytest.mark.parametrize("shape", ["m s", "t", "o d", "l T", "l l d", "j", "r 1 x d"])
def test_shell_refuses_what_it_can_t_hold(shape: str) -> None:
    shell = find_language("shell")
    assert "a shell cell can't hold 'x'" in shell.refuse("x", CellPort(shape, True), False)
    assert not shell.refuse("x", CellPort("l s", True), False)
    assert "whose items would be times" in shell.refuse("x", CellPort("l a"), True)


def test_a_program_that_no_command_can_hold_is_refused() -> None:
    for code, message in [("#" * 140_000, "at most"), ("a\0b", "NUL"), ("'\ud800'", "Unicode")]:
        with pytest.raises(DefinitionError, match=message):
            find_language("python").program(Cell(code, {}, {}))


@pytest.mark.slow
def test_julia_names_lines_and_outputs(tmp_path: Path) -> None:
    julia = find_language("julia")
    cells = {
        'x = 1\nfunction f()\n  error("no")\nend\nf()': 'no\nline 3: error("no")',
        "x = 1\ny = )\n": "line 2: y = )",
        "y = [1]": "output 'y': expected a Float64, got a Array{Int64,1} of length 1",
        "": "output 'y': expected a Float64, but the cell doesn't set y",
    }
    for i, (code, message) in enumerate(cells.items()):
        folder = tmp_path / str(i)
        folder.mkdir()
        ended = run_cell(julia, code, folder, {}, FLOAT)
        assert ended.status == 1 and ended.error is not None and ended.error.endswith(message), ended
