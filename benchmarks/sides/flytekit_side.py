"""flytekit's own local run."""

import path  # noqa: F401
from flows import chain, fan_out, points
from side import serve

serve(
    chain=lambda size: lambda: chain(size)(x=0),
    fan_out=lambda size: lambda: fan_out(size)(x=0),
    dataclasses_cross=lambda size: lambda: points(n=size),
)
