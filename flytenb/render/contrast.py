"""Contrast of colours as WCAG 2 defines it, and how much of a user's colour may be behind text."""

from __future__ import annotations

from functools import lru_cache

from flytenb.render.theme import COLOURS

LEAST = 4.5
"""The contrast of small text that level AA asks for."""
_ON_BOXES = ("ink", "grey", "running", "succeeded", "failed", "cached", "idle")
"""Names of the colours of text in boxes."""
_MOST, _STEPS = 0.14, 14

Color = tuple[float, float, float]


def color_of(text: str) -> Color:
    """Return red, green and blue of `#rrggbb`, each from 0 to 1."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def over(color: Color, below: Color, opacity: float) -> Color:
    """Return a colour that is painted over another one."""
    red, green, blue = (opacity * upper + (1 - opacity) * lower for upper, lower in zip(color, below, strict=True))
    return red, green, blue


@lru_cache(maxsize=256)
def tint(colour: str) -> float:
    """Return the opacity of a colour in boxes, at which all their text has a contrast of `LEAST` in both themes.

    Args:
        colour: as `#rrggbb`.
    """
    steps = (_MOST * step / _STEPS for step in range(_STEPS, 0, -1))
    return next((round(step, 3) for step in steps if _is_clear(color_of(colour), step)), 0.0)


def _is_clear(color: Color, opacity: float) -> bool:
    return all(
        contrast(color_of(COLOURS[name][:2][theme]), over(color, color_of(COLOURS["box"][:2][theme]), opacity)) >= LEAST
        for theme in (0, 1)
        for name in _ON_BOXES
    )


def _luminance(color: Color) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
