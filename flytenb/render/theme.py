"""Style sheet of pictures: colours in light and dark, by kind and by phase."""

from __future__ import annotations

import re
from functools import lru_cache

from flytenb.model import Kind

# name → light, dark, and the Jupyter variable that takes precedence. The phase colours are those of Okabe and Ito,
# which colour-blind readers can tell apart; greys and accents have a contrast of at least 4.5 as text on the card.
_COLOURS: dict[str, tuple[str, str, str | None]] = {
    "card": ("#ffffff", "#1b1f24", "--jp-layout-color1"),
    "box": ("#ffffff", "#22272e", None),
    "ink": ("#1f2328", "#e6edf3", "--jp-content-font-color1"),
    "grey": ("#5f6872", "#9aa5b1", None),
    "line": ("#8a939d", "#7b8691", None),
    "rule": ("#d0d7de", "#3b434c", None),
    "tint": ("#6a4fc9", "#a594f9", None),
    "accent": ("#6a4fc9", "#a594f9", None),
    "tool": ("#1f7a7a", "#5cc2c2", None),
    "pill": ("#f1f3f5", "#2b3138", None),
    "bad": ("#b34a00", "#f0883e", None),
    "running": ("#0072b2", "#56b4e9", None),
    "succeeded": ("#00795a", "#2fbf94", None),
    "failed": ("#c04f00", "#ff8a3d", None),
    "cached": ("#a8447f", "#dd8fb9", None),
    "idle": ("#6b747d", "#8b96a1", None),
}

_BAND: dict[str, tuple[Kind, ...]] = {
    "accent": (Kind.TASK, Kind.MAP, Kind.DYNAMIC, Kind.EAGER, Kind.SUBWORKFLOW, Kind.LAUNCH_PLAN),
    "tool": (Kind.CONTAINER, Kind.SQL, Kind.SHELL, Kind.CONNECTOR),
    "line": (Kind.BRANCH, Kind.GATE, Kind.REFERENCE, Kind.STUB),
    "bad": (Kind.FAILURE, Kind.CASE),
}

_PHASES: dict[str, str] = {
    "QUEUED": "idle",
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "failed",
    "ABORTED": "idle",
    "SKIPPED": "idle",
}

ICONS: tuple[tuple[str, str], ...] = (
    ("QUEUED", "M8 3.5a4.5 4.5 0 1 0 .01 0z"),
    ("RUNNING", "M5.5 3.5v9l7-4.5z"),
    ("SUCCEEDED", "M3 8.5l3.5 3.5L13 4.5"),
    ("FAILED", "M4 4l8 8M12 4l-8 8"),
    ("TIMED_OUT", "M4 3h8M4 13h8M5 3c0 5 6 5 6 10M11 3c0 5-6 5-6 10"),
    ("ABORTED", "M4.5 4.5h7v7h-7z"),
    ("SKIPPED", "M3.5 8h9"),
    ("HIT", "M9.5 2L4 9h4l-1.5 5L12 7H8z"),
    ("REUSED", "M12.5 5.5a5 5 0 1 0 .5 2.5M12.8 2.5v3.2h-3.2"),
)
"""SVG path of each phase's icon, 16 × 16; the last two replace SUCCEEDED for a cache hit and a re-used node."""

_FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'

_DARK_PAGES = (
    '[data-jp-theme-light="false"]',
    ".vscode-dark",
    ".vscode-high-contrast",
    '[data-theme="dark"]',
    '[theme="dark"]',
)
_LIGHT_PAGES = ('[data-jp-theme-light="true"]', ".vscode-light", '[data-theme="light"]')

