"""The file system that reads and writes `s3://` paths."""

import fsspec
from flytekit import task, workflow


@task
def system(name: str) -> str:
    return fsspec.get_filesystem_class(name).__module__


@workflow
def systems(name: str) -> str:
    return system(name=name)


ENTITY = systems
INPUTS = {"name": "s3"}
EXPECTED = "flytekitplugins.async_fsspec.s3fs.s3fs"
