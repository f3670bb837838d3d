"""A notebook kernel of one's own that runs cells, for what can only be measured in one."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Self

import psutil
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager


class Kernel:
    """An ipykernel in the environment of this side, started and ready; a front end that may show widgets is told of."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp())
        self._manager = KernelManager(
            kernel_name="python3",
            transport="ipc",
            ip=str(self._home / "s"),
            connection_file=str(self._home / "kernel.json"),
        )
        self._manager.start_kernel()
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def cpu_seconds(self) -> float:
        """The processor time that it and the processes that it has started have taken."""
        own = psutil.Process(self._manager.provisioner.pid)
        taken = [process.cpu_times() for process in (own, *own.children(recursive=True))]
        return sum(times.user + times.system + times.children_user + times.children_system for times in taken)

    def run(self, cell: str) -> tuple[str, list[dict[str, Any]]]:
        """Run a cell; return what it printed and the bundles that it displayed, after their updates.

        Raises:
            RuntimeError: if the cell failed.
        """
        printed: list[str] = []
        bundles: dict[str, dict[str, Any]] = {}

        def take(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            elif message["msg_type"] in ("display_data", "update_display_data", "execute_result"):
                name = content.get("transient", {}).get("display_id") or message["header"]["msg_id"]
                bundles[name] = content["data"]

        reply = self._client.execute_interactive(cell, output_hook=take, timeout=600)["content"]
        if reply["status"] != "ok":
            raise RuntimeError(f"{reply.get('ename')}: {reply.get('evalue')}")
        return "".join(printed), list(bundles.values())
