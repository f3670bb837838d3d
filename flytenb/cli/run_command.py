"""`flytenb run`: the settings of `%flyte run` as options, and an option for each input of the entity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from flytenb import api
from flytenb.cli.input_options import given_inputs, input_options
from flytenb.cli.json_values import json_value
from flytenb.cli.reply import ALL_CELLS, JSON, NOTEBOOK, Reply, missing_name, opened
from flytenb.cli.run_progress import follow
from flytenb.cli.verb_options import given_options, options_of
from flytenb.display.runs.error_card import card_lines
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.show import show
from flytenb.errors import say
from flytenb.notebook.failures.error_cards import cell_names
from flytenb.notebook.magics.verbs import VERBS
from flytenb.notebook.magics.verbs.run import chosen_settings
from flytenb.wording.text import class_name

if TYPE_CHECKING:
    from flytenb.notebook.headless import HeadlessNotebook
    from flytenb.runner.run import Run

_SETTING = "setting_"
_USAGE = "flytenb run NOTEBOOK ENTITY [--INPUT VALUE]"
TRACEBACK = click.Option(["--traceback"], is_flag=True, help="Write the whole traceback of an error.")


def _settings() -> list[click.Option]:
    return [option for option in options_of(VERBS["run"], _SETTING) if "--background" not in option.opts]


def _run(notebook: Path, entity: str | None, inputs: tuple[str, ...], **given: Any) -> int:
    with opened(notebook) as cells:
        if entity is None or entity.startswith("-"):
            raise missing_name(cells, _USAGE)
        cells.define([entity], everything=given["all_cells"])
        command = _command_of(cells, entity, given)
        status: int = command.main(list(inputs), f"flytenb run {notebook} {entity}", standalone_mode=False)
        return status


def _command_of(notebook: HeadlessNotebook, name: str, given: dict[str, Any]) -> click.Command:
    """Return the command of one entity: its inputs, and the settings that aren't named as one of them."""
    entity = notebook.evaluate(name)
    interface = api.graph(entity).interface
    inputs = list(input_options(entity))
    taken = {text for option in inputs for text in (*option.opts, *option.secondary_opts)}
    common = [o for o in (*_settings(), JSON, TRACEBACK) if taken.isdisjoint(o.opts)]

    def run(**params: Any) -> int:
        chosen = given | {key: value for key, value in params.items() if value}
        settings = chosen_settings(given_options(chosen, _SETTING))
        reply = _reply(_finished(entity, settings, given_inputs(params)), notebook, chosen)
        return reply.write(as_json=chosen["as_json"])

    text = interface.doc or f"Run {name} of the notebook."
    return click.RichCommand(name=name, params=[*inputs, *common], callback=run, help=text)


def _finished(entity: Any, settings: dict[str, Any], inputs: dict[str, Any]) -> Run:
    """Return the run of an entity when it is over; an interrupt cancels it and is raised."""
    runs: list[Run] = []

    def watch(run: Run) -> Callable[[], None]:
        runs.append(run)
        return follow(run)

    stop = api.on_run(watch)
    try:
        api.options(**settings).run(entity, **inputs)
    except Exception:
        if not runs or runs[0].error is None:
            raise
    finally:
        stop()
    return runs[0]


def _reply(run: Run, notebook: HeadlessNotebook, given: dict[str, Any]) -> Reply:
    if run.error is None:
        return Reply(run_bundle(run, show)["text/plain"], _data(run))
    lines = card_lines(run, cell_names(notebook.shell))[:-1]  # the last one names a magic
    problem = run.error.full() if given["traceback"] else "\n".join([*lines, "  the whole traceback: --traceback"])
    return Reply("", _data(run), is_good=False, problem=str(problem))


def _data(run: Run) -> dict[str, Any]:
    error = run.error
    return {
        "entity": run.name,
        "phase": run.phase,
        "seconds": run.duration,
        "outputs": {name: json_value(value, declared) for name, value, declared in run._declared_outputs()},
        "error": None
        if error is None
        else {"node": error.path, "type": class_name(error.exception), "message": say(error.exception)},
        "nodes": [
            {"path": path, "name": run.graph.nodes[path].name, "phase": state.phase, "seconds": state.duration}
            | {"attempts": state.attempts, "cache": state.cache}
            for path, state in run._states.items()
            if path in run.graph.nodes
        ],
    }


RUN = click.RichCommand(
    name="run",
    callback=_run,
    params=[
        *_settings(),
        JSON,
        TRACEBACK,
        ALL_CELLS,
        NOTEBOOK,
        click.Argument(["entity"], required=False),
        click.Argument(["inputs"], nargs=-1, type=click.UNPROCESSED, metavar="[--INPUT VALUE]..."),
    ],
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": False},
    help="Run a task, workflow or launch plan of a notebook.\n\n"
    "Only the cells that define it are executed. `flytenb run NOTEBOOK ENTITY --help` lists its inputs.",
)
