"""Checks of a container cell's definition: what is wrong is an error at the cell, before anything runs."""

from __future__ import annotations

import datetime
import keyword
import math
from collections.abc import Mapping
from typing import Any, get_origin

from flytenb.bridge.crossing import packer
from flytenb.bridge.execution.container_resources import quantity
from flytenb.engines import ContainerJob
from flytenb.errors import DefinitionError, FlytenbError, say
from flytenb.languages.language import Cell, Language
from flytenb.languages.lines import dumps
from flytenb.languages.programs import tags_of
from flytenb.languages.value_forms import ValueForm
from flytenb.wording.text import class_name, clip_line
from flytenb.wording.types import type_text
from flytenb.wording.values import LONG, brief

_LEAST_MEMORY = 6 * 1024**2
"""Bytes that Docker needs."""
_TAKEN = frozenset({"self", "ctx", "entity", "overridden_interface", "add_node_to_compilation_state"})
"""Parameters of the functions by which flytekit calls a task."""
_FOLDERS = ("FLYTENB_INPUTS", "FLYTENB_OUTPUTS")


def check_names(name: Any, code: Any, lang: Any, inputs: Any) -> None:
    """Check the texts of a cell and the form of its inputs.

    Raises:
        DefinitionError: for a value of another type, and for a name that Python can't have.
    """
    if not _is_name(name):
        raise DefinitionError(f"expected a name of Python for a container cell, got {brief(name)}", hint="as in 'fit'")
    for what, value in (("its code", code), ("a language", lang)):
        if not isinstance(value, str):
            raise DefinitionError(f"container cell {name!r}: expected {what} as text, got {brief(value)}")
    if not isinstance(inputs, Mapping):
        hint = "{'x': float, 'n': (int, 3)}"
        raise DefinitionError(f"container cell {name!r}: expected inputs as a dictionary, got {brief(inputs)}", hint)
    for port, declared in inputs.items():
        if isinstance(declared, tuple) and len(declared) != 2:
            message = f"input {port!r} of {name!r}: expected a type, or a type and a default, got {brief(declared)}"
            raise DefinitionError(message, hint="(int, 3)")


def check_settings(name: str, image: Any, cpu: Any, memory: Any, environment: Any, **attempts: Any) -> None:
    """Check what a container is given: `attempts` has retries, timeout and cache_version.

    Raises:
        DefinitionError: for a value that an engine or a cluster would refuse.
    """
    for what, check, value, hint in (
        ("cpu", _check_cpu, cpu, "as in '500m' or '2'"),
        ("memory", _check_memory, memory, "as in '512Mi' or '1Gi'"),
        ("environment", _check_environment, environment, "{'NAME': 'value'}"),
        ("retries", _check_retries, attempts["retries"], "as in 3"),
        ("timeout", _check_timeout, attempts["timeout"], "as in 60 or timedelta(minutes=5)"),
        ("cache_version", _check_version, attempts["cache_version"], "as in '1'"),
        ("image", _check_image, image, "as in 'python:3.12' or 'registry.example/team/tool:1'"),
    ):
        try:
            check(value)
        except (FlytenbError, ValueError) as e:
            message = e.message if isinstance(e, FlytenbError) else str(e)
            raise DefinitionError(f"{what} of container cell {name!r}: {message}", hint) from None


def _check_cpu(value: Any) -> None:
    if value != "":
        quantity(value)


def _check_memory(value: Any) -> None:
    if value != "" and quantity(value) < _LEAST_MEMORY:
        raise ValueError(f"expected at least 6Mi, got {value!r}, which are bytes if it has no unit")


def _check_environment(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping) or not all(isinstance(word, str) for pair in value.items() for word in pair):
        raise ValueError(f"expected a dictionary of text, got {brief(value)}")
    if own := [variable for variable in _FOLDERS if variable in value]:
        raise ValueError(f"expected variables other than {own[0]}, which the cell itself uses")
    ContainerJob("cell", "cell", (), environment=value)


def _check_retries(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"expected an integer from 0 on, got {brief(value)}")


def _check_timeout(value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    seconds = value.total_seconds() if isinstance(value, datetime.timedelta) else value if is_number else -1
    if not 0 <= seconds < math.inf:
        raise ValueError(f"expected seconds from 0 on or a timedelta, got {brief(value)}")


def _check_version(value: Any) -> None:
    if value is not None and not (isinstance(value, str) and value):
        raise ValueError(f"expected a text, got {brief(value)}")


def _check_image(value: Any) -> None:
    if isinstance(value, str) and value and "{{" not in value:  # a template is filled in when it is registered
        ContainerJob("cell", value, ())
    elif not isinstance(value, str) and not hasattr(value, "image_name"):
        raise ValueError(f"expected the name of an image, got {brief(value)}")


def _is_name(text: Any) -> bool:
    return isinstance(text, str) and text.isidentifier() and not keyword.iskeyword(text)


# --- inputs and outputs -----------------------------------------------------------------------------------------------


def check_ports(language: Language, cell: Cell, owner: str) -> None:
    """Check the names and shapes of inputs and outputs.

    Raises:
        DefinitionError: for a name that Python or the language can't have, and for a shape that can't cross.
    """
    for what, ports in (("input", cell.inputs), ("output", cell.outputs)):
        for name, port in ports.items():
            whose = f"{what} {name!r} of {owner!r}"
            if not _is_name(name) or name.startswith("_") or name in _TAKEN:
                raise DefinitionError(f"{whose}: Flyte can't use this name", hint="choose another name, as in 'rate'")
            if what == "input" and port.shape == "n":
                raise DefinitionError(
                    f"{whose}: Flyte passes no None by itself", hint="leave it out, or use int | None"
                )
            if port.is_encoded and {"f", "F"} & set(tags_of(port.shape)):
                hint = "give back a FlyteDirectory" if what == "output" else "use a list of files or a FlyteDirectory"
                verb = "give back" if what == "output" else "be given"
                raise DefinitionError(f"{whose} holds several files, which a container can't {verb}", hint)
            if why := language.refuse(name, port, what == "input"):
                raise DefinitionError(f"{whose}, in {language.title}: {why}")


def check_default(name: str, owner: str, python_type: Any, form: ValueForm, default: Any) -> None:
    """Check that a default is a value of its type; a file or frame is checked when it is used.

    Raises:
        DefinitionError: for a default that isn't.
    """
    if {"f", "F", "t"} & set(tags_of(form.shape)):
        return
    try:
        crossed = packer(python_type, strict=True)(default).native()
        plain = form.to_plain(crossed)
        if not form.is_given:
            dumps(plain, form.shape)
    except Exception as e:
        message = f"default of input {name!r} of {owner!r}: expected {type_text(python_type)}, got {brief(default)}"
        is_of_type = type(default) is (get_origin(python_type) or python_type)
        hint = clip_line(say(e), LONG) if is_of_type else f"its type is {class_name(default)}"
        raise DefinitionError(message, hint) from None
