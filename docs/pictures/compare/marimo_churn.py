"""The compared pipeline in marimo: a map is a loop in a cell, a case of a branch a cell that stops itself."""

import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    return (mo,)


@app.cell
def day():
    day = "2026-01-01"
    return (day,)


@app.cell
def trees():
    trees = 200
    return (trees,)


@app.cell
def load_users(day):
    users = [day]
    return (users,)


@app.cell
def load_events(day):
    events = [day]
    return (events,)


@app.cell
def join(events, users):
    parts = users + events
    return (parts,)


@app.cell
def features(parts):
    rows = [len(part) * 0.5 for part in parts]
    return (rows,)


@app.cell
def split(rows):
    train = rows[: int(0.8 * len(rows))]
    test = rows
    return test, train


@app.cell
def train_forest(train, trees):
    forest = f"{trees} trees of {len(train)} rows"
    return (forest,)


@app.cell
def train_linear(train):
    linear = f"a line through {len(train)} rows"
    return (linear,)


@app.cell
def pick(forest, linear, test):
    model = max(forest, linear, key=len)
    auc = 0.9 if test else 0.0
    return auc, model


@app.cell
def publish(auc, mo, model):
    mo.stop(auc <= 0.8)
    published = model
    return (published,)


@app.cell
def report(auc, mo):
    mo.stop(auc > 0.8)
    reported = str(auc)
    return (reported,)


if __name__ == "__main__":
    app.run()
