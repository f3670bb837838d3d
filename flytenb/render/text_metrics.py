"""Text measurement, cutting and cleaning for pictures, by upper bounds of letter widths."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import escape

LONGEST = 2_000
"""Most characters of any text in a picture, tooltips included."""

# Widths in thousandths of the font size, from space to tilde: for each letter the maximum of DejaVu Sans (the widest
# common default) and Helvetica, measured in a browser.
_LATIN = (
    *(318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337),
    *(636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 556),
    *(1015, 684, 686, 722, 770, 667, 611, 778, 752, 295, 500, 667, 557, 863, 748, 787),
    *(667, 787, 722, 667, 611, 732, 684, 989, 685, 667, 685, 390, 337, 390, 838, 556),
    *(500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612),
    *(635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838),
)
_SIGNS = {"·": 333, "×": 838, "→": 1000, "←": 1000, "…": 1000, "✓": 838, "–": 556, "≥": 838}
_SAFETY = 1.04
_WIDE, _OTHER = 1.15, 0.8  # in font sizes: a CJK letter or emoji, and a letter of any other script

_KNOWN = re.compile(f"[ -~{''.join(_SIGNS)}]*")
# Characters that XML forbids, C1 controls, bidirectional controls and non-characters.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_MARKUP = re.compile("[&<>\"']")
_SPACES = re.compile(r"\s+")
_ACCENTS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_ACCENT = re.compile(f"[{_ACCENTS}]")
_STACKED = re.compile(f"([{_ACCENTS}]{{2}})[{_ACCENTS}]+")


@lru_cache(maxsize=8192)
def clean(text: str) -> str:
    """Return the text on one line without controls, lone surrogates and stacked accents."""
    text = _SPACES.sub(" ", _cut(text))
    if text.isascii() and text.isprintable():
        return text
    return _STACKED.sub(r"\1", _UNFIT.sub("\ufffd", text))


def clean_lines(text: str) -> str:
    """Return the text cleaned like `clean`, with its line breaks."""
    if len(text) <= LONGEST and _is_clean(text):
        return text
    return "\n".join(clean(line) for line in _cut(text).splitlines())


def _is_clean(text: str) -> bool:
    """Whether `clean_lines` surely has nothing to change, as in most texts."""
    if "  " in text or text.endswith("\n") or not text.replace("\n", "").isprintable():
        return False
    return text.isascii() or not _ACCENT.search(text)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def xml(text: str) -> str:
    """Return the text escaped for an XML element or attribute."""
    return (
        escape(text, quote=True) if _MARKUP.search(text) else text
    )  # most texts have no markup, and the search is faster than escaping


@lru_cache(maxsize=8192)
def path_attribute(path: str) -> str:
    """Return a path of a node as the value of an attribute."""
    return xml(clean(path))


@lru_cache(maxsize=8192)
def measure(text: str, size: float) -> float:
    """Return the most pixels that the text takes in a font of this size."""
    return sum(map(_em, text)) * size


@lru_cache(maxsize=2048)
def _em(char: str) -> float:
    if " " <= char <= "~":
        return _LATIN[ord(char) - 32] * _SAFETY / 1000
    if char in _SIGNS:
        return _SIGNS[char] * _SAFETY / 1000
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF" or ord(char) > 0xFFFF:
        return _WIDE
    return _OTHER


def is_guessed(text: str) -> bool:
    """Whether the text has letters of unknown width, so that its length in the picture must be fixed."""
    return _KNOWN.fullmatch(text) is None


def fixed_length(text: str, size: float) -> str:
    """Return the attributes that fix the length of a text with letters of unknown width."""
    return f' textLength="{measure(text, size):.1f}" lengthAdjust="spacingAndGlyphs"' if is_guessed(text) else ""


@lru_cache(maxsize=8192)
def fit(text: str, width: float, size: float) -> str:
    """Return the text, cut with an ellipsis if it is wider."""
    if measure(text, size) <= width:
        return text
    room = width - measure("…", size)
    kept = 0
    for char in text:
        room -= _em(char) * size
        if room < 0:
            break
        kept += 1
    return f"{text[:kept].rstrip()}…"


def wrap(text: str, width: float, size: float, lines: int) -> list[str]:
    """Return the text wrapped at spaces into at most `lines` lines; the last one is cut."""
    found: list[str] = []
    line = ""
    words = text.split(" ")
    for i, word in enumerate(words):
        longer = f"{line} {word}" if line else word
        if line and measure(longer, size) > width:
            if len(found) == lines - 1:
                line = " ".join([line, *words[i:]])
                break
            found.append(line)
            longer = word
        line = longer
    return [fit(each, width, size) for each in [*found, line]]
