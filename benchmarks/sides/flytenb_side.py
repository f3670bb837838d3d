"""flytenb, with its events and its checks of types on, as in a notebook."""

import path  # noqa: F401
from flows import chain, fan_out, points
from side import serve

import flytenb

serve(
    chain=lambda size: lambda: flytenb.run(chain(size), x=0).result,
    fan_out=lambda size: lambda: flytenb.options(workers=size).run(fan_out(size), x=0).result,
    dataclasses_cross=lambda size: lambda: flytenb.run(points, n=size).result,
)
