"""Install each peer of the benchmarks into an environment of its own: none decides what another depends on."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PEERS = {
    "hamilton": ["sf-hamilton[visualization]"],
    "dask": ["dask"],
    "redun": ["redun"],
    "dagster": ["dagster"],
    "prefect": ["prefect", "fastapi<0.120"],  # its server uses arguments that later ones dropped
    "joblib": ["joblib", "pandas"],
    "cachier": ["cachier"],
    "pipefunc": ["pipefunc"],
    "flyte": ["flyte"],
}
NODE_PEERS = {"layouts": ["elkjs@0.12", "@dagrejs/dagre@3"]}
"""What npm installs."""


def install(name: str, folder: Path) -> None:
    """Make `folder/name` with the peer in it; what is there already stays."""
    if name in NODE_PEERS:
        if shutil.which("npm") is None:
            print(f"{name} needs npm, which isn't installed")
            return
        subprocess.run(["npm", "install", "--silent", "--prefix", str(folder / name), *NODE_PEERS[name]], check=True)
        return
    python = folder / name / "bin" / "python"
    if not python.exists():
        venv.create(folder / name, with_pip=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)


def main() -> int:
    """Install the peers that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="*", help=f"of {', '.join((*PEERS, *NODE_PEERS))}; default: all")
    parser.add_argument("--to", type=Path, default=Path(".venvs"))
    options = parser.parse_args()
    if unknown := set(options.peers) - {*PEERS, *NODE_PEERS}:
        parser.error(f"no peer {', '.join(sorted(unknown))}")
    for name in options.peers or (*PEERS, *NODE_PEERS):
        print(f"installing {name} into {options.to / name}")
        install(name, options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
