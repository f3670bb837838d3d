"""A `julia` program: that of this machine, else one in the image of `make demo-languages`."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.images import root_of


@cache
def julia_folder() -> str:
    """Return the folder of the program."""
    found = shutil.which("julia")
    if found:
        return str(Path(found).parent)
    root, programs = root_of("julia"), Path(tempfile.mkdtemp(prefix="julia-program-"))
    program = programs / "julia"
    # The folder of the cell's files; a worker's temporary directory is another one.
    program.write_text(
        "#!/bin/sh\nfolder=${FLYTENB_INPUTS%/*}\n"
        f'exec bwrap --bind \'{root}\' / --bind "$folder" "$folder" --dev /dev --proc /proc '
        '/usr/bin/julia "$@"\n'
    )
    program.chmod(0o755)
    return str(programs)
