"""Open pages of the built docs site in each theme, wide and narrow, report what is wrong, and take pictures to look at.

    python docs/pictures/site_pages.py build/site --to build/looks docs/gallery docs/verbs

opens two pages without a network and reports requests, errors of scripts, violations that axe-core finds, and pages
that are wider than the window. Without page names, all pages are opened; without `--to`, no pictures are taken.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

VIEWS = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("light", 400), "narrow-dark": ("dark", 400)}
"""The colour scheme and the width in pixels."""
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"],
    "resultTypes": ["violations"],  # of what passes, one place is reported instead of each of thousands
    "preload": False,
}
"""What axe-core looks for."""


def watch(tab: Page, reported: list[str]) -> None:
    """Add errors of scripts and requests to a list."""
    tab.on("pageerror", lambda error: reported.append(str(error)))
    tab.on("console", lambda message: message.type == "error" and reported.append(message.text))
    tab.on(
        "request",
        lambda request: (
            request.url.startswith(("file:", "data:", "blob:")) or reported.append(f"the page asks for {request.url}")
        ),
    )


def find_faults(tab: Page, address: str) -> Iterator[str]:
    """Open a page and yield what is wrong with it, except for what is reported while it opens."""
    tab.goto(address)
    if tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        yield "wider than the window"
    found = Axe().run(tab, options=RULES).response["violations"]
    yield from (f"{v['id']}: {v['help']} {[n['target'] for n in v['nodes'][:3]]}" for v in found)


def look(browser: Browser, site: Path, names: list[str], view: str, to: Path | None) -> int:
    """Open the pages in a view, and return the number of those with faults."""
    wrong = 0
    theme, width = VIEWS[view]
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900}, offline=True)  # type: ignore[arg-type]
    tab = context.new_page()  # one for all pages: a new one takes longer than most pages
    reported: list[str] = []
    watch(tab, reported)
    for name in names:
        reported.clear()
        faults = [*find_faults(tab, (site / f"{name}.html").as_uri()), *reported]
        wrong += bool(faults)
        if to is not None:
            tab.screenshot(path=to / f"{name.replace('/', '-')}-{view}.png", full_page=True)
        print(f"{view}\t{name}\t{'; '.join(faults) or 'no faults'}", flush=True)
    context.close()
    return wrong


def main() -> int:
    """Read the command line, and return 1 if a page has faults."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path)
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--view", choices=VIEWS, action="append", help="only this view; may be repeated")
    parser.add_argument("--to", type=Path, help="folder of the pictures")
    chosen = parser.parse_intermixed_args()
    site = chosen.site.resolve()
    every = (path.relative_to(site).with_suffix("").as_posix() for path in sorted(site.rglob("*.html")))
    # The first only leads to docs/index, the second has no content without a question.
    names = chosen.pages or [name for name in every if name not in ("index", "search")]
    views = chosen.view or list(VIEWS)
    if chosen.to is not None:
        chosen.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        wrong = sum(look(browser, site, names, view, chosen.to) for view in views)
        browser.close()
    print(f"{len(names)} pages in {len(views)} views, {wrong} with faults")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
