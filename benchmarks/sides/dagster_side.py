"""Dagster's job in this process: one op after the other, values kept in memory."""

import time
from dataclasses import dataclass
from typing import Any

from dagster import GraphDefinition, In, Int, Out, job, mem_io_manager, op
from serving import serve


@dataclass
class Point:
    x: float
    name: str


@op(ins={"x": In(Int)}, out=Out(Int))
def add_one(x):
    return x + 1


@op(out=Out(Int))
def zero():
    return 0


@op(out=Out(Int))
def nap():
    time.sleep(0.1)
    return 1


@op(out=Out(Int))
def total(xs: list):
    return sum(xs)


@op
def move_points(points):
    return [Point(p.x + 1, p.name) for p in points]


@op
def sum_points(points):
    return sum(p.x for p in points)


def run(made: GraphDefinition, last: str) -> Any:
    done = made.execute_in_process()
    return done.output_for_node(last)


def chain(size: int) -> Any:
    @job(resource_defs={"io_manager": mem_io_manager})
    def adds():
        x = zero()
        for i in range(size):
            x = add_one.alias(f"n{i}")(x)

    return lambda: run(adds, f"n{size - 1}")


def fan_out(size: int) -> Any:
    @job(resource_defs={"io_manager": mem_io_manager})
    def naps():
        total([nap.alias(f"n{i}")() for i in range(size)])

    return lambda: run(naps, "total")


def dataclasses_cross(size: int) -> Any:
    made = [Point(float(i), f"p{i}") for i in range(size)]

    @op
    def given():
        return made

    @job(resource_defs={"io_manager": mem_io_manager})
    def points():
        sum_points(move_points(given()))

    return lambda: run(points, "sum_points")


serve(chain=chain, fan_out=fan_out, dataclasses_cross=dataclasses_cross)
