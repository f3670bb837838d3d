"""A real JupyterLab (or Notebook 7) and a real browser: notebooks are written, opened and run as a person would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.waiting import PATIENCE

_ENV_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


expect.set_options(timeout=1000 * PATIENCE)


class Lab:
    """A server in its own home; notebooks lie in `folder`, and import flytenb from the folder `package`."""

    def __init__(self, app: str = "lab", package: Path = Path(__file__).parents[2]) -> None:
        self.app = app
        self.home = Path(tempfile.mkdtemp(prefix="ftlab-"))
        self.folder = self.home / "work"
        self.folder.mkdir()
        env = {name: os.environ[name] for name in _ENV_KEPT if name in os.environ}
        env |= {"HOME": str(self.home), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"}
        env |= {f"JUPYTER_{kind}_DIR": str(self.home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        env |= {f"JUPYTERLAB_{kind}_DIR": str(self.home / kind.lower()) for kind in ("SETTINGS", "WORKSPACES")}
        env |= {"PYTHONPATH": str(package)}
        # the layout engine takes seconds to compile, once per person
        env |= {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))}
        env |= {"IPYTHONDIR": str(self.home / "ipython")}
        self._said = (self.home / "server.log").open("w+")
        command = [sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root", "--ServerApp.port=0"]
        command += ["--ServerApp.token=", "--ServerApp.password=", "--expose-app-in-browser"]
        command += [f"--ServerApp.root_dir={self.folder}", "--ServerApp.disable_check_xsrf=True"]
        command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        self._process = subprocess.Popen(command, env=env, cwd=self.folder, stdout=self._said, stderr=self._said)
        self.url = self._wait()

    def _wait(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            for found in (self.home / "runtime").glob("jpserver-*.json"):
                try:
                    return str(json.loads(found.read_text())["url"])
                except (ValueError, KeyError):
                    break
            time.sleep(0.1)
        self._said.seek(0)
        raise RuntimeError(f"the server didn't start:\n{self._said.read()[-3000:]}")

    def stop(self) -> None:
        """End the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._said.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source.strip("\n")) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.folder / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def address(self, path: Path) -> str:
        """Where a notebook is opened."""
        where = path.relative_to(self.folder).as_posix()
        return f"{self.url}lab/tree/{where}?reset" if self.app == "lab" else f"{self.url}notebooks/{where}"


class Notebook:
    """A notebook that is open in a page."""

    def __init__(self, lab: Lab, page: Page, path: Path) -> None:
        self.lab = lab
        self.page = page
        self.path = path
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def open(self) -> Notebook:
        """Open it, again if it is open."""
        self.page.goto(self.lab.address(self.path))
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function(
            "() => { const w = window.jupyterapp?.shell.currentWidget;"
            " return w?.context?.isReady && w.sessionContext?.session?.kernel?.status === 'idle' }",
        )
        return self

    def reopen(self) -> None:
        """Load the page anew, as F5 does, while cells may still be running."""
        self.page.goto(self.lab.address(self.path))
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")

    def shut_down(self) -> None:
        """End the kernel and close the page."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget?.sessionContext?.shutdown() }",
        )
        self.page.close()

    def command(self, name: str) -> None:
        """Execute one of the front end's commands without waiting for what comes of it."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name) }", name)

    def finish(self, name: str) -> None:
        """Execute one of the front end's commands and wait for its end."""
        self.page.evaluate("async name => { await window.jupyterapp.commands.execute(name) }", name)

    def run_all(self) -> None:
        """Start all cells."""
        self.command("notebook:run-all-cells")

    def edit(self, number: int, source: str) -> None:
        """Replace a cell's source as a person does, and run it to its end."""
        editor = self.cell(number).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)
        expect(editor).to_contain_text(source.splitlines()[-1])
        self.finish("notebook:run-cell")

    def cell(self, number: int) -> Locator:
        """One cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def output(self, number: int) -> Locator:
        """What a cell put out."""
        return self.cell(number).locator(".jp-Cell-outputArea")

    def live(self, number: int) -> Live:
        """The live view in a cell's output."""
        return Live(self.output(number).locator(".ftl"))

    def wait_until_idle(self) -> None:
        """Wait until every cell has run."""
        self.page.wait_for_function(
            "() => { const n = window.jupyterapp.shell.currentWidget;"
            " return n.sessionContext.session?.kernel?.status === 'idle' &&"
            " ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*')) }",
        )

    def save(self) -> nbformat.NotebookNode:
        """Save it and return the file's content."""
        self.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save') }")
        return nbformat.read(self.path, as_version=4)

    def theme(self, name: str) -> None:
        """Change to `JupyterLab Dark` or `JupyterLab Light`."""
        self.page.evaluate(
            "async name => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: name}) }", name
        )
        self.page.wait_for_function(
            "dark => document.body.dataset.jpThemeLight === (dark ? 'false' : 'true')", arg="Dark" in name
        )


class Live:
    """The live view of a run, as a reader finds it."""

    def __init__(self, element: Locator) -> None:
        self.element = element

    def node(self, path: str) -> Locator:
        """The box of a node."""
        return self.element.locator(f'.ftl-stage [data-path="{path}"]')

    def button(self, name: str) -> Locator:
        """A button by what it says."""
        return self.element.get_by_role("button", name=re.compile(name))

    @property
    def inspector(self) -> Locator:
        """What is shown of the chosen node."""
        return self.element.locator(".ftl-inspector")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium: the program without windows, which needs three quarters of the time; else the whole one."""
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=_CHROMIUM)
        new_page = browser.new_page

        def new_patient_page(**options: Any) -> Page:
            page = new_page(**options)
            page.set_default_timeout(1000 * PATIENCE)
            return page

        browser.new_page = new_patient_page  # type: ignore[method-assign]
        try:
            yield browser
        finally:
            browser.close()
