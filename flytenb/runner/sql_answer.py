"""Answers of a database for statements that are meant for another one, translated by sqlglot where it is installed."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from flytenb.errors import FlytenbError, headline
from flytenb.model.request import Request

_PIECES = re.compile(
    r"""(?P<skip>'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/|::)"""
    r"|%\((?P<percent>\w+)\)s|[@:$](?P<sign>[A-Za-z_]\w*)",
    re.DOTALL,
)
"""What is skipped: texts, quoted names, comments, casts. What is found: `%(n)s`, `@n`, `:n`, `$n`."""
_MARK = "flytenb_parameter_"
"""An identifier in place of a parameter while the statement is translated."""


@dataclass(frozen=True)
class _Engine:
    """A database that answers: its name, sqlglot's name of its dialect, and how a statement names a parameter."""

    name: str
    dialect: str
    parameter: str = "%({})s"


_ENGINES = {
    "sqlite3": _Engine("SQLite", "sqlite", ":{}"),
    "duckdb": _Engine("DuckDB", "duckdb", "${}"),
    "_duckdb": _Engine("DuckDB", "duckdb", "${}"),
    "psycopg": _Engine("PostgreSQL", "postgres"),
    "psycopg2": _Engine("PostgreSQL", "postgres"),
    "pymysql": _Engine("MySQL", "mysql"),
    "snowflake": _Engine("Snowflake", "snowflake"),
    "fakesnow": _Engine("fakesnow", "snowflake"),
}
"""By the top package of a connection's class."""
_DIFFERENCES = (
    ("snowflake", "", "Snowflake returns names without quotes in upper case"),
    ("", "sqlite", "SQLite has no dates, times, truth values or decimals: they are text and numbers"),
    ("bigquery", "", "a table with a project is in a database of that name here: ATTACH ':memory:' AS project"),
)
"""From which service to which engine, and what differs there whatever the statement is."""


def is_connection(value: Any) -> bool:
    """Tell whether a value is a connection of a database (DB-API 2.0)."""
    if isinstance(value, ModuleType | type):
        return False
    return callable(getattr(type(value), "cursor", None)) and callable(getattr(type(value), "commit", None))


def ask(connection: Any, request: Request, row_names: Sequence[str] = ()) -> tuple[Any, tuple[str, ...]]:
    """Execute the statement of a request.

    Args:
        connection: the connection.
        request: the request.
        row_names: the outputs that one row has a column for; empty if the answer is a table.

    Returns:
        A frame, or the values of a row by name; and how the statement was translated.

    Raises:
        FlytenbError: for a task without a statement, or one that the database can't execute.
    """
    if request.sql is None:
        raise FlytenbError(
            f"task {request.task!r} sends no SQL, so a connection can't answer it",
            hint="answer it by a function of its request, or by its outputs",
        )
    engine = _engine_of(connection)
    statements, notes = _translate(request, engine)
    found: Any = None
    for statement in statements:
        parameters = {
            name: request.parameters[name] for name in _names(statement, engine) if name in request.parameters
        }
        try:
            found = _execute(connection, statement, parameters, engine)
        except Exception as error:
            raise FlytenbError(
                f"{engine.name} can't execute the statement of task {request.task!r}: {headline(error)}",
                hint="; ".join((*request.notes, *_advice(request, engine), f"it executed {statement}")),
            ) from error
    if found is not None and row_names and len(found) == 1 and set(row_names) == set(found.columns):
        return {name: found[name].tolist()[0] for name in row_names}, notes
    return found, notes


def _engine_of(connection: Any) -> _Engine:
    package = type(connection).__module__.partition(".")[0]
    return _ENGINES.get(package) or _Engine(package, "")


def _translate(request: Request, engine: _Engine) -> tuple[list[str], tuple[str, ...]]:
    """Return the statements in the engine's dialect, and notes on what was changed and what differs."""
    assert request.sql is not None
    source = request.sql
    marked = _mark(source, request.parameters)
    notes: list[str] = []
    statements = [marked]
    if request.dialect and engine.dialect and request.dialect != engine.dialect and _has_sqlglot():
        statements, lost = _transpile(marked, request, engine)
        notes += [f"{engine.name}: {text}" for text in lost]
    written = [re.sub(rf"{_MARK}(\w+)", lambda found: engine.parameter.format(found[1]), s) for s in statements]
    if written != [source]:
        notes.insert(0, f"{engine.name} executed {'; '.join(written)}")
    if request.dialect != engine.dialect:
        notes += [text for of, to, text in _DIFFERENCES if of in ("", request.dialect) and to in ("", engine.dialect)]
    return written, tuple(notes)


def _mark(sql: str, parameters: Mapping[str, Any]) -> str:
    """Replace the parameters of a statement by identifiers, which every dialect parses."""

    def mark(found: re.Match[str]) -> str:
        name = found["percent"] or found["sign"]
        return f"{_MARK}{name}" if name in parameters else found[0]

    marked = _PIECES.sub(mark, sql)
    return marked.replace("%%", "%") if "%(" in sql and parameters else marked


def _names(statement: str, engine: _Engine) -> list[str]:
    pattern = re.escape(engine.parameter).replace(r"\{\}", r"(\w+)")
    return list(dict.fromkeys(re.findall(pattern, statement)))


def _has_sqlglot() -> bool:
    return importlib.util.find_spec("sqlglot") is not None


def _transpile(sql: str, request: Request, engine: _Engine) -> tuple[list[str], list[str]]:
    import sqlglot  # optional
    from sqlglot.errors import ErrorLevel, SqlglotError

    generator = sqlglot.Dialect.get_or_raise(engine.dialect).generator(unsupported_level=ErrorLevel.IGNORE)
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=request.dialect) if tree is not None]
    except SqlglotError as error:
        raise FlytenbError(
            f"the statement of task {request.task!r} isn't valid {request.dialect}: {headline(error)}",
            hint="; ".join(request.notes),
        ) from error
    statements: list[str] = []
    lost: list[str] = []
    for tree in trees:
        statements.append(generator.generate(tree))
        lost += generator.unsupported_messages
    return statements, lost


def _advice(request: Request, engine: _Engine) -> list[str]:
    if request.dialect in ("", engine.dialect) or _has_sqlglot():
        return []
    return [f"it is written for {request.dialect}; pip install 'flytenb[sql]' to have it translated"]


def _execute(connection: Any, statement: str, parameters: dict[str, Any], engine: _Engine) -> Any:
    """Execute one statement and return its rows as a frame, None if there are none."""
    import pandas as pd  # optional

    if engine.dialect == "duckdb":  # a cursor doesn't see the frames that are registered on the connection
        done = connection.execute(statement, parameters) if parameters else connection.execute(statement)
        return None if done.description is None else done.df()
    cursor = connection.cursor()
    try:
        cursor.execute(statement, parameters) if parameters else cursor.execute(statement)
        if cursor.description is None:
            return None
        return pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
    finally:
        cursor.close()
