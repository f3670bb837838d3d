"""Flows of each construct, registered as a user's module would be; it is copied, so it imports nothing of the tests."""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads
from typing import NamedTuple

from flytekit import (
    ContainerTask,
    LaunchPlan,
    approve,
    conditional,
    current_context,
    dynamic,
    eager,
    kwtypes,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.types.error.error import FlyteError
from flytekit.types.file import FlyteFile


class Sums(NamedTuple):
    total: int
    chosen: int


@task
def double(n: int) -> int:
    return 2 * n


@task
def total(ns: list[int]) -> int:
    return sum(ns)


@workflow
def inner(n: int) -> int:
    return double(n=double(n=n))


@workflow
def branches(n: int = 3) -> Sums:
    first = double(n=n)
    second = inner(n=first)
    chosen = conditional("size").if_(second > 100).then(double(n=n)).else_().then(total(ns=[first, second]))
    return Sums(second, chosen)


plan = LaunchPlan.get_or_create(inner, "pipeline.plan", default_inputs={"n": 5})


@workflow
def launches() -> int:
    return plan()


@dynamic
def fan_out(n: int) -> int:
    return total(ns=[double(n=i) for i in range(n)])


@workflow
def dynamics(n: int) -> int:
    return fan_out(n=n)


@task
def odd(n: int) -> int:
    if n % 2 == 0:
        raise ValueError(f"{n} is even")
    return n


@workflow
def maps(ns: list[int]) -> list[int | None]:
    return map_task(odd, min_success_ratio=0.5)(n=ns)


@workflow
def strict_maps(ns: list[int]) -> list[int]:
    return map_task(odd)(n=ns)


@workflow
def gates() -> int:
    given = wait_for_input("give-n", timeout=timedelta(hours=1), expected_type=int)
    sleep(timedelta(milliseconds=1))
    return double(n=approve(double(n=given), "look-at-it", timeout=timedelta(hours=1)))


@task
def clean(n: int, err: FlyteError | None = None) -> None:
    assert err is not None
    Path(os.environ["HOME"], "cleaned").write_text(f"{err.failed_node_id} {err.message}")


@workflow(on_failure=clean)
def handled(n: int) -> int:
    return double(n=odd(n=n))


@task(retries=2)
def third_time(n: int) -> int:
    if int(os.environ["FLYTE_ATTEMPT_NUMBER"]) < 2:
        raise FlyteRecoverableException("not yet")
    return n


@task
def die(n: int) -> int:
    if n:
        os._exit(n)
    return n


@task(timeout=timedelta(seconds=1))
def wait_forever(n: int) -> int:
    Event().wait()
    return n


@workflow
def waits(n: int) -> int:
    return wait_forever(n=n)


@task(cache=True, cache_version="1")
def remembered(n: int) -> int:
    return n + 1


@workflow
def remembers(n: int) -> int:
    return double(n=remembered(n=n))


@eager
async def eagerly(n: int) -> int:
    return inner(n=n)


@task(enable_deck=True)
def write(text: str) -> FlyteFile:
    file = Path(current_context().working_directory, "text")
    file.write_text(text)
    return FlyteFile(str(file))


shout = ContainerTask(
    name="pipeline.shout",
    image="busybox",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(text=str),
    outputs=kwtypes(loud=str),
    command=["/bin/sh", "-c", "tr a-z A-Z < /var/inputs/text > /var/outputs/loud; echo {{.inputs.text}}"],
)


@workflow
def shouts(text: str) -> str:
    return shout(text=text)


@workflow
def recovers(n: int) -> int:
    return third_time_lucky(n=double(n=n))


@task
def third_time_lucky(n: int) -> int:
    mark = Path(os.environ["MARK"])
    if not mark.exists():
        mark.touch()
        raise ValueError("the first execution fails")
    return n


@task
def surroundings() -> str:
    threads = [thread.name for thread in enumerate_threads() if not thread.daemon]
    paths = [str(Path(path).resolve()) for path in sys.path]
    found = [sys.argv, paths, dict(os.environ), str(Path.cwd()), os.getsid(0) == os.getpgrp(), threads]
    return json.dumps(found)
