"""Run card: a run as static picture and text, the form in which a saved notebook keeps it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from flytenb.display.html import style, style_of
from flytenb.display.rendering import Show
from flytenb.display.runs.error_card import named_path
from flytenb.display.runs.node_details import NodeDetails
from flytenb.display.runs.node_list import NODES_LISTED, listed_nodes
from flytenb.errors import LayoutError
from flytenb.model import Node, NodeState, Phase
from flytenb.render import captions
from flytenb.render.drawing import Drawing, draw, image_html
from flytenb.wording.kinds import phase_sign, phase_words
from flytenb.wording.quantities import count_text, duration_text, more_text
from flytenb.wording.text import as_printed
from flytenb.wording.values import clean, clip

if TYPE_CHECKING:
    from flytenb.runner.run import Run

_LOG_SHOWN = 2_000
_INPUTS_SHOWN = 60
_INPUT_SHOWN = 24
_WHY_SHOWN = 2_000
_STYLE_PLACE = "\0"

_STYLE = """
.ft-run{container-type:inline-size}
.ft-run .ft-head{margin:2px 0 4px;display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center;font-size:13px}
.ft-run .ft-head b:not([class]){font-weight:600;line-height:28px}
@container(max-width:619px){.ft-run .ft-facts-line{flex-basis:100%}.ft-run .ft-dot{display:none}}
.ft-run .ft-facts-line,.ft-run .ft-more>summary{color:var(--ft-dim);font-size:12px}
.ft-run .ft-more>summary{cursor:pointer;margin:4px 0 2px}
.ft-run .ft-why{white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0}
.ft-run .ft-more>:not(summary){margin-left:16px}
.ft-run .ft-part{margin-top:6px;color:var(--ft-dim);font-size:11px;font-weight:600}
.ft-run pre.ft-error{white-space:pre;overflow:auto}
.ft-run pre.ft-error::first-line,.ft-run .ft-why::first-line{font-weight:600}
.ft-run .ft-main{display:flex;flex-wrap:wrap;gap:4px 24px;align-items:flex-start}
.ft-run .ft-main>*{max-width:100%}
"""

_TEMPLATE = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    """
{% macro details(node, is_open) %}
<details class="ft-more"{% if is_open %} open="open"{% endif %}><summary>\
{{ node.title }}{% if node.state %} · {{ node.state }}{% endif %}\
</summary>
{% if node.facts %}<div class="ft-note">{{ node.facts | join(" · ") }}</div>
{% endif %}
{% for line in node.earlier %}
<div class="ft-note">{{ line }}</div>
{% endfor %}
{% if node.error %}<pre class="ft-error" tabindex="0">{{ node.error }}</pre>
{% endif %}
{% for words, shown in [("inputs", node.inputs), ("outputs", node.outputs), ("decks", node.decks)] if shown %}
<div class="ft-part"><b>{{ words }}</b></div>
{% for each in shown %}
{{ each.fragment | safe }}
{% endfor %}
{% endfor %}
{% for name, uri in node.links %}
<a href="{{ uri }}" target="_blank" rel="noopener noreferrer">{{ name }}</a>
{% endfor %}
{% if node.log %}<div class="ft-part"><b>log</b></div>
<pre tabindex="0">{{ node.log }}</pre>
{% endif %}
</details>
{% endmacro %}
{% macro opened(nodes) %}
{% for node in nodes %}
{{ details(node, true) }}
{% endfor %}
{% endmacro %}
<div class="ft-show ft-run">
<style>{{ style }}</style>
{% if place %}<div class="{{ place }}">
{% endif %}
<div class="ft-head"><b><span class="ft-{{ phase.lower() }}">{{ sign }}</span> {{ name }} \
<span class="ft-{{ phase.lower() }}">{{ words }}</span></b>{% if facts %} \
<span class="ft-facts-line"><span class="ft-dot">· </span>{{ facts }}</span>{% endif %}</div>
<div class="ft-main">
{% if picture %}
{{ picture }}
{% elif text %}
<pre tabindex="0">{{ text }}</pre>
{% endif %}
{% if outputs %}<div class="ft-outputs">
{% for fragment in outputs %}
{{ fragment }}
{% endfor %}
</div>
{% endif %}
</div>
{{ opened(open_nodes) }}
{% if place %}</div>
{% endif %}
{% if why %}
<div class="ft-why">{{ why }}</div>
{% endif %}
{% if listed %}
<details class="ft-more"><summary>{{ nodes }}</summary>
{% for node in listed %}
{{ details(node, false) }}
{% endfor %}
{% if more %}<div class="ft-note">{{ more }}</div>
{% endif %}
</details>
{% endif %}
{% if log %}<details class="ft-more"><summary>printed by the nodes</summary><pre tabindex="0">{{ log }}</pre></details>
{% endif %}
</div>
"""
)


def card_style() -> str:
    """Return the style sheet of run cards."""
    return style() + _STYLE


def placeholder(run: Run, progress: str = "") -> dict[str, str]:
    """Return the output shown until there is a picture, with a text on the progress of the run."""
    empty: dict[str, Any] = {
        "facts": "",
        "picture": "",
        "text": "",
        "why": progress,
        "nodes": "",
        "log": "",
    }
    empty |= {"outputs": [], "open_nodes": [], "listed": [], "place": "", "more": ""}
    html = _with_style(_TEMPLATE.render(style=Markup(_STYLE_PLACE), **_head(run), **empty))
    return {"text/plain": "\n".join(filter(None, (_head_text(run), progress))), "text/html": html}


def run_bundle(
    run: Run,
    show: Show,
    drawing: Drawing | None = None,
    open_nodes: tuple[str, ...] = (),
    *,
    is_late: bool = False,
    has_error: bool = True,
    place: str = "",
    is_whole: bool = True,
) -> dict[str, str]:
    """Return the MIME bundle of a run: phase, durations, result, error and logs, as of now.

    Args:
        run: the run.
        show: renders the values.
        drawing: its drawing, if already laid out.
        open_nodes: paths of nodes whose details are included.
        is_late: whether its cell ended before the run, so that the time is shown.
        has_error: whether the message of a failure is shown; False where the error itself follows.
        place: classes of the element with head, picture and outputs, which a page may replace by its view.
        is_whole: whether the HTML has the style sheet.
    """
    graph, states = run.graph, run._states
    everything = {**states, "": _run_state(run)}
    # Without a title: the head has it.
    shown_drawing = drawing._at_states(everything, "") if drawing else draw(graph, states=everything, title="")
    states = {path: state for path, state in states.items() if path in graph.nodes}
    facts = run_facts(run)
    if is_late or not run.phase.is_terminal:
        facts += f" · {'finished' if run.phase.is_terminal else 'seen'} at {time.strftime('%H:%M:%S')}"
    why = failure_text(run) if has_error else ""
    order = sorted(states, key=lambda path: states[path].phase not in (Phase.FAILED, Phase.TIMED_OUT))
    shown = [show(value, declared, name=name) for name, value, declared in run._declared_outputs()]
    head = _head(run)
    try:
        svg = shown_drawing.svg
    except LayoutError:
        svg = ""
    tree = shown_drawing.text.partition("\n")[2]  # without its title, which the head repeats
    html = _TEMPLATE.render(
        style=Markup(_STYLE_PLACE if is_whole else ""),
        **head,
        facts=facts,
        place=place,
        picture=Markup(image_html(svg, f"{head['name']}, {head['words']}", tree)) if svg else "",
        text="" if svg else shown_drawing.text,
        why=why,
        outputs=[Markup(s.fragment) for s in shown],
        open_nodes=[NodeDetails.of(run, path, show) for path in open_nodes if path in run.nodes],
        listed=listed_nodes(run, order, show) if run.phase.is_terminal else [],
        more="" if len(order) <= NODES_LISTED else f"and {more_text(len(order) - NODES_LISTED)}: run.nodes has all",
        nodes=count_text(len(states), "node"),
        log=_log(run),
    )
    text = [_head_text(run, facts), tree, *([why] if why else []), *[s.text for s in shown]]
    return {"text/plain": clean("\n".join(text)), "text/html": _with_style(html) if is_whole else html}


def _with_style(html: str) -> str:
    """Return the card with the rules of its style sheet that it needs."""
    return html.replace(_STYLE_PLACE, style_of(html, card_style()), 1)


def _head(run: Run) -> dict[str, str]:
    """Return the phase of a run as constant, sign and words, and its name."""
    phase = str(run.phase)
    return {"phase": phase, "sign": phase_sign(phase), "words": phase_words(phase), "name": clean(run.name)}


def _head_text(run: Run, facts: str = "") -> str:
    """Return `✓ churn succeeded · 8.3 s · 12 nodes · threshold 0.99`."""
    head = "{sign} {name} {words}".format_map(_head(run))
    return f"{head} · {facts}" if facts else head


def failure_text(run: Run) -> str:
    """Return `node n1 (train): ValueError: …`, `""` for a run that hasn't failed."""
    if run.error is None:
        return ""
    place = f"node {named_path(run, run.error.path)}: " if run.error.path else ""
    return clip(clean(f"{place}{run.error}"), _WHY_SHOWN)


