"""The compared pipeline for the webserver of Dagster: a map is a dynamic output, a branch two optional outputs."""

from dagster import Definitions, DynamicOut, DynamicOutput, Out, Output, job, op


@op
def load_users(day: str) -> list[str]:
    return [day]


@op
def load_events(day: str) -> list[str]:
    return [day]


@op(out=DynamicOut(str))
def join(users: list[str], events: list[str]):
    for number, part in enumerate(users + events):
        yield DynamicOutput(part, mapping_key=str(number))


@op(config_schema={"scale": float})
def features(part: str) -> float:
    return len(part) * 0.5


@op(out={"train": Out(list[float]), "test": Out(list[float])}, config_schema={"share": float})
def split(rows: list[float]):
    return rows[: int(0.8 * len(rows))], rows


@op
def train_forest(rows: list[float], trees: int) -> str:
    return "forest"


@op
def train_linear(rows: list[float]) -> str:
    return "linear"


@op(out={"good": Out(str, is_required=False), "bad": Out(float, is_required=False)})
def pick(forest: str, linear: str, rows: list[float]):
    yield Output(forest, "good")


@op
def publish(model: str) -> str:
    return model


@op
def report(auc: float) -> str:
    return str(auc)


@job
def churn():
    rows = join(load_users(), load_events()).map(features).collect()
    train, test = split(rows)
    good, bad = pick(train_forest(train), train_linear(train), test)
    publish(good)
    report(bad)


definitions = Definitions(jobs=[churn])
