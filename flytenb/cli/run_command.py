"""`flytenb run`: the settings of `%flyte run` as options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flytenb import api
from flytenb.cli.entity_command import SETTING, entity_command, finished, run_reply
from flytenb.cli.verb_options import options_of
from flytenb.notebook.magics.verbs import VERBS
from flytenb.notebook.magics.verbs.run import OF_A_SESSION, chosen_settings

if TYPE_CHECKING:
    from flytenb.cli.reply import Reply
    from flytenb.notebook.headless import HeadlessNotebook


def _run(
    notebook: HeadlessNotebook, entity: Any, inputs: dict[str, Any], options: dict[str, Any], has_traceback: bool
) -> Reply:
    settings = api.options(**chosen_settings(options, notebook.shell.user_ns))
    run = finished(lambda: settings.run(entity, **inputs))
    return run_reply(run, notebook, has_traceback=has_traceback)


_IN_SESSION = {f"--{name}" for name in OF_A_SESSION}

RUN = entity_command(
    "run",
    [option for option in options_of(VERBS["run"], SETTING) if _IN_SESSION.isdisjoint(option.opts)],
    _run,
    "Run a task, workflow or launch plan of a notebook.",
)
