"""An operator of Airflow as a task."""

from airflow.operators.bash import BashOperator
from flytekit import task, workflow


@task
def words(n: int) -> str:
    return "hello " * n


@workflow
def greeted(n: int) -> str:
    greeting = words(n=n)
    BashOperator(task_id="greet", bash_command="echo hello")
    return greeting


ENTITY = greeted
INPUTS = {"n": 2}
EXPECTED = "hello hello "
