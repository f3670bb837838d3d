"""A drawing as PNG, by whichever converter is installed."""

from __future__ import annotations

from importlib.util import find_spec

from flytenb.errors import LayoutError, LayoutTimeoutError
from flytenb.render.layout import run_dot

_ZOOM = 2
"""Pixels in the file for each pixel of the picture."""


def to_png(svg: str | None, dot: str, timeout: float) -> bytes:
    """Return the picture as PNG: the SVG converted by resvg if that is installed, else the DOT text drawn by Graphviz.

    Raises:
        LayoutError: if neither is available; the hint says what to install.
    """
    if svg is not None and find_spec("resvg_py") is not None:
        import resvg_py

        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=_ZOOM))
    try:
        return run_dot(dot, "png", timeout)
    except LayoutTimeoutError:
        raise
    except LayoutError as error:
        hint = "pip install 'flytenb[png]', or install Graphviz, or save .svg or .html and convert that in a browser"
        raise LayoutError(f"no PNG converter is available: {error.message}", hint=hint) from error
