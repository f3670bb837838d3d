"""Run the double by itself: `python -m tests.cluster FOLDER [PORT]`; it prints its endpoint and ends with its input."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cluster.cluster import start_cluster

if __name__ == "__main__":
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with start_cluster(Path(sys.argv[1]).resolve(), port=port) as cluster:
        print(cluster.endpoint, flush=True)
        sys.stdin.read()
