"""Themes of pictures: colours in light and dark, by kind and by phase, and the style sheets that apply them."""

from __future__ import annotations

import re
from functools import lru_cache

from flytenb.model import Kind

# name → light, dark, and the Jupyter variable that takes precedence. The phase colours are those of Okabe and Ito,
# which colour-blind readers can tell apart; greys and accents have a contrast of at least 4.5 as text on the card,
# lines and borders of at least 3. Each light colour is there once, since style sheets find elements by it.
COLOURS: dict[str, tuple[str, str, str | None]] = {
    "card": ("#ffffff", "#1b1f24", "--jp-layout-color1"),
    "box": ("#fefefe", "#22272e", None),
    "ink": ("#1f2328", "#e6edf3", "--jp-content-font-color1"),
    "grey": ("#5f6872", "#9aa5b1", None),
    "line": ("#7d8691", "#7b8691", None),
    "rule": ("#7a838d", "#737d88", None),
    "hair": ("#d0d7de", "#3b434c", None),
    "accent": ("#6a4fc9", "#a594f9", None),
    "tool": ("#1f7a7a", "#5cc2c2", None),
    "pill": ("#f1f3f5", "#2b3138", None),
    "bad": ("#b34a00", "#f0883e", None),
    "running": ("#006ba6", "#56b4e9", None),
    "succeeded": ("#00795a", "#2fbf94", None),
    "failed": ("#b24700", "#ff8a3d", None),
    "cached": ("#a8447f", "#dd8fb9", None),
    "idle": ("#5e6770", "#9aa5b0", None),
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

FONT = "system-ui,-apple-system,Segoe UI,Roboto,Arial,Liberation Sans,DejaVu Sans,sans-serif"
"""Families by name up to the end, since resvg knows no generic one where Arial is missing."""

_DARK_PAGES = (
    '[data-jp-theme-light="false"]',
    ".vscode-dark",
    ".vscode-high-contrast",
    '[data-theme="dark"]',
    '[theme="dark"]',
)
_LIGHT_PAGES = ('[data-jp-theme-light="true"]', ".vscode-light", '[data-theme="light"]')

_HALO = ".ft-drawing .ft-cluster>text{paint-order:stroke;stroke:$card;stroke-width:4;stroke-linejoin:round}"

_RULES = """
.ft-drawing text{white-space:pre}
.ft-drawing .ft-line{fill:none;stroke:$line}
.ft-drawing .ft-cluster>.ft-shape{pointer-events:visibleStroke}
.ft-drawing .ft-stale{pointer-events:none}
.ft-drawing .ft-icon{fill:none;stroke:none;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.ft-drawing [data-phase]>.ft-shape{stroke-width:1.5;stroke-dasharray:none;stroke-opacity:1}
.ft-drawing [data-phase=RUNNING]>.ft-shape{stroke-dasharray:6 4}
.ft-drawing [data-phase=QUEUED]>.ft-shape{stroke-width:1}
.ft-drawing [data-phase=FAILED]>.ft-shape,.ft-drawing [data-phase=TIMED_OUT]>.ft-shape{stroke-width:2.2}
.ft-drawing [data-phase=ABORTED]>.ft-shape{stroke-dasharray:2 2}
.ft-drawing [data-phase=SKIPPED]>.ft-shape{stroke-width:1.2;stroke-dasharray:3 4}
.ft-drawing [data-phase=SKIPPED]>.ft-name{fill:$grey}
.ft-drawing .ft-edge[data-phase=SKIPPED]{stroke-dasharray:1.5 3}
.ft-drawing .ft-node:focus{outline:none}
.ft-drawing .ft-node:focus-visible>.ft-shape,.ft-drawing .ft-cluster:focus-visible>.ft-shape{stroke:$accent;\
stroke-width:2.5}
"""


def band_colour(kind: Kind) -> str:
    """Return the name of the colour of the left edge of a box."""
    return next((colour for colour, kinds in _BAND.items() if kind in kinds), "line")


def phase_colour(name: str) -> str:
    """Return the name of the colour of a phase, or of a cache status that replaces it."""
    return _PHASES.get(name, "cached")


def theme_sheet(picture: str) -> str:
    """Return the style sheet of one picture, which has the light colours as attributes: the dark theme.

    Args:
        picture: the picture, of which only the colours that it has are listed.
    """
    values = {part[:7] for part in picture.split('"#')}
    used = tuple(name for name, colours in COLOURS.items() if f'{colours[0][1:]}"' in values)
    return _theme_sheet(used, has_frames="ft-cluster" in picture)


@lru_cache(maxsize=64)
def _theme_sheet(used: tuple[str, ...], *, has_frames: bool) -> str:
    """Return the style sheet; programs without `light-dark` skip it."""

    def both(name: str) -> str:
        return f"light-dark({','.join(COLOURS[name][:2])})"

    rules = "".join(_rules_of(name, both(name)) for name in used)
    halo = _HALO.replace("$card", both("card")) if has_frames else ""
    schemes = f".ft-drawing{{color-scheme:light dark;fill:{both('grey')}}}{_at(_LIGHT_PAGES)}{{color-scheme:light}}"
    schemes += f"{_at(_DARK_PAGES)}{{color-scheme:dark}}"
    return f"@supports(color:light-dark(red,red)){{{schemes}{rules}{halo}}}.ft-drawing text{{white-space:pre}}"


def _rules_of(name: str, value: str) -> str:
    """Return the rules that replace a light colour."""
    light = COLOURS[name][0]
    return "".join(f'.ft-drawing [{part}="{light}"]{{{part}:{value}}}' for part in ("fill", "stroke"))


def _at(pages: tuple[str, ...]) -> str:
    return ",".join(f"{page} .ft-drawing" for page in pages)


@lru_cache(maxsize=1)
def style_sheet() -> str:
    """Return the style sheet of a page whose drawings change; every selector starts with `.ft-drawing`.

    The colours are variables that follow the page's theme, and a node's phase is that of its attribute `data-phase`.
    """
    own = "".join(_rules_of(name, f"${name}") for name in COLOURS)
    rules = own + _HALO + _RULES.replace("\n", "") + "".join(_phase_colours(name) for name, _ in ICONS)
    root = f".ft-drawing{{font-family:var(--jp-ui-font-family,{FONT});fill:$grey}}"
    return _variables() + re.sub(r"\$([a-z]+)", r"var(--ft-\1)", root + rules)


def _phase_colours(name: str) -> str:
    at, colour = _at_phase(name), phase_colour(name)
    return f"{at}>.ft-shape,{at}>.ft-icon{{stroke:${colour}}}{at}>.ft-sub{{fill:${colour}}}"


def _at_phase(name: str) -> str:
    if name in ("HIT", "REUSED"):
        return f".ft-drawing [data-phase=SUCCEEDED][data-cache={name}]"
    return f".ft-drawing [data-phase={name}]"


def _variables() -> str:
    light, dark = _palette(0), _palette(1)
    return (
        f".ft-drawing{{{light}}}"
        f"@media(prefers-color-scheme:dark){{.ft-drawing{{{dark}}}}}"
        f"{_at(_LIGHT_PAGES)}{{{light}}}{_at(_DARK_PAGES)}{{{dark}}}"
    )


def _palette(theme: int) -> str:
    def value(colours: tuple[str, str, str | None]) -> str:
        light_or_dark, page_variable = colours[:2][theme], colours[2]
        return light_or_dark if page_variable is None else f"var({page_variable},{light_or_dark})"

    return ";".join(f"--ft-{name}:{value(colours)}" for name, colours in COLOURS.items())
