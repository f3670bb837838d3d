"""The live view in a real Notebook 7: live while the cell runs, answers clicks, freezes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Notebook
from tests.browser.test_lab import DEFINE, WIDGET, let_go, outputs

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def server() -> Iterator[Lab]:
    server = Lab("notebook")
    yield server
    (server.folder / "go").touch()
    server.stop()


def test_a_run_is_live_answers_and_stays(server: Lab, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    nb = Notebook(server, page, server.write("one", DEFINE, "run = %flyte run two(x=3)")).open()
    nb.run_all()
    live = nb.live(1)
    expect(live.node("n1")).to_have_attribute("data-phase", "RUNNING")
    live.node("n0").click()
    expect(live.inspector).to_contain_text("first says 3")
    let_go(nb)
    nb.wait_until_idle()
    expect(live.element.locator(".ftl-bar .ftl-phase").first).to_have_text("succeeded")
    assert WIDGET not in outputs(nb.save(), 1)[0]
    page.close()
