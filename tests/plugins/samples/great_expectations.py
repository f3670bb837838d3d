"""A check of a file by Great Expectations."""

from flytekit import kwtypes, workflow
from flytekitplugins.great_expectations import GreatExpectationsTask

validate = GreatExpectationsTask(
    name="validate",
    datasource_name="data",
    inputs=kwtypes(dataset=str),
    expectation_suite_name="trips",
    data_connector_name="files",
)


@workflow
def validated(dataset: str) -> None:
    validate(dataset=dataset)


ENTITY = validated
