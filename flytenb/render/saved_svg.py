"""The SVG of a drawing as it is saved: without what only a live view uses."""

from __future__ import annotations

import re

_PAGE_ONLY = r'<path class="ft-icon" d="M[\d. -]*"/>| (?:data-[a-z]+|tabindex)="[^"]*"| class="ft-(?!cluster)[^"]*"'
_NAMES = r'<title>[^<]*</title>| (?:role|aria-[a-z]+)="[^"]*"'
_LEFT_OUT = {True: re.compile(_PAGE_ONLY), False: re.compile(f"{_PAGE_ONLY}|{_NAMES}")}
_NUMBERS = re.compile(r' (?:d|x|y|width|height)="[^"]*"')
_ZERO = re.compile(r"\.0(?!\d)")


def to_image(svg: str, *, has_names: bool = False) -> str:
    """Return the picture without what only a live view uses: paths, focus and places of icons.

    Quotes in text of users are escaped, so that an attribute can be found by its quotes.

    Args:
        svg: the picture.
        has_names: whether tooltips and names for screen readers remain; a picture in an `img` element shows neither.
    """
    root, start, shown = svg.partition("</style>")
    return root + start + _NUMBERS.sub(lambda found: _ZERO.sub("", found[0]), _LEFT_OUT[has_names].sub("", shown))
