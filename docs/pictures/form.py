"""Take the pictures of the live form: the cells of its page in JupyterLab, filled in and run, in both themes."""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.lab import Lab, Notebook, chromium  # noqa: E402

PAGE = ROOT / "docs" / "how_to" / "forms.md"


def main() -> int:
    """Run the cells, fill in the form, start the run, and take its pictures."""
    cells = [cell.source for cell in jupytext.read(PAGE).cells if cell.cell_type == "code"]
    number = next(n for n, source in enumerate(cells) if source.startswith("%flyte form"))
    lab = Lab()
    try:
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 900, "height": 1400}, device_scale_factor=2)
            notebook = Notebook(lab, page, lab.write("forms", *cells[: number + 1])).open()
            notebook.finish("application:toggle-left-area")
            page.add_style_tag(content=".Toastify{display:none}")
            notebook.run_all()
            form = notebook.output(number).locator(".ft-form")
            form.locator("input[type=date]").fill("2030-01-31")
            form.get_by_role("button", name="run", exact=False).first.click()
            notebook.output(number).get_by_text("31 January").first.wait_for()
            for theme in ("light", "dark"):
                notebook.theme(f"JupyterLab {theme.capitalize()}")
                picture = HERE / f"form-{theme}.png"
                notebook.cell(number).screenshot(path=picture)
                print(picture.relative_to(ROOT))
            notebook.shut_down()
    finally:
        lab.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
