"""flytekit's own local run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cells
from clusters import register
from editing import Cells
from editing import resume as edited
from flows import all_at_once, chain, count_odd, make_points, mapped, nap, points_through
from fresh import filled, in_fresh_process, with_flytekit
from serving import serve
from shell import define


def dataclasses_cross(size: int) -> Callable[[], Any]:
    points = make_points(size)
    return lambda: points_through(points=points)


def frames(size: int) -> Callable[[], Any]:
    from big_flows import frame_through, make_frame

    frame = make_frame(size)
    return lambda: [frame_through(frame=frame), float(frame.iloc[0, 0])]


def arrays(size: int) -> Callable[[], Any]:
    from big_flows import array_through, make_array

    array = make_array(size)
    return lambda: [array_through(array=array), float(array[0])]


def map_models(size: int) -> Callable[[], Any]:
    from models import make_readings, moved

    readings = make_readings(size)
    return lambda: moved(readings=readings)


def cache_key(size: int) -> Callable[[], Any]:
    """As flytekit's cached call does: to a literal, then the key of the literal."""
    from big_flows import make_frame, rows_of
    from flytekit import FlyteContextManager
    from flytekit.core.local_cache import _calculate_cache_key
    from flytekit.core.type_engine import TypeEngine

    context = FlyteContextManager.current_context()

    def key(frame: Any) -> str:
        literals = TypeEngine.dict_to_literal_map(context, {"frame": frame}, {"frame": type(frame)})
        return str(_calculate_cache_key(rows_of.name, "1", literals))

    first, other = make_frame(size), key(make_frame(size))
    return lambda: key(first) == other


def resume(size: int) -> Callable[[], Any]:
    """It can't resume: each run is a whole one, and the workflow is compiled again by hand."""

    def again(chain: Cells) -> Callable[[], int]:
        lines = "".join(f"    x = t{n}(x=x)\n" for n in range(1, size + 1))

        def run() -> int:
            chain.run(f"@workflow\ndef wf(x: int) -> int:\n{lines}    return x\n")
            return int(chain.wf(x=0))

        return run

    return edited(size, "from flytekit import task, workflow", "@task\n", again)


serve(
    chain=lambda size: lambda: chain(size)(x=0),
    fan_out=lambda size: lambda: all_at_once(size, nap)(x=0),
    cpu=lambda size: lambda: all_at_once(size, count_odd)(x=0),
    map_tasks=lambda size: lambda: mapped(xs=list(range(size))),
    map_models=map_models,
    frames=frames,
    arrays=arrays,
    dataclasses_cross=dataclasses_cross,
    cache_same=filled(with_flytekit),
    cache_fresh=in_fresh_process("flytekit"),
    cache_key=cache_key,
    resume=resume,
    define=define(load_it=""),
    load=cells.load("import flytekit", '"flytekit" in __import__("sys").modules'),
    first_draw=cells.first_draw("import flytekit", "print(len(layers.nodes))"),
    memory=cells.memory("import flytekit", "adds(x=0)"),
    register_cells=register("", "made = remote.register_workflow(steps)", "made.id.name", "made.id.version"),
)
