"""Write docs/reference.md, the public names with their signatures and docstrings, and docs/verbs.md, the magic's verbs.

Usage: python docs/make_reference.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import flytenb
from flytenb import parts
from flytenb.notebook.magics.verb import Verb
from flytenb.notebook.magics.verbs import VERBS

PAGE = Path(__file__).parent / "reference.md"
VERBS_PAGE = Path(__file__).parent / "verbs.md"
HEAD = """\
# Reference

The public names of flytenb. Everything else is internal and may change without notice. This page is written by
`python docs/make_reference.py` from the docstrings.
"""
VERBS_HEAD = """\
# Verbs

The verbs of the magic `%flyte`, written by `python docs/make_reference.py` from the table that the magic itself reads.
`%flyte` alone lists the tasks, workflows and launch plans of the notebook; `%flyte help VERB`, `%flyte VERB --help` and
`%flyte VERB?` show one entry. Tab completes verbs, options and values.
"""
_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
_ARGS = re.compile(r"^Args:\n(?:(?: .*)?\n)*(?: .*)?", re.M)
_ITEM = re.compile(r"^([*\w]+): (.*)$")


def page() -> str:
    """Return the text of the page."""
    names = [name for name in flytenb.__all__ if name != "parts"]
    functions = [name for name in names if not inspect.isclass(getattr(flytenb, name))]
    classes = [name for name in names if name not in functions]
    texts = [HEAD, "## Functions\n"]
    texts += [entry(f"flytenb.{name}", getattr(flytenb, name)) for name in functions]
    texts += ["## Classes\n", *(entry(f"flytenb.{name}", getattr(flytenb, name)) for name in classes)]
    texts += ["## Parts and controls\n", text_of(parts)]
    texts += [entry(f"flytenb.parts.{name}", getattr(parts, name)) for name in parts.__all__]
    return "\n".join(texts)


def verbs_page() -> str:
    """Return the text of the page about verbs: a table of all, then an entry for each."""
    rows = [f"| [`{verb.name}`](#{verb.name}) | {in_a_row(verb.summary)} |" for verb in VERBS.values()]
    return "\n".join([VERBS_HEAD, "| verb | effect |", "|---|---|", *rows, "", *map(verb_entry, VERBS.values())])


def verb_entry(verb: Verb) -> str:
    """Return the entry of one verb: how it is written, what it does, its options."""
    usage = " ".join(word for word in ("%flyte", verb.name, verb.argument.usage) if word)
    lines = [f"## {verb.name}\n", f"```text\n{usage}{' [OPTIONS]' if verb.options else ''}\n```\n", f"{verb.summary}\n"]
    if verb.options:
        options = [f"| `{option.usage}` | {in_a_row(option.help)} |" for option in verb.options]
        lines += ["| option | effect |", "|---|---|", *options, ""]
    return "\n".join([*lines, *([f"{verb.details}\n"] if verb.details else [])])


def in_a_row(text: str) -> str:
    """Return a text as it is written in a row of a table."""
    return text.replace("|", "\\|")


def entry(name: str, value: Any) -> str:
    """Return the entry of one name; of a class with its public members."""
    written = signature(value)
    usage = f"```python\n{name.rpartition('.')[2]}{written}\n```\n"
    lines = [f"### `{name}`\n", *([usage] if written else []), text_of(value)]
    if inspect.isclass(value):
        lines += [f"- `{usage}`: {text}" for usage, text in members(value)]
        lines.append("")
    return "\n".join(lines)


def signature(value: Any, width: int = 100) -> str:
    """Return a signature with its annotations as they were written; none for what a user doesn't call.

    Args:
        value: a class, function or method.
        width: a longer signature has one parameter a line.
    """
    if inspect.isclass(value) and is_not_constructed(value):
        return ""
    found = inspect.signature(value)
    written = list(parameters(found))
    returned = "" if inspect.isclass(value) else f" -> {annotation(found.return_annotation)}"
    line = f"({', '.join(written)}){returned}"
    if len(line) <= width:
        return line
    return "(\n" + "".join(f"    {parameter},\n" for parameter in written) + f"){returned}"


def is_not_constructed(cls: type) -> bool:
    """Return whether users don't call a class: protocols, exceptions, and what functions of ours return."""
    return getattr(cls, "_is_protocol", False) or issubclass(cls, Exception) or is_returned(cls)


def is_returned(value: Any) -> bool:
    """Return whether a value is a class whose objects users get from functions of ours."""
    return inspect.isclass(value) and "Created by `" in (value.__doc__ or "")


def parameters(found: inspect.Signature) -> Iterator[str]:
    """Yield the parameters, with `/` and `*` between the kinds."""
    before = None
    for parameter in found.parameters.values():
        kind = parameter.kind
        if parameter.name == "self":
            continue
        if before is inspect.Parameter.POSITIONAL_ONLY and kind is not before:
            yield "/"
        if kind is inspect.Parameter.KEYWORD_ONLY and before not in (kind, inspect.Parameter.VAR_POSITIONAL):
            yield "*"
        before = kind
        stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(kind, "")
        default = "" if parameter.default is inspect.Parameter.empty else f" = {written_default(parameter.default)}"
        yield f"{stars}{parameter.name}: {annotation(parameter.annotation)}{default}"
    if before is inspect.Parameter.POSITIONAL_ONLY:
        yield "/"


def annotation(found: Any) -> str:
    """Return an annotation as it was written."""
    found = getattr(found, "__forward_arg__", found)
    return found if isinstance(found, str) else getattr(found, "__name__", repr(found))


def written_default(value: Any) -> str:
    """Return a default as a reader would write it, `...` for one that has no literal."""
    text = repr(value)
    return "..." if value is ... or text.startswith("<") else text


def members(cls: type) -> Iterator[tuple[str, str]]:
    """Yield the public properties and methods of a class, each with the first paragraph of its docstring.

    Class methods of a class that functions of ours return are left out: they take internal objects.
    """
    for name in vars(cls):
        found = inspect.getattr_static(cls, name)
        if name.startswith("_") or (is_returned(cls) and isinstance(found, classmethod)):
            continue
        if isinstance(found, property | cached_property):
            yield name, first_paragraph(found)
        elif inspect.isroutine(found):
            yield f"{name}{signature(getattr(cls, name), width=1000)}", first_paragraph(found)


def first_paragraph(value: Any) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def text_of(value: Any) -> str:
    """Return a docstring as Markdown, with its sections as lists; without arguments that users don't pass."""
    lines: list[str] = []
    is_section = False
    written = inspect.getdoc(value) or ""
    if is_returned(value):
        written = _ARGS.sub("", written).rstrip()
    for line in written.splitlines():
        section = _SECTION.match(line)
        if section:
            is_section = True
            lines += [f"**{section[1]}**", ""]
        elif is_section and line.startswith("    ") and not line.startswith("     "):
            item = _ITEM.match(line.strip())
            lines.append(f"- `{item[1]}`: {item[2]}" if item else f"- {line.strip()}")
        elif is_section and line.startswith("     "):
            lines.append(f"  {line.strip()}")
        else:
            is_section = is_section and not line.strip()
            lines.append(line)
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    VERBS_PAGE.write_text(verbs_page(), encoding="utf-8")
