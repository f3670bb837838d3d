"""Answers of a database for statements that are meant for another one, translated by sqlglot where it is installed."""

from __future__ import annotations

import datetime
import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from flytenb.bridge.execution.sql_parameters import PIECES, is_formatted
from flytenb.errors import FlytenbError, headline
from flytenb.model.request import Request

_MARK = "flytenb_parameter_"
"""An identifier in place of a parameter while the statement is translated."""
_MARKED = re.compile(rf"{_MARK}(\w+)")


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
_DATE_FORMAT = re.compile(r"(?=.*%)(%-?[A-Za-z]|[^A-Za-z%])*", re.DOTALL)
"""A format that is translated as a whole; that of a number, such as `999.99`, has no `%`."""
_NO_TYPES = "SQLite has no dates, times, truth values or decimals: they are text and numbers"
_CASE = "Snowflake returns names without quotes in upper case, {} as they are written"


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
            hint="answer it with a function of its request, or with its outputs",
        )
    engine = _engine_of(connection)
    script = _translate(request, engine)
    found: Any = None
    for statement, names in script.statements:
        parameters = {name: request.parameters[name] for name in names}
        try:
            found = _execute(connection, statement, parameters, engine, is_row=bool(row_names))
        except Exception as error:
            hint = "; ".join((*request.notes, *_advice(request, engine), f"it executed {statement}"))
            message = f"{engine.name} can't execute the statement of task {request.task!r}: {headline(error)}"
            raise FlytenbError(message, hint) from error
    if found is None:
        return None, script.notes
    if script.quoted is not None:
        found.columns = [name if name in script.quoted else name.upper() for name in found.columns]
    if len(found) == 1 and {name.lower() for name in row_names} == {name.lower() for name in found.columns}:
        row = {name.lower(): found[name].tolist()[0] for name in found.columns}
        return {name: row[name.lower()] for name in row_names}, script.notes
    return found, script.notes


def _engine_of(connection: Any) -> _Engine:
    package = type(connection).__module__.partition(".")[0]
    return _ENGINES.get(package) or _Engine(package, "")


@dataclass(frozen=True)
class _Script:
    """Statements in an engine's dialect.

    Attributes:
        statements: the statements, each with the names of its parameters.
        notes: how they were translated, and what differs from the service.
        quoted: the names in quotes, if all other names become upper case; else None.
    """

    statements: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...]
    quoted: frozenset[str] | None = None


def _translate(request: Request, engine: _Engine) -> _Script:
    assert request.sql is not None
    is_other = request.dialect != engine.dialect
    statements = [_mark(request.sql, request)]
    notes: list[str] = []
    quoted: frozenset[str] | None = None
    if is_other and request.dialect and engine.dialect and _has_sqlglot():
        statements, lost, quoted = _transpile(statements[0], request, engine)
        notes += [f"{engine.name}: {text}" for text in lost]
    written = [_MARKED.sub(lambda found: engine.parameter.format(found[1]), text) for text in statements]
    names = [tuple(dict.fromkeys(_MARKED.findall(text))) for text in statements]
    if written != [request.sql]:
        notes.insert(0, f"{engine.name} executed {'; '.join(written)}")
    if is_other and engine.dialect == "sqlite":
        notes.append(_NO_TYPES)
    if not is_other or request.dialect != "snowflake":
        quoted = None
    elif quoted is None:
        notes.append(_CASE.format(engine.name))
    return _Script(tuple(zip(written, names, strict=True)), tuple(notes), quoted)


def _mark(sql: str, request: Request) -> str:
    """Replace the parameters of a statement by identifiers, which every dialect parses."""

    def mark(found: re.Match[str]) -> str:
        name = found["percent"] or found["name"]
        return f"{_MARK}{name}" if name in request.parameters else found[0]

    marked = PIECES.sub(mark, sql)
    return marked.replace("%%", "%") if is_formatted(sql, request.parameters, request.task_type) else marked


def _has_sqlglot() -> bool:
    return importlib.util.find_spec("sqlglot") is not None


def _transpile(sql: str, request: Request, engine: _Engine) -> tuple[list[str], list[str], frozenset[str]]:
    """Return the translated statements, what the translation lost, and the names in quotes."""
    import sqlglot  # optional
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

    generator = sqlglot.Dialect.get_or_raise(engine.dialect).generator(unsupported_level=ErrorLevel.IGNORE)
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=request.dialect) if tree is not None]
    except SqlglotError as error:
        found = error.errors if isinstance(error, ParseError) else []
        said = "; ".join(f"{e['description']} at line {e['line']}, column {e['col']}" for e in found)
        message = f"the statement of task {request.task!r} isn't valid {request.dialect}: {said or headline(error)}"
        raise FlytenbError(message, "; ".join(request.notes)) from error
    statements: list[str] = []
    lost: list[str] = []
    for tree in trees:
        _keep_formats(tree, sqlglot.Dialect.get_or_raise(request.dialect))
        statements.append(generator.generate(tree))
        lost += generator.unsupported_messages
    quoted = frozenset(i.name for tree in trees for i in tree.find_all(exp.Identifier) if i.args.get("quoted"))
    return statements, lost, quoted


def _keep_formats(tree: Any, dialect: Any) -> None:
    """Translate the formats of dates in Snowflake's `TO_CHAR`; sqlglot (30.30.0) drops them."""
    from sqlglot import exp

    for call in tree.find_all(exp.ToChar):
        if not isinstance(call.args.get("format"), exp.Literal):
            continue
        written = dialect.format_time(call.args["format"])
        if _DATE_FORMAT.fullmatch(written.name):
            call.replace(exp.TimeToStr(this=call.this, format=written))


def _advice(request: Request, engine: _Engine) -> list[str]:
    advice: list[str] = []
    if request.dialect == "bigquery" and engine.dialect == "duckdb":
        advice.append("a project is a database of that name: ATTACH ':memory:' AS project")
    if request.dialect not in ("", engine.dialect) and not _has_sqlglot():
        advice.append(f"it is written for {request.dialect}; pip install 'flytenb[sql]' to have it translated")
    return advice


def _execute(connection: Any, statement: str, parameters: dict[str, Any], engine: _Engine, *, is_row: bool) -> Any:
    """Return the rows of one statement as a frame, None if there are none; `is_row` keeps each value as it comes."""
    import pandas as pd  # optional

    if engine.dialect == "sqlite":
        is_time = datetime.date | datetime.time
        parameters = {k: v.isoformat() if isinstance(v, is_time) else v for k, v in parameters.items()}
    # A cursor of DuckDB doesn't see the frames that are registered on its connection.
    cursor = connection if engine.dialect == "duckdb" else connection.cursor()
    cursor.execute(statement, parameters) if parameters else cursor.execute(statement)
    if cursor.description is None:
        return None
    if engine.dialect != "duckdb" or is_row:
        names = [column[0] for column in cursor.description]
        return pd.DataFrame(cursor.fetchall(), columns=names, dtype=object if is_row else None)
    kinds = [str(column[1]) for column in cursor.description]
    frame = cursor.df()
    for i, kind in enumerate(kinds):
        if kind == "HUGEINT" and frame.iloc[:, i].notna().all():  # of sum(), which pandas has no type for
            frame.isetitem(i, frame.iloc[:, i].astype("int64"))
    return frame
