"""Parameters in statements, and mistakes that make a driver fail or send another statement."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

from flytenb.errors import closest

PIECES = re.compile(
    r"""(?P<skip>'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/|::|@@)"""
    r"|%\((?P<percent>\w+)\)s|(?P<sign>[@:$])(?P<name>[A-Za-z_]\w*)",
    re.DOTALL,
)
"""What is skipped: texts, quoted names, comments, casts, system variables. What is found: `%(n)s`, `@n`, `:n`, `$n`."""
_FORMATS = re.compile(r"%(?:%|\((?P<name>\w+)\)s|)")
"""What Python's `%` reads in a statement; alone, a `%` is a mistake."""
_SIGNS = {"bigquery_query_job_task": "@", "snowflake": "%"}
"""What a parameter begins with, by the type of a task whose connector is known."""
_AROUND = 12


def is_formatted(sql: str, names: Collection[str], task_type: str) -> bool:
    """Tell whether the driver replaces the parameters by Python's `%`, so that `%%` is a `%` (DB-API's pyformat)."""
    return bool(names) and (task_type == "snowflake" or (task_type not in _SIGNS and "%(" in sql))


def find_mistakes(sql: str, names: Collection[str], task_type: str) -> Iterator[str]:
    """Yield what is likely to be a mistake in a statement that a driver gets with parameters of these names."""
    pieces, formats = list(PIECES.finditer(sql)), list(_FORMATS.finditer(sql))
    formatted = is_formatted(sql, names, task_type)
    if formatted:
        used = [(each[0], each["name"], "%") for each in formats]
    else:
        used = [(each[0], each["percent"] or each["name"], each["sign"] or "%") for each in pieces]
    for text, name, sign in dict.fromkeys(used):
        if not name or name in names or sign != _SIGNS.get(task_type, sign):
            continue
        if sign == "%" or task_type in _SIGNS or difflib.get_close_matches(name, names):
            known = closest(name, names) if names else "the task has no inputs"
            yield f"the statement has a parameter {text}, which isn't an input; {known}"
    if not formatted:
        return
    quoted = [each["name"] for piece in pieces if piece[0][0] in "'\"" for each in _FORMATS.finditer(piece[0])]
    for name in dict.fromkeys(name for name in quoted if name in names):
        yield f"%({name})s is inside quotes; write it without them, since the driver quotes texts and times itself"
    alone = next((each.start() for each in formats if each[0] == "%"), None)
    if alone is not None:
        place = sql[max(alone - _AROUND, 0) : alone + _AROUND]
        yield f"the driver can't replace the parameters because of the % in {place!r}; write %% for a %"
