"""Take the pictures of `docs/comparison.md`: one pipeline drawn by flytenb and by its peers, in the themes they have.

Needs Chromium, and `dot` for Hamilton. Each peer is installed into an environment of its own under `.venvs/`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FLOWS = HERE / "compare"
PEERS = {
    "hamilton": ["sf-hamilton[visualization]"],
    "kedro": ["kedro-viz"],
    "dagster-webserver": ["dagster-webserver"],
}
QUIET = {"DO_NOT_TRACK": "1", "HAMILTON_TELEMETRY_ENABLED": "false", "DAGSTER_DISABLE_TELEMETRY": "1"}
THEMES = ("light", "dark")
SIZE = {"width": 1200, "height": 860}
CORNER = (SIZE["width"] - 5, SIZE["height"] - 5)
SETTLED = 3000  # milliseconds until all movement has ended; there is no event for it

# all that the page keeps about itself: it takes the whole or nothing
KEDRO_KEEPS = {
    "node": {"disabled": {}},
    "nodeType": {"disabled": {"parameters": True, "task": False, "data": False}},
    "pipeline": {"active": "__default__"},
    "layer": {"visible": True},
    "tag": {"enabled": {}},
    "textLabels": True,
    "visible": {"code": False, "graph": True, "miniMap": False, "sidebar": False, "slicing": True, "traceback": False},
    "isPrettyName": False,
    "showFeatureHints": False,
    "showDatasetPreviews": True,
    "flags": {"sizewarning": True},
    "expandAllPipelines": False,
    "orientation": "vertical",
    "featureHintStep": 0,
}


def python_of(name: str) -> Path:
    """Install the peer if it isn't there and return its interpreter."""
    folder = ROOT / ".venvs" / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)
    return python


@contextmanager
def served(command: list[str], address: str, home: Path) -> Iterator[None]:
    """Run a peer's server until the pictures are taken."""
    with (home / "server.log").open("w") as log:
        environment = {**os.environ, **QUIET, "DAGSTER_HOME": str(home)}
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 90
            while not is_up(address):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} didn't start:\n{(home / 'server.log').read_text()[-2000:]}")
                time.sleep(0.3)
            yield
        finally:
            server.terminate()
            server.wait(30)


def is_up(address: str) -> bool:
    """Whether somebody answers."""
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def tab(browser: Browser, theme: str) -> Iterator[Page]:
    """A page that prefers the theme."""
    context = browser.new_context(color_scheme=theme, viewport=SIZE, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def flytenb(browser: Browser, home: Path) -> None:
    """A drawing of ours as its own page."""
    page = home / "churn.html"
    subprocess.run([sys.executable, FLOWS / "flytenb_churn.py", page], check=True)
    for theme in THEMES:
        with tab(browser, theme) as view:
            view.goto(page.as_uri())
            view.locator(".ft-drawing").screenshot(path=target("flytenb", theme))


def hamilton(browser: Browser, home: Path) -> None:
    """Hamilton's picture as it comes: it has one look, on white."""
    picture = home / "churn.svg"
    command = [python_of("hamilton"), FLOWS / "hamilton_churn.py", picture]
    subprocess.run(command, check=True, env={**os.environ, **QUIET})
    with tab(browser, "light") as view:
        page = home / "page.html"
        page.write_text(f'<img src="{picture.name}" style="max-width:100%">')
        view.goto(page.as_uri())
        view.locator("img").screenshot(path=target("hamilton", "light"))


def kedro(browser: Browser, home: Path) -> None:
    """The page of Kedro-Viz."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    with served([str(python_of("kedro")), str(FLOWS / "kedro_churn.py"), str(port)], address, home):
        for theme in THEMES:
            with tab(browser, theme) as view:
                kept = json.dumps({**KEDRO_KEEPS, "theme": theme})
                view.add_init_script(f"localStorage.setItem('KedroViz', {json.dumps(kept)})")
                view.goto(address)
                view.wait_for_selector(".pipeline-node", timeout=60_000)
                view.get_by_role("button", name="Dismiss").click()
                view.mouse.move(*CORNER)
                view.wait_for_timeout(SETTLED)
                view.screenshot(path=target("kedro", theme))


def dagster(browser: Browser, home: Path) -> None:
    """The page of Dagster's webserver."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    program = python_of("dagster-webserver").with_name("dagster-webserver")
    command = [str(program), "-f", str(FLOWS / "dagster_churn.py"), "-h", "127.0.0.1", "-p", str(port)]
    with served(command, f"{address}/server_info", home):
        with tab(browser, "light") as view:  # a new server greets its first visitor
            view.goto(address)
            view.get_by_role("button", name="Skip").click(timeout=60_000)
            view.wait_for_timeout(SETTLED)
        for theme in THEMES:
            with tab(browser, theme) as view:
                view.goto(f"{address}/locations/dagster_churn.py/jobs/churn")
                view.get_by_text("train_forest").first.wait_for()
                view.mouse.move(*CORNER)
                view.wait_for_timeout(SETTLED)
                view.screenshot(path=target("dagster", theme))


def target(name: str, theme: str) -> Path:
    """Where a picture belongs."""
    return HERE / f"compare-{name}-{theme}.png"


TAKERS: dict[str, Callable[[Browser, Path], None]] = {
    "flytenb": flytenb,
    "hamilton": hamilton,
    "kedro": kedro,
    "dagster": dagster,
}


def main() -> int:
    """Take the pictures that are named, or all."""
    for name in sys.argv[1:] or TAKERS:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            TAKERS[name](browser, Path(folder))
            browser.close()
        print(*(picture.relative_to(ROOT) for picture in sorted(HERE.glob(f"compare-{name}-*.png"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
