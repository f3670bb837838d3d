"""Take pictures of what people see: each display in JupyterLab, a page without styles, and terminal sessions.

Both themes, 1280 and 700 pixels wide, into a folder of their own below `build/pictures`; `index.html` there has those
of all folders side by side. `--at REVISION` takes the pictures of an earlier revision in the same environment: what it
can't show is an error in its picture.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

import nbformat
import pexpect
from nbconvert.filters import ansi2html
from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from flytenb.display.picture_outputs import move_pictures  # noqa: E402
from tests.browser.lab import Lab, Notebook, chromium  # noqa: E402
from tests.sanitised import sanitised_html, sanitised_svg  # noqa: E402

PARTS = ("notebook", "terminal")
THEMES = ("light", "dark")
WIDTHS = (1280, 700)
DEFINE = """
%load_ext flytenb
import pathlib, time
from datetime import date, timedelta
import pandas as pd
from flytekit import approve, conditional, map_task, task, workflow
import flytenb

day = date(2024, 2, 29)
frame = pd.DataFrame({"customer": ["Ada", "Grace", None], "since": [day] * 3, "spent": [10.5, 250.0, 3.25]})

@task
def load(n: int) -> pd.DataFrame:
    print("loaded", n, "customers")
    return pd.concat([frame] * n, ignore_index=True)

@task
def amounts(rows: pd.DataFrame) -> list[float]:
    return list(rows["spent"][:6])

@task(retries=1)
def embed(amount: float) -> float:
    return amount / 10

@task
def fit(rows: list[float]) -> float:
    return sum(rows) / len(rows)

@task
def release(score: float) -> str:
    return f"released at {score:.1f}"

@task
def report(score: float) -> str:
    return f"kept back at {score:.1f}"

@workflow
def train(rows: list[float]) -> float:
    return fit(rows=map_task(embed)(amount=rows))

@workflow
def churn(n: int = 3, threshold: float = 5.0) -> str:
    score = train(rows=amounts(rows=load(n=n)))
    return conditional("good").if_(score > threshold).then(release(score=score)).else_().then(report(score=score))

@task
def wait(score: float) -> float:
    print("waiting for the file", "go")
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
    return score

@workflow
def held(n: int = 3) -> str:
    return release(score=wait(score=train(rows=amounts(rows=load(n=n)))))

@workflow
def gated(n: int = 3) -> str:
    score = train(rows=amounts(rows=load(n=n)))
    return release(score=approve(score, "publish", timeout=timedelta(hours=1)))

@task
def check(score: float) -> float:
    limits = {"low": 1.0}
    return score / limits["high"]

@workflow
def broken(n: int = 3) -> str:
    return release(score=check(score=train(rows=amounts(rows=load(n=n)))))

def by_team(node):
    team = {"load": "data", "fit": "science"}.get(node.name)
    return flytenb.NodeStyle(badge=f"team {team}", colour="#0072b2" if team == "data" else "#d55e00") if team else None
