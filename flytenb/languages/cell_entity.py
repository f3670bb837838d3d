"""Entities of a cell in another language: one raw container task, or a workflow that encodes values for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from flytenb.bridge.entities.container_cell import (
    SCRIPT,
    CellTask,
    CodecTask,
    Types,
    compose,
    metadata,
    resources,
    scratch_file,
    with_defaults,
)
from flytenb.bridge.patches.mapping import let_maps_take_containers
from flytenb.bridge.type_engine import FlyteFile
from flytenb.errors import ContainerError, DefinitionError, say
from flytenb.languages import lines
from flytenb.languages.cell_checks import check_default, check_names, check_ports, check_settings
from flytenb.languages.language import INPUTS, OUTPUTS, Cell, CellPort, Language
from flytenb.languages.language_registry import find_language
from flytenb.languages.programs import tags_of
from flytenb.languages.tables import TableColumn
from flytenb.languages.value_forms import ValueForm, form_of
from flytenb.wording.types import type_text
from flytenb.wording.values import brief


def container(
    name: str,
    code: str,
    *,
    lang: str,
    inputs: Types | None = None,
    outputs: Any = None,
    image: str = "",
    cpu: str = "",
    memory: str = "",
    environment: Mapping[str, str] | None = None,
    retries: int = 0,
    timeout: Any = 0,
    cache_version: str | None = None,
    module: str = "",
) -> Any:
    """Return a task whose code is in another language and runs in a container.

        fit = flytenb.container(
            "fit",
            "m <- lm(ys ~ xs); slope <- coef(m)[[2]]",
            lang="r",
            inputs={"xs": list[float], "ys": list[float]},
            outputs={"slope": float},
        )

    The code finds each input in a variable of its name and leaves each output in one. Where every type has a form in
    a raw container, the result is one raw container task; else it is a workflow of three nodes, of which the first
    encodes inputs and the last decodes outputs.

    Args:
        name: the entity's name.
        code: the code.
        lang: the language: `"r"`, `"julia"`, `"node"`, `"python"`, `"sh"` or another one that is registered.
        inputs: types by name; a pair of a type and a value for an input with a default.
        outputs: types by name, a NamedTuple class, or one type, whose output is `o0` as flytekit calls it.
        image: the container's image; that of the language if not given.
        cpu: processors, as Flyte writes them: `"500m"`, `"2"`.
        memory: as Flyte writes it: `"1Gi"`.
        environment: variables of the container.
        retries: how often it is tried again.
        timeout: seconds or a timedelta; 0 for none.
        cache_version: caches the outputs under this version; None doesn't cache them.
        module: the module of the entity; that of the caller if not given.

    Raises:
        DefinitionError: for a type that has no form in the language, a name that the language reserves, a default of
            another type, a setting that an engine would refuse, or a program that is too long for a command.
        UnknownNameError: for an unknown language, with the closest names.
    """
    let_maps_take_containers()
    inputs = {} if inputs is None else inputs
    check_names(name, code, lang, inputs)
    language = find_language(lang)
    attempts = {"retries": retries, "timeout": timeout, "cache_version": cache_version}
    check_settings(name, image, cpu, memory, environment, **attempts)
    types = {n: t[0] if isinstance(t, tuple) else t for n, t in inputs.items()}
    defaults = {n: t[1] for n, t in inputs.items() if isinstance(t, tuple)}
    made = _outputs_by_name(name, outputs)
    forms = _forms(name, types, "input"), _forms(name, made, "output")
    code = code.replace("\r\n", "\n")
    cell = Cell(code, {n: f.input for n, f in forms[0].items()}, {n: f.output for n, f in forms[1].items()})
    check_ports(language, cell, name)
    cell = replace(cell, inputs=_with_lists(language, cell.inputs))
    for port_name, default in defaults.items():
        check_default(port_name, name, types[port_name], forms[0][port_name], default)
    is_whole = not any(port.is_encoded for port in (*cell.inputs.values(), *cell.outputs.values()))
    module = module or str(sys._getframe(1).f_globals.get("__name__", "__main__"))
    full_name = f"{module}.{name}"
    script = CellTask(
        full_name if is_whole else f"{full_name}{SCRIPT}",
        name,
        language.title,
        code,
        highlight=language.highlight,
        image=image or language.image,
        command=language.command(language.program(cell)),
        inputs=_script_types(types, cell.inputs),
        outputs=_script_types(made, cell.outputs),
        input_data_dir=INPUTS,
        output_data_dir=OUTPUTS,
        environment=dict(environment or {}),
        metadata=metadata(retries, timeout, cache_version),
        **resources(cpu, memory),
    )
    if is_whole:
        return with_defaults(script, types, defaults, made)

    def encoded(port: str, value: Any) -> Any:
        return _encode(language, forms[0][port], port, value)

    def decoded(port: str, file: Any) -> Any:
        return _decode(forms[1][port], port, file)

    encode = _codec(f"{full_name}_inputs", types, cell.inputs, encoded, is_encoder=True)
    decode = _codec(f"{full_name}_outputs", made, cell.outputs, decoded, is_encoder=False)
    return compose(name, module, types, made, defaults, (encode, script, decode))


def _outputs_by_name(owner: str, declared: Any) -> dict[str, Any]:
    if isinstance(declared, list | set):
        message = f"outputs of container cell {owner!r}: expected types by name, got {brief(declared)}"
        raise DefinitionError(message, hint="{'slope': float}")
    if isinstance(declared, tuple) or get_origin(declared) is tuple:
        got = brief(declared) if isinstance(declared, tuple) else type_text(declared)
        message = f"outputs of container cell {owner!r}: expected names for several outputs, got {got}"
        raise DefinitionError(message, hint="kwtypes(slope=float, r2=float)")
    if declared is None or isinstance(declared, Mapping):
        return dict(declared or {})
    if isinstance(declared, type) and issubclass(declared, tuple) and hasattr(declared, "_fields"):
        return get_type_hints(declared, include_extras=True)
    return {"o0": declared}


def _forms(owner: str, types: Types, what: str) -> dict[str, ValueForm]:
    forms = {}
    for name, python_type in types.items():
        try:
            forms[name] = form_of(python_type)
        except DefinitionError as e:
            raise DefinitionError(f"{what} {name!r} of {owner!r}: {e.message}", hint=e.hint) from None
    return forms


def _with_lists(language: Language, ports: Mapping[str, CellPort]) -> Mapping[str, CellPort]:
    """Encode the lists too where another input is encoded anyway: one file in place of one for each item."""
    if not any(port.is_encoded for port in ports.values()):
        return ports
    encoded = {n: CellPort(p.shape, p.is_encoded or p.shape.startswith("l ")) for n, p in ports.items()}
    refused = {n for n, p in encoded.items() if {"f", "F"} & set(tags_of(p.shape)) or language.refuse(n, p, True)}
    return {n: ports[n] if n in refused else p for n, p in encoded.items()}


def _script_types(types: Types, ports: Mapping[str, CellPort]) -> dict[str, Any]:
    return {name: FlyteFile if ports[name].is_encoded else python_type for name, python_type in types.items()}


def _codec(
    name: str, types: Types, ports: Mapping[str, CellPort], convert: Callable[[str, Any], Any], *, is_encoder: bool
) -> CodecTask | None:
    """Return the task that converts the encoded inputs or outputs, None if there are none."""
    plain = {n: t for n, t in types.items() if ports[n].is_encoded}
    if not plain:
        return None
    files = dict.fromkeys(plain, FlyteFile)

    def converted(values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {n: convert(n, values[n]) for n in plain}

    return CodecTask(name, plain if is_encoder else files, files if is_encoder else plain, converted)


def _encode(language: Language, form: ValueForm, name: str, value: Any) -> FlyteFile:
    """Write a value as lines.

    Raises:
        ContainerError: for a value that the language or the format can't hold exactly.
    """
    try:
        plain = form.to_plain(value)
        _check_tables(language, plain)
        text = lines.dumps(plain, form.shape)
    except (ValueError, TypeError) as e:
        raise ContainerError(f"input {name!r} can't be given to {language.title}: {say(e)}") from e
    path = scratch_file(name)
    path.write_text(text, encoding="utf-8", newline="\n")
    return FlyteFile(str(path))


def _check_tables(language: Language, plain: Any) -> None:
    """Check that a language has the columns of all tables in plain data.

    Raises:
        ValueError: for categories or a time zone that it would lose.
    """
    for name, part in plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ():
        if not isinstance(part, TableColumn):
            _check_tables(language, part)
        elif part.kind == "c" and not language.has_categories:
            raise ValueError(f"column {name!r} has categories: convert it with astype(str)")
        elif part.zone and not language.has_zones:
            raise ValueError(f"column {name!r} has a time zone: convert it with dt.tz_convert(None)")


def _decode(form: ValueForm, name: str, file: FlyteFile) -> Any:
    text = Path(file).read_bytes().decode()
    try:
        return form.from_plain(lines.loads(text))
    except (ValueError, TypeError, KeyError) as e:
        raise ContainerError(f"output {name!r} can't be read: {say(e)}") from e
