"""How the page is for all kinds of people: on a phone, in the dark, by ear, and without JavaScript."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.live import ROOT, LiveServer
from tests.ui.visit import Visit, visit

pytestmark = pytest.mark.llama

DOCUMENT = (ROOT / "tests/eval/set/gym-membership/document.txt").read_text("utf-8")
SIZES = {"phone": {"width": 375, "height": 740}, "desk": {"width": 1280, "height": 900}}
# The ratio of contrast of each text with what is behind it, by WCAG 2.2 (1.4.3); lists those below 4.5.
PALE = """() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((each) => each / 255).map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")].filter((each) =>
    each.checkVisibility() && !each.matches(":disabled, option, select *") && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((each) => {
      const [one, other] = [light(parse(getComputedStyle(each).color)), light(behind(each))].sort((a, b) => b - a);
      return [(one + 0.05) / (other + 0.05), each.outerHTML.slice(0, 80)];
    }).filter(([ratio]) => ratio < 4.5);
}"""
UNNAMED = """() => [...document.querySelectorAll("input, select, textarea, button, progress, [role=group], section, form")]
  .filter((each) => each.checkVisibility() && !(each.labels?.length || each.ariaLabel || each.getAttribute("aria-labelledby") || each.innerText?.trim()))
  .map((each) => each.outerHTML.slice(0, 80))"""


@pytest.fixture(params=["phone light", "phone dark", "desk light", "desk dark"])
def looked_at(request: pytest.FixtureRequest, browser: Any, page_server: LiveServer) -> Iterator[Visit]:
    """The page with a summary, one of whose points is shown in its place."""
    size, scheme = request.param.split()
    with visit(
        browser, page_server.url, viewport=SIZES[size], color_scheme=scheme, has_touch=size == "phone"
    ) as visiting:
        visiting.ready().page.wait_for_selector("#classifiers:not([hidden])")
        visiting.summarize_text(DOCUMENT)
        visiting.page.check("input[value=file]")
        visiting.page.locator(".place").nth(2).click()
        yield visiting


def test_it_fits_can_be_read_and_has_names(looked_at: Visit, request: pytest.FixtureRequest) -> None:
    page = looked_at.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(PALE) == []
    assert page.evaluate(UNNAMED) == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3')].filter((each) => each.checkVisibility()).map((each) => +each.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    dark = "dark" in request.node.callspec.params["looked_at"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(18, 22, 28)" if dark else "rgb(246, 247, 249)"
    )


def test_axe_finds_nothing(looked_at: Visit) -> None:
    """Deque's axe-core: `npm pack axe-core`, and PREDICTORS_AXE names its axe.min.js."""
    axe = os.environ.get("PREDICTORS_AXE")
    if axe is None:
        pytest.skip("PREDICTORS_AXE does not name a file of axe-core")
    looked_at.page.evaluate(Path(axe).read_text("utf-8"))
    found = looked_at.page.evaluate(
        "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found["violations"]] == []
    assert found["passes"]


def test_the_place_is_in_view(looked_at: Visit) -> None:
    top, bottom, height = looked_at.page.evaluate(
        "(({ top, bottom }) => [top, bottom, innerHeight])(document.querySelector('#document .active').getBoundingClientRect())"
    )
    looked_at.page.locator("#back").click()
    assert looked_at.page.evaluate("document.activeElement.className") == "place"
    assert 0 <= top < bottom <= height or bottom - top > height


def test_without_javascript_the_page_says_so(browser: Any, page_server: LiveServer) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_server.url + "/ui")
    assert page.locator("noscript p").is_visible()
    context.close()


def test_the_page_of_the_api_works_too(browser: Any, page_server: LiveServer) -> None:
    with visit(browser, page_server.url, "/docs", viewport=SIZES["phone"]) as visiting:
        page = visiting.page
        page.wait_for_selector("details[data-path]")
        page.fill("#filter", "iris:predict")
        page.locator("summary:visible").click()
        page.locator("textarea").fill('{"instances": [[5.1, 3.5, 1.4, 0.2]]}')
        page.locator("button", has_text="Send").click()
        page.locator("pre", has_text="setosa").wait_for()
        page.locator("details[data-path] details > summary").first.click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(UNNAMED) == []
