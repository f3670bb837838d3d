"""Take the README's pictures from the tutorial as it runs today, in both themes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CELL = ".jp-CodeCell:has-text('run = %flyte run churn')"


def take(browser: Browser, page: Path, theme: str) -> Path:
    """Take a picture of the run of the tutorial's pipeline."""
    context = browser.new_context(color_scheme=theme, device_scale_factor=2, viewport={"width": 900, "height": 1200})
    tab = context.new_page()
    tab.goto(page.as_uri())
    picture = HERE / f"run-{theme}.png"
    tab.locator(CELL).last.screenshot(path=picture)
    return picture


def main() -> int:
    """Run the tutorial, open its page and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        publish = [sys.executable, "notebooks/publish.py", "notebooks/extending_flyte.md", "--to", folder]
        subprocess.run(publish, cwd=ROOT, check=True)
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for theme in ("light", "dark"):
            print(take(browser, Path(folder) / "extending_flyte.html", theme).relative_to(ROOT))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
