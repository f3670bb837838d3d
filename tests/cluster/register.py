"""Register entities of a module with plain flytekit, as a user's script does: `ENDPOINT FOLDER MODULE VERSION NAME…`.

The module is imported here only, so that its launch plans don't meet those of the tests.
"""

from __future__ import annotations

import importlib
import sys

from flytekit.configuration import Config
from flytekit.remote import FlyteRemote


def main(endpoint: str, folder: str, module: str, version: str, *names: str) -> None:
    sys.path.insert(0, folder)
    imported = importlib.import_module(module)
    config = Config.for_endpoint(endpoint, insecure=True)
    remote = FlyteRemote(config, "flytesnacks", "development", interactive_mode_enabled=False)
    for name in names:
        remote.register_script(getattr(imported, name), source_path=folder, module_name=module, version=version)


if __name__ == "__main__":
    main(*sys.argv[1:])
