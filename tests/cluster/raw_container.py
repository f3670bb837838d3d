"""Raw containers: the command runs on this machine, and co-pilot carries its files.

The paths of the inputs and outputs in the command are replaced by those on this machine; a program also finds them in
`FLYTENB_INPUTS` and `FLYTENB_OUTPUTS`, as with the package's engine for this machine.
"""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

from flyteidl.core import interface_pb2 as iface
from flyteidl.core import literals_pb2 as lit
from flyteidl.core import tasks_pb2
from flyteidl.core import types_pb2 as typ

from tests import copilot
from tests.cluster.failure import SYSTEM, USER, Failure


class DataFolders:
    """Where a raw container reads and writes."""

    def __init__(self, root: Path, config: tasks_pb2.DataLoadingConfig) -> None:
        self._config = config
        self.inputs, self.outputs = root / "inputs", root / "outputs"

    def prepare(self, inputs: lit.LiteralMap) -> None:
        self.inputs.mkdir(parents=True)
        self.outputs.mkdir()
        copilot.download(inputs, self.inputs)
        (self.inputs / "inputs.pb").write_bytes(inputs.SerializeToString())
        if self._config.format == tasks_pb2.DataLoadingConfig.JSON:
            found = copilot.inputs_json(inputs, self._config.input_path)
            (self.inputs / "inputs.json").write_text(json.dumps(found))

    def localized(self, words: list[str]) -> list[str]:
        for path, here in ((self._config.input_path, self.inputs), (self._config.output_path, self.outputs)):
            words = [word.replace(path, str(here)) for word in words] if path else words
        return words

    @property
    def variables(self) -> dict[str, str]:
        return {"FLYTENB_INPUTS": str(self.inputs), "FLYTENB_OUTPUTS": str(self.outputs)}

    def upload(self, variables: iface.VariableMap, raw_prefix: str) -> lit.LiteralMap:
        """Return the outputs; files are copied to the prefix of raw data."""
        try:
            found = copilot.upload(variables, self.outputs)
        except copilot.CopilotError as error:
            raise Failure("OutputUploadFailed", str(error), 0, is_retryable=True) from error
        for name, literal in found.items():
            if literal.scalar.HasField("blob"):
                literal.scalar.blob.uri = self._moved(name, literal.scalar.blob, f"{raw_prefix}/{name}")
        return lit.LiteralMap(literals=found)

    def _moved(self, name: str, blob: lit.Blob, target: str) -> str:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        if blob.metadata.type.dimensionality == typ.BlobType.MULTIPART:
            shutil.copytree(self.outputs / name, target)
        else:
            shutil.copyfile(blob.uri, target)
        return target


def exit_failure(name: str, status: int, output: str) -> Failure:
    """Return the failure of a container beside which co-pilot runs: the user's, unless it was killed."""
    kind = SYSTEM if status == 128 + signal.SIGKILL else USER
    words = f"[{name}] terminated with exit code ({status}). Reason [Error]. Message: \n{output}."
    return Failure("Error", words, kind, is_retryable=True)
