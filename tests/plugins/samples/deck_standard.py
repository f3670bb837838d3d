"""Decks of a frame as a table and a box plot, and of a picture, made in a task."""

import flytekit
import pandas as pd
from flytekit import Deck, task, workflow
from flytekitplugins.deck.renderer import BoxRenderer, ImageRenderer, TableRenderer
from PIL import Image


@task(enable_deck=True)
def report(count: int) -> dict[str, str]:
    frame = pd.DataFrame({"n": range(count)})
    Deck("table", TableRenderer().to_html(frame, header_labels=["number"]))
    Deck("box", BoxRenderer("n").to_html(frame))
    Deck("picture", ImageRenderer().to_html(Image.new("RGB", (count, 1))))
    return {deck.name: deck.html for deck in flytekit.current_context().decks[-3:]}


@workflow
def decks(count: int) -> dict[str, str]:
    return report(count=count)


def check(run) -> None:
    shown = run.result
    assert "<th>number</th>" in shown["table"]
    assert "plotly" in shown["box"]
    assert "data:image/png;base64," in shown["picture"]


ENTITY = decks
INPUTS = {"count": 4}
