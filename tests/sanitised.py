"""Markup as it is shown by sites that keep only listed elements and attributes: GitHub's notebooks, mails, comments."""

from __future__ import annotations

import re

import bleach

_words = str.split
# https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/sanitization_filter.rb
_TAGS = _words(
    "h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p picture ol ul table thead tbody tfoot "
    "blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details caption figure figcaption "
    "abbr bdo cite dfn mark small source span time wbr"
)
_ATTRIBUTES = {"a": ["href"], "img": ["src", "alt", "width", "height"], "*": ["align", "open", "title", "scope"]}
_SVG_TAGS = _words("svg g path rect circle text tspan title defs pattern")
_SVG_ATTRIBUTES = _words(
    "xmlns x y dx cx cy r rx d width height viewBox transform patternUnits patternTransform textLength lengthAdjust "
    "text-anchor fill fill-opacity stroke stroke-width stroke-dasharray stroke-opacity stroke-linecap stroke-linejoin "
    "font-family font-size font-weight"
)
_STYLE = re.compile("<style>.*?</style>", flags=re.DOTALL)


def sanitised_html(html: str) -> str:
    """The HTML without style sheets, classes, styles, scripts and data addresses."""
    return bleach.clean(_STYLE.sub("", html), _TAGS, _ATTRIBUTES, protocols=["http", "https"], strip=True)


def sanitised_svg(svg: str) -> str:
    """The SVG without style sheets, classes and references."""
    return bleach.clean(_STYLE.sub("", svg), _SVG_TAGS, {"*": _SVG_ATTRIBUTES}, strip=True)
