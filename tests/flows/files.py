"""Files and a directory from task to task, one with its format in the type."""

from pathlib import Path

import flytekit
from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

Csv = FlyteFile["csv"]


@task
def write(rows: int) -> Csv:
    path = Path(flytekit.current_context().working_directory) / "rows.csv"
    path.write_text("".join(f"{i},{i * i}\n" for i in range(rows)))
    return Csv(str(path))


@task
def split(table: Csv) -> FlyteDirectory:
    folder = Path(flytekit.current_context().working_directory) / "rows"
    folder.mkdir()
    for i, line in enumerate(Path(table).read_text().splitlines()):
        (folder / f"{i}.txt").write_text(line)
    return FlyteDirectory(str(folder))


@task
def count(folder: FlyteDirectory) -> int:
    return len(list(Path(folder.download()).iterdir()))


@workflow
def files(rows: int) -> int:
    return count(folder=split(table=write(rows=rows)))


ENTITY = files
INPUTS = {"rows": 3}
EXPECTED = 3
