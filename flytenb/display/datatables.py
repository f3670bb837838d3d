"""Display of frames as interactive tables of itables; without its scripts the usual display is shown.

Call `itables.init_notebook_mode` once per notebook and register the display:

    import itables
    from flytenb.display.datatables import show_datatable

    itables.init_notebook_mode(all_interactive=False, connected=False)
    flytenb.display_for("pandas.DataFrame")(show_datatable)
"""

from __future__ import annotations

import secrets
from typing import Any

import itables

from flytenb.display.part import Part, Scripted
from flytenb.display.registry import BUILT_IN
from flytenb.display.view import View

_ROWS = (1_000, 300, 100, 30)
"""Most rows in the page; smaller numbers are tried where rows are long."""
_COLUMNS = 100
_LARGEST = 120_000
"""Most characters that the table adds to an output."""
_PLAIN = "--dt-html-background:transparent"
_LIBRARY = "_itables_" + itables.__version__.replace(".", "_")
_READY = f"itables-{itables.__version__}-ready"


def show_datatable(value: Any, view: View) -> Part:
    """Show a frame or column of pandas or polars, replaced by a table of itables where its scripts are loaded."""
    static = view._first_of(BUILT_IN.candidates(value), value)
    if view._depth > 0 or view.is_interactive or not len(value):
        return static
    markup = _markup(value)
    return Scripted(static, markup) if markup else static


def _markup(value: Any) -> str:
    """Return a hidden table and the script that swaps it with the static display once the library is loaded."""
    for rows in _ROWS:
        few = value.head(rows)
        caption = f"the first {len(few):,} of {len(value):,} rows" if len(few) < len(value) else None
        table = itables.to_html_datatable(
            few,
            caption=caption,
            connected=False,
            allow_html=False,
            maxBytes=0,
            maxRows=0,
            maxColumns=_COLUMNS,
            display_logo_when_loading=False,
            warn_on_unexpected_types=False,
            style="table-layout:auto;width:auto;margin:0;caption-side:bottom",
        )
        if len(table) <= _LARGEST:
            key = f"ft-datatable-{secrets.token_hex(8)}"
            return f'<div id="{key}" hidden="hidden" style="{_PLAIN}">{table}</div>{_swap(key)}'
    return ""


def _swap(key: str) -> str:
    """Return the script that swaps the two tables; the head line with type and size stays."""
    return (
        '<script type="module">'
        f'const made = document.getElementById("{key}"), still = made?.previousElementSibling;'
        'const swap = async () => { if (!made) return; made.removeAttribute("hidden");'
        'for (const each of still?.querySelectorAll(".ft-scroll, .ft-note") ?? []) each.hidden = true;'
        # itables 2.9.1 reads the page's theme only once, before its library is loaded.
        f'(await window["{_LIBRARY}"]).set_or_remove_dark_class?.() }};'
        f'if (window["{_LIBRARY}"]) swap(); else window.addEventListener("{_READY}", swap, {{ once: true }});'
        "</script>"
    )
