"""flytenb with its default settings: events and checks of types on, values isolated, as in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boxes
import cells
import pages
from clusters import register
from editing import Cells
from editing import resume as edited
from flows import all_at_once, chain, count_odd, layered, make_points, mapped, nap, points_through, tasks_of_their_own
from fresh import filled, in_fresh_process, with_flytenb
from serving import serve
from shell import define

import flytenb
import notebooks

wide = flytenb.options(workers=16)


def dataclasses_cross(size: int) -> Callable[[], Any]:
    points = make_points(size)
    return lambda: flytenb.run(points_through, points=points).result


def frames(size: int) -> Callable[[], Any]:
    from big_flows import frame_through, make_frame

    frame = make_frame(size)
    return lambda: [flytenb.run(frame_through, frame=frame).result, float(frame.iloc[0, 0])]


def arrays(size: int) -> Callable[[], Any]:
    from big_flows import array_through, make_array

    array = make_array(size)
    return lambda: [flytenb.run(array_through, array=array).result, float(array[0])]


def map_models(size: int) -> Callable[[], Any]:
    from models import make_readings, moved

    readings = make_readings(size)
    return lambda: flytenb.run(moved, readings=readings).result


def cache_key(size: int) -> Callable[[], Any]:
    from big_flows import make_frame, rows_of

    from flytenb.bridge.workflow.policy import task_policy
    from flytenb.cache.task_cache import TaskCache

    cache = TaskCache(rows_of, task_policy(rows_of))
    first, other = make_frame(size), cache.key({"frame": make_frame(size)})
    return lambda: cache.key({"frame": first}) == other


def look(size: int) -> Callable[[], Any]:
    from flytenb.session import Session

    session, workflow = Session(), tasks_of_their_own(size)
    nodes = flytenb.run(workflow, x=1).nodes.values()
    notebook = {"workflow": workflow, **{f"task_{n}": node.entity for n, node in enumerate(nodes)}}
    session.update(notebook, 1, "")
    before = session.code.now(workflow)

    def after_a_cell() -> bool:
        session.update(notebook, 2, "")
        return session.code.now(workflow) is before

    return after_a_cell


def resume(size: int) -> Callable[[], Any]:
    def again(chain: Cells) -> Callable[[], int]:
        lines = "".join(f"    x = t{n}(x=x)\n" for n in range(1, size + 1))
        chain.run(f"@workflow\ndef wf(x: int) -> int:\n{lines}    return x\n")
        runs: list[Any] = [flytenb.run(chain.wf, x=0)]

        def run() -> int:
            runs[:] = [flytenb.run(chain.wf, x=0, resume=runs[0])]
            return int(runs[0].result)

        return run

    return edited(size, "from flytekit import task, workflow", "@task\n", again)


def draw(size: int) -> Callable[[], Any]:
    from flytenb.render.drawing import Drawing

    workflow = layered(size)
    return lambda: cells.count_tasks(Drawing(flytenb.graph(workflow), is_folding=False).svg)


def draw_folded(size: int) -> Callable[[], Any]:
    from flytenb.render.folding import is_readable

    workflow = layered(size)
    workflow.compile()

    def once() -> bool:
        drawing = flytenb.draw(workflow)
        return "<svg" in drawing.svg and is_readable(drawing.graph)

    return once


def layout(size: int) -> Callable[[], Any]:
    from layouts import measured

    return measured(None)(size)


serve(
    chain=lambda size: lambda: flytenb.run(chain(size), x=0).result,
    fan_out=lambda size: lambda: wide.run(all_at_once(size, nap), x=0).result,
    cpu=lambda size: lambda: flytenb.options(processes=True).run(all_at_once(size, count_odd), x=0).result,
    map_tasks=lambda size: lambda: wide.run(mapped, xs=list(range(size))).result,
    map_models=map_models,
    frames=frames,
    arrays=arrays,
    dataclasses_cross=dataclasses_cross,
    container_bubblewrap=boxes.flytenb_bubblewrap,
    container_docker=boxes.flytenb_docker,
    container_r=boxes.flytenb_r,
    cache_same=filled(with_flytenb),
    cache_fresh=in_fresh_process("flytenb"),
    kept_fresh=in_fresh_process("kept"),
    cache_key=cache_key,
    resume=resume,
    define=define(load_it="%load_ext flytenb"),
    look=look,
    load=cells.load("%load_ext flytenb", '"flytenb" in get_ipython().extension_manager.loaded'),
    first_draw=cells.first_draw("%load_ext flytenb", "%flyte draw layers"),
    draw=draw,
    draw_folded=draw_folded,
    layout=layout,
    layout_names=layout,
    live=cells.live(is_loaded=True),
    page=pages.page("flytenb"),
    memory=cells.memory("import flytenb", "flytenb.run(adds, x=0).result"),
    memory_shown=cells.memory("%load_ext flytenb\nimport flytenb", "flytenb.run(adds, x=0).result"),
    register_cells=register(
        "%load_ext flytenb\nimport flytenb",
        "made = cluster.register(steps)",
        "made.name",
        "made.version",
        "cluster = flytenb.cluster(config)",
    ),
    saved=notebooks.saved,
    saved_runs=notebooks.saved_runs,
)
