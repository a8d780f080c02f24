"""The page of a server that asks who comes, and counts."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live import LiveServer
from tests.ui.conftest import POWERLESS_TOKEN, TOKEN
from tests.ui.visit import Visit, visit

pytestmark = pytest.mark.llama


@pytest.fixture
def stranger(browser: Any, guarded_server: LiveServer) -> Iterator[Visit]:
    with visit(browser, guarded_server.url) as visiting:
        visiting.page.wait_for_selector("#token-form:not([hidden])")
        yield visiting


def give(visiting: Visit, token: str) -> None:
    visiting.page.fill("#token", token)
    visiting.page.keyboard.press("Enter")


def test_a_token_is_asked_for_and_kept_in_memory_alone(stranger: Visit) -> None:
    page = stranger.page
    assert page.is_hidden("#summarizer")
    assert page.evaluate("document.activeElement.id") == "token"
    give(stranger, "wrong")
    page.locator("#problem-text", has_text="The token is not valid").wait_for()
    give(stranger, TOKEN)
    stranger.ready()
    assert page.is_hidden("#token-form")
    assert page.is_hidden("#problem")
    assert page.input_value("#token") == ""
    kept = page.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href])")
    assert TOKEN not in kept
    assert page.context.cookies() == []
    page.reload()
    page.wait_for_selector("#token-form:not([hidden])")


def test_who_may_use_no_model_is_told_so_and_may_give_another_token(stranger: Visit) -> None:
    page = stranger.page
    give(stranger, POWERLESS_TOKEN)
    page.locator("#problem-text", has_text="This token allows no model here.").wait_for()
    assert page.is_hidden("#summarizer")
    assert page.evaluate("document.activeElement.id") == "token"
    give(stranger, TOKEN)
    stranger.ready()
    assert page.is_hidden("#token-form")
    assert page.is_hidden("#problem")


def test_who_has_asked_too_often_is_told_when_to_come_again(stranger: Visit) -> None:
    give(stranger, TOKEN)
    page = stranger.ready().page
    page.fill("#text", "You pay 9 euros a month.")
    for _ in range(4):  # two a minute are allowed, and other tests may have used them up
        if page.is_visible("#problem"):
            break
        page.click("#start")
        page.wait_for_selector('#problem:not([hidden]), #results[aria-busy="false"]')
    assert "2 requests a minute from each client are allowed" in stranger.text("#problem-text")
    button = page.locator("#again")
    assert button.is_disabled()
    first = int(button.inner_text().split()[-2])
    assert 0 < first <= 60
    page.locator("#again", has_text=f"Try again in {first - 1} s").wait_for()