"""
CELLS = {
    "live": "live = %flyte run held() --background",
    "gate": "asked = %flyte run gated() --background",
    "run": "run = %flyte run churn(n=4)",
    "error": "%flyte run broken()",
    "session": "%flyte",
    "style": "flytenb.draw(churn, style=by_team)",
    "timeline": "run.timeline()",
    "nodes": "run.nodes",
    "compare": "run.compare(flytenb.run(churn, n=5))",
    "lens": "flytenb.lens(pd.DataFrame, sample=frame)",
    "frame": "flytenb.show(frame)",
    "form": "%flyte form churn",
    "explorer": "flytenb.explore(pd.concat([frame] * 20, ignore_index=True))",
}
"""The cell of each picture; `%flyte draw --style` isn't used, since earlier versions don't have it."""
TERMINAL = (
    "%flyte",
    "%flyte draw churn",
    "%flyte draw churn --save churn.svg",
    "%flyte run churn(n=4)",
    "%flyte run broken()",
    "%flyte type pd.DataFrame --sample frame.head(2)",
    "%flyte show frame --explore",
    "later = flytenb.start(held)",
    "pathlib.Path('go').touch(); later.wait().phase",
    "1 + 1",
)
"""The lines of a session in a terminal; the last one shows that the end of the run before it is printed once."""


def shoot(element: Locator | Page, to: Path) -> None:
    """Take one picture and print where it is."""
    element.screenshot(path=to)
    print(to)


def _clear(notebook: Notebook) -> None:
    """Close what is around the notebook."""
    notebook.finish("application:toggle-left-area")
    notebook.page.add_style_tag(content=".Toastify{display:none}")


def take_notebook(browser: Browser, lab: Lab, width: int, to: Path) -> nbformat.NotebookNode:
    """Take the outputs of all cells in both themes and return the saved notebook."""
    page = browser.new_page(viewport={"width": width, "height": 1100})
    (lab.folder / "go").unlink(missing_ok=True)
    notebook = Notebook(lab, page, lab.write(f"seen_{width}", DEFINE, *CELLS.values())).open()
    _clear(notebook)
    for number in range(len(CELLS) + 1):
        page.evaluate(
            "number => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = number }", number
        )
        notebook.finish("notebook:run-cell")
    live = notebook.live(1)
    live.element.locator(".ft-node[data-phase=RUNNING]").first.wait_for()
    notebook.output(2).locator(".ftl-gate").wait_for()
    notebook.output(list(CELLS).index("form") + 1).locator(".ft-form").wait_for()
    for theme in THEMES:
        notebook.theme(f"JupyterLab {theme.capitalize()}")
        for number, name in enumerate(CELLS, 1):
            notebook.cell(number).scroll_into_view_if_needed()
            shoot(notebook.cell(number), to / f"{name}-{width}-{theme}.png")
    nodes = notebook.live(1)
    nodes.element.locator(".ft-node[data-phase=SUCCEEDED]").first.click()
    nodes.inspector.get_by_text("outputs", exact=True).wait_for()
    shoot(notebook.cell(1), to / f"live-node-{width}-dark.png")
    (lab.folder / "go").touch()
    notebook.output(1).get_by_text("released at").first.wait_for()
    shoot(notebook.cell(1), to / f"live-ended-{width}-dark.png")
    saved = notebook.save()
    notebook.shut_down()
    return saved


def take_saved(browser: Browser, lab: Lab, saved: nbformat.NotebookNode, width: int, to: Path) -> None:
    """Take the finished run again, opened without its kernel."""
    path = lab.folder / f"later_{width}.ipynb"
    nbformat.write(saved, path)
    page = browser.new_page(viewport={"width": width, "height": 1100})
    notebook = Notebook(lab, page, path).open()
    _clear(notebook)
    for theme in THEMES:
        notebook.theme(f"JupyterLab {theme.capitalize()}")
        for name in ("live", "run"):
            cell = notebook.cell(list(CELLS).index(name) + 1)
            cell.scroll_into_view_if_needed()
            shoot(cell, to / f"saved-{name}-{width}-{theme}.png")
    notebook.shut_down()


def sanitised(saved: nbformat.NotebookNode) -> Iterator[str]:
    """Yield the outputs as a site shows that removes styles, scripts and data addresses."""
    for cell in saved.cells[1:]:
        yield f"<pre>{escape(cell.source)}</pre>"
        for output in cell.outputs:
            data = output.get("data", {})
            if "text/html" in data:
                yield sanitised_html(data["text/html"])
            elif "image/svg+xml" in data:
                yield sanitised_svg(data["image/svg+xml"])
            elif output.output_type == "error":
                yield f"<pre>{ansi2html(chr(10).join(output.traceback))}</pre>"
            else:
                yield f"<pre>{escape(data.get('text/plain', output.get('text', '')))}</pre>"


def take_terminal(package: Path, **environment: str) -> str:
    """Return a session of IPython in a terminal, as HTML with colors."""
    with tempfile.TemporaryDirectory() as home:
        settings = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(package), "IPYTHONDIR": home}
        settings |= environment
        command = ["-m", "IPython", "--no-banner", "--colors=linux", "--simple-prompt"]
        shell = pexpect.spawn(
            sys.executable, command, encoding="utf-8", timeout=300, env=settings, dimensions=(50, 120), cwd=home
        )
        shell.expect(r"In \[\d+\]: ")
        (Path(home) / "define.ipy").write_text(DEFINE.strip("\n"), encoding="utf-8")
        said = []
        for line in ("%run -i define.ipy", *TERMINAL):
            shell.sendline(line)
            shell.expect(r"In \[\d+\]: ")
            said.append(f"In: {shell.before}")
        shell.sendline("exit")
        shell.expect(pexpect.EOF)
        shell.close(force=True)
    return f"<pre>{ansi2html(''.join(said[1:]).replace(chr(13), ''))}</pre>"


COLORS = (
    "body{background:Canvas;color:CanvasText;color-scheme:light dark;font:14px system-ui;margin:16px}"
    ".ansi-green-fg{color:#2a9d4a}.ansi-red-fg,.ansi-red-intense-fg{color:#d0453a}.ansi-cyan-fg{color:#2aa1b3}"
    ".ansi-magenta-fg{color:#b04fc9}.ansi-bold{font-weight:bold}"
)


def take_page(browser: Browser, body: str, style: str, name: str, to: Path) -> None:
    """Take a page of plain HTML in both widths and themes."""
    for width in WIDTHS:
        for theme in THEMES:
            page = browser.new_page(color_scheme=theme, viewport={"width": width, "height": 900})
            page.set_content(f"<!doctype html><meta charset='utf-8'><style>{style}</style>{body}")
            page.screenshot(path=to / f"{name}-{width}-{theme}.png", full_page=True)
            print(to / f"{name}-{width}-{theme}.png")
            page.close()


@contextmanager
def package_of(revision: str | None) -> Iterator[Path]:
    """Provide the folder that flytenb is imported from: this one, or one with the package of a revision."""
    if revision is None:
        yield ROOT
        return
    packed = subprocess.run(["git", "archive", revision, "flytenb"], cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def write_index(folder: Path) -> Path:
    """Write a page with the pictures of all folders, one column for each, and return its path."""
    columns = sorted({picture.parent for picture in folder.glob("*/*.png")}, key=lambda column: column.stat().st_mtime)
    names = sorted({picture.name for column in columns for picture in column.glob("*.png")})
    head = "".join(f"<th>{escape(column.name)}</th>" for column in columns)
    rows = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(_cell(column / name, folder) for column in columns)}</tr>"
        for name in names
    )
    style = "td{vertical-align:top;border:1px solid #888}img{max-width:46vw}"
    page = folder / "index.html"
    page.write_text(
        f"<!doctype html><meta charset='utf-8'><style>{style}</style><table><tr><th></th>{head}</tr>{rows}</table>",
        encoding="utf-8",
    )
    return page


def _cell(picture: Path, folder: Path) -> str:
    return f"<td><img src='{picture.relative_to(folder).as_posix()}'></td>" if picture.exists() else "<td></td>"


def take_all(package: Path, parts: Iterable[str], to: Path) -> None:
    """Take the pictures of the named parts."""
    with chromium() as browser:
        if "terminal" in parts:
            take_page(browser, take_terminal(package), COLORS, "terminal", to)
            take_page(browser, take_terminal(package, NO_COLOR="1"), COLORS, "terminal-without-colors", to)
        if "notebook" in parts:
            lab = Lab(package=package)
            try:
                for width in WIDTHS:
                    saved = take_notebook(browser, lab, width, to)
                    take_saved(browser, lab, saved, width, to)
            finally:
                lab.stop()
            style = "body{background:Canvas;color:CanvasText;color-scheme:light dark;font:14px sans-serif}"
            take_page(browser, "".join(sanitised(saved)), style, "sanitised", to)
            move_pictures(saved)
            take_page(browser, "".join(sanitised(saved)), style, "sanitised-published", to)


def main() -> int:
    """Take the pictures of the working tree or of a revision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--at", metavar="REVISION", help="the commit that is pictured; default: the working tree")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "pictures", help="where the folders are made")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"expected some of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    folder = chosen.to / (chosen.at or "now").replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    with package_of(chosen.at) as package:
        take_all(package, chosen.parts or PARTS, folder)
    print(write_index(chosen.to))
    return 0


if __name__ == "__main__":
    sys.exit(main())
