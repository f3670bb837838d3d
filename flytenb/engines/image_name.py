"""Names of images."""

from __future__ import annotations

import re

from flytenb.errors import ContainerError

_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?:(?P<host>localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+(?=:\d))(?P<port>:\d+)?/)?"
    rf"(?P<path>{_PART}(?:/{_PART})*)"
    r"(?P<tag>:\w[\w.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_ID = re.compile("sha256:[0-9a-f]{64}")
"""The grammar of `distribution/reference`."""


def full_name(image: str) -> str:
    """Return an image's name with its registry and tag: `docker.io/library/busybox:latest` for `busybox`.

    Raises:
        ContainerError: if it isn't the name of an image.
    """
    if _ID.fullmatch(image):
        return image
    found = _NAME.fullmatch(image)
    if found is None:
        raise ContainerError(
            f"expected the name of an image, got {image!r}",
            hint="as in 'python:3.12' or 'registry.example/team/tool:1'",
        )
    host, path = found["host"], found["path"]
    if host is None:
        host, path = "docker.io", path if "/" in path else f"library/{path}"
    tag = found["tag"] or ("" if found["digest"] else ":latest")
    return f"{host}{found['port'] or ''}/{path}{tag}{found['digest'] or ''}"


def is_by_digest(image: str) -> bool:
    """Tell whether a name identifies the content of an image."""
    return "sha256:" in image
