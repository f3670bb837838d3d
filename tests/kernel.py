"""A real ipykernel of one's own, and what its cells put out; what the cells mean is left to the tests."""

from __future__ import annotations

import ast
import atexit
import os
import queue
import re
import shutil
import sys
import tempfile
import textwrap
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg
from traitlets.config import Config

from tests.waiting import PATIENCE

DOCUMENT = Path(__file__).parent / "data" / "extending_flyte.md"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
ROOT = str(Path(__file__).parents[1])
"""What is tested is the package beside the tests, in kernels too, whichever one is installed."""
_ENV_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")


class CellError(NamedTuple):
    """An `error` output: what a notebook front end shows, without its colours."""

    ename: str
    evalue: str
    traceback: str


@dataclass
class Outcome:
    """What one cell put out, as nbformat would save it."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)

    def _stream(self, name: str) -> str:
        return "".join(o["text"] for o in self.outputs if o["output_type"] == "stream" and o["name"] == name)

    @property
    def text(self) -> str:
        """Standard output."""
        return _ANSI.sub("", self._stream("stdout"))

    @property
    def stderr(self) -> str:
        """Standard error."""
        return _ANSI.sub("", self._stream("stderr"))

    @property
    def error(self) -> CellError | None:
        """The `error` output that reached the front end, if one did."""
        for o in self.outputs:
            if o["output_type"] == "error":
                return CellError(o["ename"], o["evalue"], _ANSI.sub("", "\n".join(o["traceback"])))
        return None

    @property
    def result(self) -> str | None:
        """The text of the last expression's value."""
        results = [o["data"] for o in self.outputs if o["output_type"] == "execute_result"]
        return results[-1].get("text/plain") if results else None

    @property
    def bundles(self) -> list[dict[str, Any]]:
        """The MIME bundles of all displays and results, after their updates."""
        return [o["data"] for o in self.outputs if o["output_type"] in ("display_data", "execute_result")]

    @property
    def html(self) -> str:
        """All HTML of the cell."""
        return "\n".join(b["text/html"] for b in self.bundles if "text/html" in b)

    @property
    def pictures(self) -> list[str]:
        """The SVG text of every drawing that the cell shows: of its own, inline, or in an image's data address."""
        own = [b["image/svg+xml"] for b in self.bundles if "image/svg+xml" in b]
        inline = re.findall(r"<svg\b.*?</svg>", self.html, flags=re.S)
        addresses = re.findall(r"\bsrc=[\"']data:image/svg\+xml([^,]*),([^\"']*)[\"']", self.html)
        return (
            own + inline + [b64decode(data).decode() if "base64" in how else unquote(data) for how, data in addresses]
        )

    @property
    def shown(self) -> str:
        """Everything that a reader without HTML sees, in order."""
        return "\n".join(
            [*(o["text"] for o in self.outputs if o["output_type"] == "stream")]
            + [b.get("text/plain", "") for b in self.bundles]
        )

    def ok(self) -> Outcome:
        """Return itself; raise with the cell's own traceback if it failed or its error was hidden."""
        if self.error or self.reply.get("status") != "ok":
            raise AssertionError(
                f"the cell failed:\n{self.error.traceback if self.error else self.reply}\n{self.shown}"
            )
        return self

    def fails(self) -> CellError:
        """Return the cell's error; raise if it has none that a front end and nbclient would see."""
        if self.error is None or self.reply.get("status") != "error":
            raise AssertionError(f"the cell has no real error: {self.reply.get('status')}\n{self.shown}\n{self.stderr}")
        return self.error


