"""A run of a dbt project."""

from flytekit import workflow
from flytekitplugins.dbt.schema import DBTRunInput, DBTRunOutput
from flytekitplugins.dbt.task import DBTRun

run_models = DBTRun(name="models")


@workflow
def built() -> DBTRunOutput:
    return run_models(input=DBTRunInput(project_dir="flights", profiles_dir="flights", profile="flights"))


ENTITY = built
