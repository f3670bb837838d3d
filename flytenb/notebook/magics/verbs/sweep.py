"""`%flyte sweep`: a live table with a row per run."""

from __future__ import annotations

from typing import Any

from flytenb.errors import UsageError
from flytenb.notebook.magics.arguments import CALL
from flytenb.notebook.magics.invocation import Invocation
from flytenb.notebook.magics.verb import Option, Verb
from flytenb.notebook.magics.verbs.run import OF_A_SESSION, chosen_settings
from flytenb.notebook.magics.verbs.run import VERB as RUN


def _sweep(line: Invocation) -> Any:
    from flytenb import api

    settings = {name: value for name, value in line.options.items() if name not in ("rows", "outputs")}
    prepared = api.options(**chosen_settings(settings, line.names))
    rows = line.evaluate(line.options["rows"]) if "rows" in line.options else None
    entity, positional, inputs = line.call()
    if positional:
        raise UsageError(f"expected inputs by name, got {positional[0]!r}", hint="%flyte sweep wf(n=[1, 2])")
    sweep = prepared.start_sweep(entity, rows, **inputs)
    try:
        if "outputs" in line.options:
            sweep.show(*line.options["outputs"].split(","))
        if not hasattr(line.shell, "kernel"):  # a terminal, where an update would be one more table
            return sweep.wait()
        line.session.show_sweep(sweep)
        return sweep.wait()
    except BaseException:
        sweep.cancel()
        raise


VERB = Verb(
    name="sweep",
    summary="Run a call with each of the listed inputs, and equal calls of tasks once.",
    handler=_sweep,
    argument=CALL,
    options=(
        Option(
            "rows",
            "a list of dictionaries or a frame with the swept inputs",
            ("EXPRESSION",),
            complete=lambda cursor: cursor.names.values(),
        ),
        Option("outputs", "the outputs in the table", ("NAME,…",)),
        *(option for option in RUN.options if option.name not in OF_A_SESSION),
    ),
    details="`sweep = %flyte sweep wf(rate=[0.1, 0.3], data=frame)` keeps the runs: `sweep[0]`, `sweep.frame()`.",
)
