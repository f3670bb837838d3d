"""Frames as tables of itables, for who registers `show_datatable`; where its scripts don't run nothing changes.

Whoever wants them has itables write its scripts into the notebook once, and registers the display:

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
"""So many rows are put into the page, or fewer where they are long."""
_COLUMNS = 100
_LARGEST = 120_000
"""Characters of what a table of itables adds to an output."""
_PLAIN = "--dt-html-background:transparent"
_LIBRARY = "_itables_" + itables.__version__.replace(".", "_")
_READY = f"itables-{itables.__version__}-ready"


def show_datatable(value: Any, view: View) -> Part:
    """Show a frame or column of pandas or polars as usual, and as a table of itables where its scripts are at hand."""
    still = view.first_of(BUILT_IN.candidates(value), value)
    if view.depth > 0 or view.selections is not None or not len(value):
        return still
    markup = _markup(value)
    return Scripted(still, markup) if markup else still


def _markup(value: Any) -> str:
    """Return a hidden table, and the script that shows it instead of what stands above once the library is there."""
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
    """Return the script: below the head line, which tells type and size, one table takes the place of the other."""
    return (
        '<script type="module">'
        f'const made = document.getElementById("{key}"), still = made?.previousElementSibling;'
        'const swap = async () => { if (!made) return; made.removeAttribute("hidden");'
        'for (const each of still?.querySelectorAll(".ft-scroll, .ft-note") ?? []) each.hidden = true;'
        # itables 2.9.1 asks for the page's theme before its library is there, and never again.
        f'(await window["{_LIBRARY}"]).set_or_remove_dark_class?.() }};'
        f'if (window["{_LIBRARY}"]) swap(); else window.addEventListener("{_READY}", swap, {{ once: true }});'
        "</script>"
    )
