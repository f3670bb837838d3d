"""Take the pictures of `docs/comparison.md`: pipelines drawn by flytenb and by its peers, in the themes they have.

The pipelines are `churn`, of ten tasks with a map and a branch, and plain ones of 3, 12, 60 and 300 steps. Needs
Chromium, and `dot` for Hamilton. Each peer is installed into an environment of its own under `.venvs/`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FLOWS = HERE / "compare"
sys.path.insert(0, str(FLOWS))

import kept  # noqa: E402
from plain_pipelines import SIZES, program, steps_of  # noqa: E402

T = TypeVar("T")
PEERS = {
    "hamilton": ["sf-hamilton[visualization]"],
    "kedro": ["kedro-viz"],
    "dagster-webserver": ["dagster-webserver"],
    "prefect": ["prefect"],
    "metaflow": ["metaflow"],
    "marimo": ["marimo"],
}
QUIET = {
    "DO_NOT_TRACK": "1",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
THEMES = ("light", "dark")
SIZE = {"width": 1200, "height": 860}
CORNER = (SIZE["width"] - 5, SIZE["height"] - 5)
PATIENCE = 600  # seconds for a server to start and a page to load, on a busy machine
SETTLED = 3000  # milliseconds until all movement has ended; there is no event for it

PREFECT_RUNS = 10  # of tasks in a run of `churn`: those of `features` are two, and one case of the branch runs
MARIMO_SETTINGS = '[display]\ntheme = "system"\n[runtime]\nauto_instantiate = true\n'
"""Follow the browser's theme, and run the cells at the start: there are no lines between cells that haven't run."""
MARIMO_WINDOW = {"width": 1642, "height": 895}
"""Three quarters of its width, the most that a panel takes, are as wide and as high as the other pictures."""


def python_of(name: str) -> Path:
    """Install the peer if it isn't there and return its interpreter."""
    folder = ROOT / ".venvs" / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)
    return python


@contextmanager
def served(command: list[str], address: str, home: Path, **settings: str) -> Iterator[None]:
    """Run a peer's server until the pictures are taken; settings are environment variables."""
    with (home / "server.log").open("w") as log:
        environment = {**os.environ, **QUIET, "DAGSTER_HOME": str(home), **settings}
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
        try:
            wait_for(lambda: is_up(address), home / "server.log", server)
            yield
        finally:
            server.terminate()
            server.wait(30)


def wait_for(look: Callable[[], T], log: Path, process: subprocess.Popen[Any] | None = None) -> T:
    """Return what there is as soon as there is something; RuntimeError if the process ends before, or in 10 minutes."""
    deadline = time.monotonic() + PATIENCE
    while True:
        has_ended = process is not None and process.poll() is not None
        if found := look():
            return found
        if has_ended or time.monotonic() > deadline:
            raise RuntimeError(f"it doesn't go on:\n{log.read_text()[-2000:]}")
        time.sleep(0.3)


def is_up(address: str) -> bool:
    """Whether somebody answers."""
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


