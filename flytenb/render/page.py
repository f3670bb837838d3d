"""A drawing as one self-contained HTML page without scripts."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, Template
from markupsafe import Markup

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px; background: Canvas; color: CanvasText;
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { overflow-x: auto; }
main svg { display: block; margin: 0 auto; }
details { margin-top: 24px; }
pre { overflow-x: auto; line-height: 1.35; }
</style>
</head>
<body>
<main>
{{ picture }}
</main>
<details>
<summary>As text</summary>
<pre tabindex="0">{{ text }}</pre>
</details>
</body>
</html>
"""


def to_page(title: str, svg: str | None, text: str) -> str:
    """Return the page: the picture with the text below it, or only the text if there is no picture."""
    if svg is None:
        return _template().render(title=title, picture=Markup('<pre tabindex="0">{}</pre>').format(text), text=text)
    return _template().render(title=title, picture=Markup(svg), text=text)  # made by us and escaped there


@lru_cache(maxsize=1)
def _template() -> Template:
    return Environment(autoescape=True).from_string(_PAGE)