def _inputs(run: Run) -> list[str]:
    """Return the inputs, as many as fit into a line, and how many are left out; values are short if they don't fit."""
    ports = run.graph.interface.inputs
    is_long = sum(len(f"{port.name} {port.default}") + 3 for port in ports) > _INPUTS_SHOWN
    shown: list[str] = []
    room = _INPUTS_SHOWN
    for port in ports:
        value = str(port.default)
        if is_long and len(value) > _INPUT_SHOWN:
            value = f"{clip(value, _INPUT_SHOWN).partition('…')[0]}…"
        text = clean(f"{port.name} {value}")
        room -= len(text) + 3
        if room < 0 and shown:
            return [*shown, f"and {more_text(len(ports) - len(shown))}"]
        shown.append(text)
    return shown


def _run_state(run: Run) -> NodeState:
    return NodeState(run.phase, run.duration if run.phase.is_terminal else None)


def run_facts(run: Run) -> str:
    """Return what follows name and phase in the first line: `8.3 s · 12 nodes · threshold 0.99`."""
    graph = run.graph
    states = {path: state for path, state in run._states.items() if path in graph.nodes}
    phases = list(Phase)
    ordered = sorted(states.values(), key=lambda state: phases.index(state.phase))
    counts = Counter(phase_words(each.phase, has_started=each.has_started) for each in ordered)
    took = [] if run.duration is None else [duration_text(run.duration)]
    nodes = count_text(len(states), "node")
    if set(counts) - {phase_words(Phase.SUCCEEDED)}:
        nodes += f" ({', '.join(f'{number} {words}' for words, number in counts.items())})"
    return " · ".join([*took, nodes, *given_texts(run)])


def given_texts(run: Run) -> list[str]:
    """Return the settings and inputs that a run was given."""
    graph = run.graph
    settings = captions.badges(Node("", graph.kind, graph.name, settings=graph.settings))
    return [*map(clean, settings), *_inputs(run)]


def _log(run: Run) -> str:
    """Return the start of what the nodes printed."""
    pieces: list[str] = []
    size = 0
    for node in run.nodes.values():
        if node.log:
            pieces.append(f"{named_path(run, node.path)}: {as_printed(node.log)}".rstrip())
            size += len(pieces[-1])
            if size > _LOG_SHOWN:
                return "\n".join(pieces)[:_LOG_SHOWN] + "\n… run.nodes[path].log has all of it"
    return "\n".join(pieces)
