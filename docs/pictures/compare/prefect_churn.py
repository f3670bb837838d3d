"""The compared pipeline in Prefect, which draws a run: a map is a run for each part, a branch Python's `if`."""

from prefect import flow, task, unmapped


@task
def load_users(day: str) -> list[str]:
    return [day]


@task
def load_events(day: str) -> list[str]:
    return [day]


@task
def join(users: list[str], events: list[str]) -> list[str]:
    return users + events


@task(retries=2)
def features(part: str, scale: float) -> float:
    return len(part) * scale


@task
def split(rows: list[float], share: float) -> tuple[list[float], list[float]]:
    return rows[: int(share * len(rows))], rows


@task
def train_forest(rows: list[float], trees: int) -> str:
    return "forest"


@task
def train_linear(rows: list[float]) -> str:
    return "linear"


@task
def pick(forest: str, linear: str, rows: list[float]) -> tuple[str, float]:
    return forest, 0.9


@task
def publish(model: str) -> str:
    return model


@task
def report(auc: float) -> str:
    return str(auc)


@flow
def churn(day: str = "2026-01-01", trees: int = 200) -> str:
    parts = join.submit(load_users.submit(day), load_events.submit(day))
    rows = features.map(parts, scale=unmapped(0.5))
    train, test = split.submit(rows, 0.8).result()
    model, auc = pick.submit(train_forest.submit(train, trees), train_linear.submit(train), test).result()
    return publish.submit(model).result() if auc > 0.8 else report.submit(auc).result()


if __name__ == "__main__":
    churn()
