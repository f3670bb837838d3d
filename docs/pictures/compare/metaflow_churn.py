"""The compared pipeline in Metaflow: a map is a foreach, a branch a transition with a condition."""

from metaflow import FlowSpec, Parameter, card, resources, retry, step


class Churn(FlowSpec):
    day = Parameter("day", default="2026-01-01")
    trees = Parameter("trees", default=200)
    scale = 0.5
    share = 0.8

    @card
    @step
    def start(self):
        self.next(self.load_users, self.load_events)

    @step
    def load_users(self):
        self.users = [self.day]
        self.next(self.join)

    @step
    def load_events(self):
        self.events = [self.day]
        self.next(self.join)

    @step
    def join(self, inputs):
        self.parts = inputs.load_users.users + inputs.load_events.events
        self.next(self.each_part)

    @step
    def each_part(self):
        self.next(self.features, foreach="parts")

    @retry(times=2)
    @resources(memory=8192)
    @step
    def features(self):
        self.row = len(self.input) * self.scale
        self.next(self.collect)

    @step
    def collect(self, inputs):
        self.rows = [each.row for each in inputs]
        self.next(self.split)

    @step
    def split(self):
        self.train, self.test = self.rows[: int(self.share * len(self.rows))], self.rows
        self.next(self.train_forest, self.train_linear)

    @step
    def train_forest(self):
        self.forest = "forest"
        self.next(self.pick)

    @step
    def train_linear(self):
        self.linear = "linear"
        self.next(self.pick)

    @step
    def pick(self, inputs):
        self.model, self.auc = inputs.train_forest.forest, 0.9
        self.next(self.decide)

    @step
    def decide(self):
        self.quality = "good" if self.auc > 0.8 else "bad"
        self.next({"good": self.publish, "bad": self.report}, condition="quality")

    @step
    def publish(self):
        self.published = self.model
        self.next(self.end)

    @step
    def report(self):
        self.reported = str(self.auc)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Churn()
