"""A run in a cell's output: the picture at once, the same output true again when it is over."""

from __future__ import annotations

import base64
import contextvars
import threading
import weakref
from typing import TYPE_CHECKING, Any

from IPython.display import display as _display
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from flytenb.display.html import style
from flytenb.display.quantities import count_text, duration_text
from flytenb.display.shown import show
from flytenb.model import Phase
from flytenb.render.drawing import draw

if TYPE_CHECKING:
    from flytenb.runner.run import Run

display: Any = _display

_shown_in: weakref.WeakKeyDictionary[Run, int] = weakref.WeakKeyDictionary()
_LOG_SHOWN = 2_000

_TEMPLATE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    """
<div class="ft-show ft-run">
<style>{{ style }}
.ft-run .ft-head{margin:2px 0 6px;font:13px var(--jp-ui-font-family,system-ui,sans-serif)}
.ft-run .ft-head b{font-weight:600}
.ft-run img{max-width:100%;height:auto}
.ft-run .ft-why{white-space:pre-wrap;margin:4px 0}
</style>
<div class="ft-head"><b>{{ name }}</b> · {{ phase }}{% if facts %} · {{ facts }}{% endif %}</div>
<img alt="{{ alt }}" src="data:image/svg+xml;base64,{{ picture }}">
{% if why %}<div class="ft-why">{{ why }}</div>
{% endif %}
{% for fragment in outputs %}
{{ fragment }}
{% endfor %}
{% if log %}<details><summary>printed by the nodes</summary><pre>{{ log }}</pre></details>
{% endif %}
</div>
"""
)


class RunView:
    """Shows one run where it was started, and mends that output when it ends."""

    def __init__(self, run: Run, shell: Any) -> None:
        self._run = run
        self._shell = shell
        self._handle: Any = None
        self._lock = threading.Lock()
        self._is_over = False

    def begin(self) -> None:
        """Show the run as it is before it starts."""
        _shown_in[self._run] = self._shell.execution_count
        if getattr(self._shell, "kernel", None) is None:
            return  # a terminal can't mend what it has printed: there the run shows itself when it is over
        self._handle = display(run_bundle(self._run), raw=True, display_id=True)
        # The front end knows a thread's output by the cell that the thread was started from.
        context = contextvars.copy_context()
        self._run.on_finish(lambda: threading.Thread(target=context.run, args=(self.end,), name="flytenb-view").start())

    def end(self) -> None:
        """Show it as it ended; whoever is first, the waiting cell or the background, does it."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            bundle = run_bundle(self._run)
            if self._handle is not None:
                self._handle.update(bundle, raw=True)
            else:
                display(bundle, raw=True)


def show_run(run: Run, shell: Any) -> None:
    """Show a run that is the last line of a cell, unless that cell shows it already."""
    if _shown_in.get(run) == shell.execution_count:
        return
    _shown_in[run] = shell.execution_count
    display(run_bundle(run), raw=True)


def run_bundle(run: Run) -> dict[str, str]:
    """Return a run as picture and text: phase, durations, outcome, error."""
    drawing = draw(run.graph, states=run.states)
    facts = _facts(run)
    why = "" if run.error is None else f"node {run.error.path}: {run.error}"
    shown = [show(value, declared, name=name) for name, value, declared in run.declared_outputs()]
    log = _log(run)
    head = f"{run.name} · {run.phase}" + (f" · {facts}" if facts else "")
    text = [head, drawing.text, *([why] if why else []), *[s.text for s in shown]]
    html = _TEMPLATE.render(
        style=Markup(style()),
        name=run.name,
        phase=str(run.phase),
        facts=facts,
        alt=f"{run.name}, {run.phase}",
        picture=base64.b64encode(drawing.svg.encode()).decode(),
        why=why,
        outputs=[Markup(s.fragment) for s in shown],
        log=log,
    )
    return {"text/plain": "\n".join(text), "text/html": html, "image/svg+xml": drawing.svg}


def _facts(run: Run) -> str:
    counts: dict[Phase, int] = {}
    for node in run.nodes.values():
        counts[node.phase] = counts.get(node.phase, 0) + 1
    told = [f"{counts[p]} {p.value.lower().replace('_', ' ')}" for p in Phase if p in counts]
    took = [] if run.duration is None else [duration_text(run.duration)]
    return " · ".join([*took, count_text(sum(counts.values()), "node") + (f" ({', '.join(told)})" if told else "")])


def _log(run: Run) -> str:
    """What the nodes printed, by node, the first lines of it."""
    pieces: list[str] = []
    size = 0
    for node in run.nodes.values():
        if node.log:
            pieces.append(f"{node.path}: {node.log}".rstrip())
            size += len(pieces[-1])
            if size > _LOG_SHOWN:
                return "\n".join(pieces)[:_LOG_SHOWN] + "\n… run.nodes[path].log has all of it"
    return "\n".join(pieces)