def asked(address: str, question: object) -> Any:
    """Return what somebody answers to JSON, who answers in it."""
    sent = urllib.request.Request(address, json.dumps(question).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(sent) as answer:
        return json.load(answer)


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def tab(browser: Browser, theme: str) -> Iterator[Page]:
    """A page that prefers the theme."""
    context = browser.new_context(color_scheme=theme, viewport=SIZE, reduced_motion="reduce")
    context.set_default_timeout(1000 * PATIENCE)
    yield context.new_page()
    context.close()


@dataclass(frozen=True)
class Flow:
    """A pipeline as a program of one tool, the end of its pictures' names, its first step, and a folder to write to."""

    tool: str
    file: Path
    name: str
    first: str
    home: Path

    @property
    def themes(self) -> tuple[str, ...]:
        """Those of its pictures: both are shown of `churn` and of 60 steps."""
        return THEMES if self.name in ("", "60") else THEMES[:1]

    def target(self, theme: str) -> Path:
        """Where a picture belongs."""
        return HERE / "-".join(filter(None, ("compare", self.tool, self.name, f"{theme}.png")))

    def shoot(self, view: Page, theme: str, whole: str) -> None:
        """Take the element of `churn`; of the plain pipelines what a window shows first, which is the same for all."""
        (view if self.name else view.locator(whole)).screenshot(path=self.target(theme))


def flytenb(browser: Browser, flow: Flow) -> None:
    """A drawing of ours as its own page."""
    page = flow.home / "churn.html"
    subprocess.run([sys.executable, flow.file, page], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    for theme in flow.themes:
        with tab(browser, theme) as view:
            view.goto(page.as_uri())
            view.locator(".ft-drawing").wait_for()
            flow.shoot(view, theme, ".ft-drawing")


def hamilton(browser: Browser, flow: Flow) -> None:
    """Hamilton's picture as it comes: it has one look, on white."""
    picture = flow.home / "churn.svg"
    subprocess.run([python_of("hamilton"), flow.file, picture], check=True, env={**os.environ, **QUIET})
    shoot_picture(browser, flow, picture)


def shoot_picture(browser: Browser, flow: Flow, picture: Path) -> None:
    """Take a picture in a page of its own, as wide as the window at most."""
    with tab(browser, "light") as view:
        page = flow.home / "page.html"
        page.write_text(f'<img src="{picture.name}" style="max-width:100%">')
        view.goto(page.as_uri())
        flow.shoot(view, "light", "img")


def kedro(browser: Browser, flow: Flow) -> None:
    """The page of Kedro-Viz."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    with served([str(python_of("kedro")), str(flow.file), str(port)], address, flow.home):
        for theme in flow.themes:
            with tab(browser, theme) as view:
                state = json.dumps({**kept.KEDRO, "theme": theme})
                view.add_init_script(f"localStorage.setItem('KedroViz', {json.dumps(state)})")
                view.goto(address)
                view.wait_for_selector(".pipeline-node, .pipeline-warning")  # it asks before it draws hundreds
                view.get_by_role("button", name="Dismiss").click()
                view.mouse.move(*CORNER)
                view.wait_for_timeout(SETTLED)
                view.screenshot(path=flow.target(theme))


def dagster(browser: Browser, flow: Flow) -> None:
    """The page of Dagster's webserver."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    (flow.home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    server = python_of("dagster-webserver").with_name("dagster-webserver")
    command = [str(server), "-f", str(flow.file), "-h", "127.0.0.1", "-p", str(port)]
    with served(command, f"{address}/server_info", flow.home):
        with tab(browser, "light") as view:  # a new server greets its first visitor
            view.goto(address)
            view.get_by_role("button", name="Skip").click()
            view.wait_for_timeout(SETTLED)
        for theme in flow.themes:
            with tab(browser, theme) as view:
                view.goto(f"{address}/locations/{flow.file.name}/jobs/churn")
                view.get_by_text(flow.first).first.wait_for()
                view.mouse.move(*CORNER)
                view.wait_for_timeout(SETTLED)
                view.screenshot(path=flow.target(theme))


def prefect(browser: Browser, flow: Flow) -> None:
    """The graph of a run in Prefect's server, as a grid on the whole page; there is none before a run."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    python = python_of("prefect")
    settings = {"PREFECT_HOME": str(flow.home), "PREFECT_SERVER_UI_API_URL": f"{address}/api"}
    command = [str(python.with_name("prefect")), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with served(command, f"{address}/api/health", flow.home, **settings):
        environment = {**os.environ, **QUIET, **settings, "PREFECT_API_URL": f"{address}/api"}
        subprocess.run([python, flow.file], check=True, env=environment, capture_output=True)
        [run] = asked(f"{address}/api/flow_runs/filter", {})
        done = {"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        runs = int(flow.name or PREFECT_RUNS)  # they come in later
        wait_for(lambda: asked(f"{address}/api/task_runs/count", done) >= runs, flow.home / "server.log")
        for theme in flow.themes:
            with tab(browser, theme) as view:  # unless it is set there, the theme is dark for everybody
                view.add_init_script(f"localStorage.setItem('color-scheme', '{json.dumps(theme)}')")
                view.goto(f"{address}/runs/flow-run/{run['id']}")
                view.locator("canvas").first.wait_for()
                view.get_by_title("Toggle fullscreen").click()
                options = view.get_by_role("button", name="Run Graph Options").last
                options.click()
                view.get_by_label("Dependency grid").click()
                options.click()
                view.wait_for_timeout(SETTLED)
                view.get_by_title("Recenter graph").last.click()
                view.mouse.move(*CORNER)
                view.wait_for_timeout(SETTLED)
                view.screenshot(path=flow.target(theme))


def metaflow_command(flow: Flow, command: str) -> dict[str, Any]:
    """Return how to start a command of Metaflow that keeps all that it writes in the flow's folder."""
    places = {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(flow.home), "METAFLOW_HOME": str(flow.home)}
    return {
        "args": [str(python_of("metaflow")), str(flow.file), "--no-pylint", command],
        "cwd": flow.home,
        "env": {**os.environ, **QUIET, **places, "METAFLOW_USER": "somebody"},
    }


def metaflow(browser: Browser, flow: Flow) -> None:
    """The graph in the card of the first step, after which the run is stopped: it is the same in the card of each."""
    with (flow.home / "run.log").open("w") as log:
        run = subprocess.Popen(**metaflow_command(flow, "run"), stdout=log, stderr=log)
    cards = wait_for(lambda: list(flow.home.rglob("*.html")), flow.home / "run.log", run)
    run.send_signal(signal.SIGINT)
    run.wait()
    with tab(browser, "light") as view:
        view.goto(cards[0].as_uri())
        view.locator(".connectorwrapper").first.wait_for()
        if not flow.name:  # a picture of more than the window resizes it, and the lines are drawn some time later
            view.set_viewport_size({**SIZE, "height": view.evaluate("document.documentElement.scrollHeight")})
        view.get_by_text("DAG").first.click()
        view.wait_for_timeout(SETTLED)
        flow.shoot(view, "light", "[data-component=dag]")


def metaflow_dot(browser: Browser, flow: Flow) -> None:
    """What Metaflow's command `output-dot` writes, drawn by `dot` in a page: it has one look, on white."""
    written = subprocess.run(**metaflow_command(flow, "output-dot"), check=True, capture_output=True).stdout
    picture = flow.home / "churn.svg"
    subprocess.run(["dot", "-Tsvg", "-o", picture], check=True, input=written)
    shoot_picture(browser, flow, picture)


def marimo(browser: Browser, flow: Flow) -> None:
    """The panel of dependencies in marimo's editor, as wide as it gets, with the whole graph in view."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    file = shutil.copy(flow.file, flow.home / "notebook.py")  # the editor writes to it
    (flow.home / "marimo").mkdir()
    (flow.home / "marimo" / "marimo.toml").write_text(MARIMO_SETTINGS)
    server = [str(python_of("marimo").with_name("marimo")), "edit", "--headless", "--no-token", "--skip-update-check"]
    with served([*server, "--port", str(port), str(file)], address, flow.home, XDG_CONFIG_HOME=str(flow.home)):
        for theme in flow.themes:
            with tab(browser, theme) as view:
                view.set_viewport_size(MARIMO_WINDOW)
                for name, state in kept.MARIMO.items():
                    view.add_init_script(f"localStorage.setItem({json.dumps(name)}, {json.dumps(json.dumps(state))})")
                view.goto(address)
                view.get_by_role("tab", name="Graph").click()
                view.locator(".react-flow__edge").first.wait_for(state="attached")
                view.wait_for_timeout(SETTLED)
                view.locator(".react-flow__controls-fitview").click()
                view.mouse.move(*CORNER)
                view.wait_for_timeout(SETTLED)
                view.get_by_test_id("helper").screenshot(path=flow.target(theme))


TAKERS: dict[str, Callable[[Browser, Flow], None]] = {
    "flytenb": flytenb,
    "hamilton": hamilton,
    "kedro": kedro,
    "dagster": dagster,
    "prefect": prefect,
    "metaflow": metaflow,
    "metaflow-dot": metaflow_dot,
    "marimo": marimo,
}


def flow_of(tool: str, size: int | None, home: Path) -> Flow:
    """Return `churn`, or the plain pipeline of a size, written to the folder."""
    language = tool.partition("-")[0]
    if size is None:
        return Flow(tool, FLOWS / f"{language}_churn.py", "", "load_users", home)
    file = home / f"{language}_{size}.py"
    file.write_text(program(language, size), encoding="utf-8")
    return Flow(tool, file, str(size), next(iter(steps_of(size))), home)


def main() -> int:
    """Take the pictures of the tools and sizes that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", help=f"of {', '.join(TAKERS)}; default: all")
    parser.add_argument(
        "--size", type=int, choices=SIZES, help="the plain pipeline of this size; default: all pipelines"
    )
    chosen = parser.parse_args()
    for tool in chosen.tools or TAKERS:
        for size in [chosen.size] if chosen.size else (None, *SIZES):
            with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
                flow = flow_of(tool, size, Path(folder))
                browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                TAKERS[tool](browser, flow)
                browser.close()
            print(*(made.relative_to(ROOT) for theme in flow.themes if (made := flow.target(theme)).exists()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