class Kernel:
    """A kernel in its own process, home and working directory.

    Args:
        flytenb: whether to load the extension first.
        ipython_config: the text of the profile's `ipython_config.py`.
    """

    def __init__(self, *, flytenb: bool = True, ipython_config: str = "") -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ftk-"))
        if ipython_config:
            profile = self.home / "ipython" / "profile_default"
            profile.mkdir(parents=True)
            (profile / "ipython_config.py").write_text(ipython_config)
        self.cwd = self.home / "work"
        self.cwd.mkdir()
        # Sockets in the own directory: free TCP ports are a race between parallel test workers.
        self._manager = KernelManager(
            kernel_name="python3",
            transport="ipc",
            ip=str(self.home / "s"),
            connection_file=str(self.home / "kernel.json"),
        )
        self._manager.start_kernel(env=self._environment(), cwd=str(self.cwd))
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self._displays: dict[str, list[dict[str, Any]]] = {}
        if flytenb:
            self.run("%load_ext flytenb").ok()
            self.value("__import__('tests.waiting', fromlist=['be_patient']).be_patient()")

    def _environment(self) -> dict[str, str]:
        """An environment in which nothing of the person who runs the tests can be read or written."""
        env = {name: os.environ[name] for name in _ENV_KEPT if name in os.environ}
        (self.home / "tmp").mkdir()
        return env | {
            "HOME": str(self.home),
            "FLYTENB_CACHE": _shared_cache(),
            "TMPDIR": str(self.home / "tmp"),
            "PYTHONPATH": ROOT,
            "IPYTHONDIR": str(self.home / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.home / "jupyter"),
            "JUPYTER_DATA_DIR": str(self.home / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "jupyter"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', os.defpath)}",
        }

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(
        self,
        source: str,
        timeout: float = PATIENCE,
        *,
        interrupt_when: Callable[[], bool] | None = None,
        history: bool = True,
    ) -> Outcome:
        """Run a cell (dedented) and return what it put out; interrupt it once `interrupt_when()` is true."""
        outcome, pending = Outcome(), interrupt_when
        sent = self._client.execute(textwrap.dedent(source).strip("\n"), store_history=True)
        deadline = time.monotonic() + timeout
        while True:
            if pending is not None and pending():
                self.interrupt()
                pending = None
            if time.monotonic() > deadline:
                raise TimeoutError(f"no end after {timeout} s of:\n{source}\nso far:\n{outcome.shown}")
            try:
                message = self._client.get_iopub_msg(timeout=0.05 if pending else 1)
            except queue.Empty:
                if not self._manager.is_alive():
                    raise RuntimeError(f"the kernel died in:\n{source}\nso far:\n{outcome.shown}") from None
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "update_display_data":
                self._update(content)
            if message["parent_header"].get("msg_id") != sent:
                continue
            if kind == "status" and content["execution_state"] == "idle":
                break
            self._collect(outcome.outputs, kind, message)
        outcome.reply = self._reply(sent, timeout)
        return outcome

    def _collect(self, outputs: list[dict[str, Any]], kind: str, message: dict[str, Any]) -> None:
        if kind == "clear_output":
            outputs.clear()
        elif kind in ("stream", "display_data", "execute_result", "error"):
            output = output_from_msg(message)
            outputs.append(output)
            display_id = message["content"].get("transient", {}).get("display_id")
            if display_id:
                self._displays.setdefault(display_id, []).append(output)

    def _update(self, content: dict[str, Any]) -> None:
        """Replace what is shown under a display id, in whichever cell it stands."""
        for output in self._displays.get(content["transient"]["display_id"], []):
            output["data"], output["metadata"] = content["data"], content["metadata"]

    def _reply(self, sent: str, timeout: float) -> dict[str, Any]:
        while True:
            message = self._client.get_shell_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") == sent:
                content: dict[str, Any] = message["content"]
                return content

    def wait_for(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Take in what runs on in the background shows, until the condition holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not so after {timeout} s")
            try:
                message = self._client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                continue
            if message["msg_type"] == "update_display_data":
                self._update(message["content"])

    def value(self, expression: str) -> Any:
        """Return the value of an expression made of literals, evaluated in the notebook without running a cell."""
        sent = self._client.execute("", user_expressions={"value": f"repr({expression})"}, store_history=False)
        answer = self._reply(sent, PATIENCE)["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise AssertionError(f"{expression!r} raised {answer['ename']}: {answer['evalue']}")
        return ast.literal_eval(ast.literal_eval(answer["data"]["text/plain"]))

    def complete(self, line: str) -> list[str]:
        """Return what Tab would offer at the end of the line."""
        sent = self._client.complete(line, len(line))
        matches: list[str] = self._reply(sent, PATIENCE)["matches"]
        return matches

    def interrupt(self) -> None:
        """Do what the stop button does."""
        self._manager.interrupt_kernel()


@cache
def _shared_cache() -> str:
    """One directory for what each kernel would otherwise compile again: the layout engine."""
    directory = tempfile.mkdtemp(prefix="ftk-cache-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


@contextmanager
def stock_kernel() -> Iterator[Kernel]:
    """A kernel with flytekit and without flytenb: without any patch."""
    with Kernel(flytenb=False) as kernel:
        kernel.run("import flytekit")
        yield kernel


def executed(notebook: NotebookNode, folder: Path, **options: Any) -> NotebookNode:
    """Run a notebook in a folder by nbclient, as a page is published; its sockets are files, as above."""
    config = Config({"KernelManager": {"transport": "ipc", "ip": str(folder / "kernel")}})
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, startup_timeout=PATIENCE, config=config, resources=resources, **options)
    return client.execute()


def code_cells(document: Path = DOCUMENT) -> list[str]:
    """The code cells of a MyST notebook, as written."""
    return re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", document.read_text(), flags=re.M | re.S)
