"""Tasks with a local Spark session, two of which don't wait for each other, and a frame of Spark handed on."""

import flytekit
import pyspark.sql
from flytekit import task, workflow
from flytekitplugins.spark import Spark


@task(task_config=Spark(spark_conf={"spark.driver.memory": "512m", "spark.ui.enabled": "false"}))
def make(count: int) -> pyspark.sql.DataFrame:
    return flytekit.current_context().spark_session.range(count)


@task(task_config=Spark())
def total(frame: pyspark.sql.DataFrame) -> int:
    return frame.groupBy().sum("id").collect()[0][0]


@workflow
def totals(count: int) -> tuple[int, int]:
    return total(frame=make(count=count)), total(frame=make(count=3))


ENTITY = totals
INPUTS = {"count": 5}
EXPECTED = (0 + 1 + 2 + 3 + 4, 0 + 1 + 2)
