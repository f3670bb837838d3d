"""Makes `side` importable for the scripts in this folder, whichever environment they run in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
