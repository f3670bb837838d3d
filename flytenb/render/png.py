"""A drawing as pixels, by whichever engine is there; none of them is a dependency."""

from __future__ import annotations

from importlib.util import find_spec

from flytenb.errors import LayoutError, LayoutTimeoutError
from flytenb.render.layout import run_dot

_ZOOM = 2
"""Pixels of the file for each of the picture, for today's screens and for slides."""


def to_png(svg: str | None, dot: str, timeout: float) -> bytes:
    """Return the picture as PNG: from the SVG by resvg where it is installed, else from the DOT text by Graphviz.

    Raises:
        LayoutError: neither is there; the hint names the ways out.
    """
    if svg is not None and find_spec("resvg_py") is not None:
        import resvg_py

        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=_ZOOM))
    try:
        return run_dot(dot, "png", timeout)
    except LayoutTimeoutError:
        raise
    except LayoutError as error:
        hint = "pip install 'flytenb[png]', or install Graphviz, or save .svg or .html and let a browser make it"
        raise LayoutError(f"no engine makes PNG here: {error.message}", hint=hint) from error
