"""Every workload, one after the other, with the same command line as each of them."""

import sys

import arrays
import cache_fresh
import cache_key
import cache_same
import chain
import container_bubblewrap
import container_docker
import container_r
import cpu
import dataclasses_cross
import define
import draw
import draw_folded
import fan_out
import first_draw
import frames
import kept_fresh
import layout
import layout_names
import live
import load
import look
import map_models
import map_tasks
import memory
import memory_shown
import page
import register_cells
import resume
import saved
import saved_runs
from workload import main

WORKLOADS = (
    chain.WORKLOAD,
    fan_out.WORKLOAD,
    map_tasks.WORKLOAD,
    map_models.WORKLOAD,
    cpu.WORKLOAD,
    frames.WORKLOAD,
    arrays.WORKLOAD,
    dataclasses_cross.WORKLOAD,
    container_bubblewrap.WORKLOAD,
    container_docker.WORKLOAD,
    container_r.WORKLOAD,
    cache_same.WORKLOAD,
    cache_fresh.WORKLOAD,
    cache_key.WORKLOAD,
    kept_fresh.WORKLOAD,
    resume.WORKLOAD,
    define.WORKLOAD,
    look.WORKLOAD,
    load.WORKLOAD,
    first_draw.WORKLOAD,
    draw.WORKLOAD,
    draw_folded.WORKLOAD,
    layout.WORKLOAD,
    layout_names.WORKLOAD,
    live.WORKLOAD,
    page.WORKLOAD,
    memory.WORKLOAD,
    memory_shown.WORKLOAD,
    register_cells.WORKLOAD,
    saved.WORKLOAD,
    saved_runs.WORKLOAD,
)

if __name__ == "__main__":
    sys.exit(main(*WORKLOADS))