_RULES = """
.ft-drawing{font-family:$font;font-size:11px}
.ft-drawing text{fill:$ink;stroke:none;white-space:pre}
.ft-drawing .ft-card{fill:$card;stroke:$rule}
.ft-drawing .ft-title{font-size:14px;font-weight:600}
.ft-drawing .ft-subtitle,.ft-drawing .ft-note,.ft-drawing .ft-legend text{fill:$grey;font-size:11px;font-weight:400}
.ft-drawing .ft-name{font-size:13px;font-weight:500}
.ft-drawing .ft-port{font-size:12px;font-weight:500}
.ft-drawing .ft-sub,.ft-drawing .ft-badge,.ft-drawing .ft-rest,.ft-drawing .ft-const{fill:$grey;font-size:11px;\
font-weight:400}
.ft-drawing .ft-shape{fill:$box;stroke:$rule;stroke-width:1}
.ft-drawing .ft-band{fill:$line;stroke:none}
.ft-drawing .ft-line{fill:none;stroke:$line;stroke-width:1.2}
.ft-drawing .ft-tip{fill:$line;stroke:none}
.ft-drawing .ft-edge text{fill:$grey;font-size:11px}
.ft-drawing .ft-label{fill:$card;stroke:none}
.ft-drawing .ft-edge-order .ft-line{stroke-dasharray:4 3;stroke-width:1}
.ft-drawing .ft-edge-case .ft-label{fill:$card;stroke:$line;stroke-width:1}
.ft-drawing .ft-edge-case text{fill:$ink}
.ft-drawing .ft-cluster>.ft-shape{fill:$tint;fill-opacity:.05;stroke:$tint;stroke-opacity:.4;\
pointer-events:visibleStroke}
.ft-drawing .ft-cluster>text{paint-order:stroke;stroke:$card;stroke-width:4;stroke-linejoin:round}
.ft-drawing .ft-lane>.ft-shape,.ft-drawing .ft-cluster.ft-kind-failure>.ft-shape{\
fill:$bad;fill-opacity:.04;stroke:$bad;stroke-opacity:.45;stroke-dasharray:2 3}
.ft-drawing .ft-lane>text{fill:$bad;font-size:11px}
.ft-drawing .ft-kind-inputs .ft-shape,.ft-drawing .ft-kind-outputs .ft-shape{fill:$pill;stroke:$rule}
.ft-drawing .ft-kind-constant .ft-shape{fill:none;stroke:none}
.ft-drawing .ft-kind-dynamic>.ft-shape,.ft-drawing .ft-kind-eager>.ft-shape{stroke:$accent;stroke-dasharray:5 3}
.ft-drawing .ft-kind-stub .ft-shape{stroke:$line;stroke-width:1.4;stroke-dasharray:1.2 3;stroke-linecap:round}
.ft-drawing .ft-kind-reference .ft-shape{stroke:$line;stroke-dasharray:9 3}
.ft-drawing .ft-kind-branch .ft-shape,.ft-drawing .ft-kind-gate .ft-shape{stroke:$line}
.ft-drawing .ft-kind-case .ft-shape{stroke:$bad}
.ft-drawing .ft-meet{fill:$line;stroke:none}
.ft-drawing .ft-hatch{fill:none;stroke:$line;stroke-width:1;stroke-opacity:.45}
.ft-drawing .ft-stale{stroke:none;pointer-events:none}
.ft-drawing .ft-mark{display:none}
.ft-drawing [data-phase] .ft-mark{display:inline}
.ft-drawing .ft-icon{fill:none;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.ft-drawing [data-phase]>.ft-shape{stroke-width:1.5;stroke-dasharray:none;stroke-opacity:1}
.ft-drawing [data-phase=RUNNING]>.ft-shape{stroke-dasharray:6 4}
.ft-drawing [data-phase=QUEUED]>.ft-shape{stroke-width:1}
.ft-drawing [data-phase=FAILED]>.ft-shape,.ft-drawing [data-phase=TIMED_OUT]>.ft-shape{stroke-width:2.2}
.ft-drawing [data-phase=ABORTED]>.ft-shape{stroke-dasharray:2 2}
.ft-drawing .ft-node[data-phase=SKIPPED],.ft-drawing .ft-edge[data-phase=SKIPPED]{opacity:.6}
.ft-drawing .ft-node:focus{outline:none}
.ft-drawing .ft-node:focus-visible>.ft-shape,.ft-drawing .ft-cluster:focus-visible>.ft-shape{stroke:$accent;\
stroke-width:2.5}
"""


@lru_cache(maxsize=1)
def style_sheet() -> str:
    """Return the style sheet, the same for every picture; every selector starts with `.ft-drawing`.

    The light colours come first, as literals, for programs without CSS variables; then the same declarations through
    variables that follow the page's theme.
    """
    phases = "".join(_phase_colours(name) for name, _ in ICONS)
    rules = _RULES.replace("\n", "").replace("$font", _FONT) + _bands() + phases
    font = f".ft-drawing{{font-family:var(--jp-ui-font-family,{_FONT})}}"
    shifts = "".join(f"{_at_phase(name)} .ft-icon{{transform:translateX({icon_shift(name)}px)}}" for name, _ in ICONS)
    return f"{_in_light(rules)}{_variables()}@supports(--a:0){{{font}{_as_variables(rules)}{shifts}}}"


def _bands() -> str:
    return "".join(
        f"{','.join(f'.ft-drawing .ft-kind-{kind}>.ft-band' for kind in kinds)}{{fill:${colour}}}"
        for colour, kinds in _BAND.items()
    )


def _phase_colours(name: str) -> str:
    at, colour = _at_phase(name), _PHASES.get(name, "cached")
    return f"{at}>.ft-shape,{at} .ft-icon{{stroke:${colour}}}{at}>.ft-sub{{fill:${colour}}}"


def _at_phase(name: str) -> str:
    if name in ("HIT", "REUSED"):
        return f".ft-drawing [data-phase=SUCCEEDED][data-cache={name}]"
    return f".ft-drawing [data-phase={name}]"


def icon_shift(name: str) -> int:
    """Return by how many pixels the row of icons moves to show this icon in its window."""
    return -16 * [icon for icon, _ in ICONS].index(name)


_DECLARATION = re.compile(r"[a-z-]+:\$[a-z]+")


def _as_variables(rules: str) -> str:
    """Return the rules with only their colour declarations, as variables."""
    found = []
    for rule in filter(None, rules.split("}")):
        selector, _, declarations = rule.partition("{")
        colours = [d.replace("$", "var(--ft-") + ")" for d in _DECLARATION.findall(declarations)]
        if colours:
            found.append(f"{selector}{{{';'.join(colours)}}}")
    return "".join(found)


def _in_light(rules: str) -> str:
    for name, (light, _, _) in _COLOURS.items():
        rules = re.sub(rf"\${name}\b", light, rules)
    return rules


def _variables() -> str:
    light, dark = _palette(0), _palette(1)
    pages_dark = ",".join(f"{page} .ft-drawing" for page in _DARK_PAGES)
    pages_light = ",".join(f"{page} .ft-drawing" for page in _LIGHT_PAGES)
    return (
        f".ft-drawing{{{light}}}"
        f"@media(prefers-color-scheme:dark){{.ft-drawing{{{dark}}}}}"
        f"{pages_light}{{{light}}}{pages_dark}{{{dark}}}"
    )


def _palette(theme: int) -> str:
    def value(colours: tuple[str, str, str | None]) -> str:
        light_or_dark, page_variable = colours[:2][theme], colours[2]
        return light_or_dark if page_variable is None else f"var({page_variable},{light_or_dark})"

    return ";".join(f"--ft-{name}:{value(colours)}" for name, colours in _COLOURS.items())
