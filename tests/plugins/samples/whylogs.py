"""A profile of a frame handed on."""

import pandas as pd
import whylogs as why
from flytekit import task, workflow
from whylogs.core import DatasetProfileView


@task
def profile(count: int) -> DatasetProfileView:
    return why.log(pandas=pd.DataFrame({"n": range(count)})).view()


@task
def counted(view: DatasetProfileView) -> int:
    return int(view.get_column("n").get_metric("counts").n.value)


@workflow
def profiled(count: int) -> int:
    return counted(view=profile(count=count))


ENTITY = profiled
INPUTS = {"count": 4}
EXPECTED = 4
