"""The page in a real browser: from a document to points with their places."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live import ROOT, LiveServer
from tests.ui.conftest import PAGES
from tests.ui.visit import Visit, visit
from tests.unit.extraction.files import docx, paragraph, pdf

pytestmark = pytest.mark.llama

CLAUSES = (
    "You pay 9 euros a month.",
    "We may share your data with our partners.",
    "You can cancel with 30 days of notice.",
)
# Each emoji has two code units of UTF-16; the family has eleven, and the flag four.
EMOJI = f"👋🏽 Welcome, 👨‍👩‍👧‍👦 and 🇪🇺!\n\n😀 {CLAUSES[0]} 🎉\n\n🤝 {CLAUSES[1]}\n\n𝒜𝒷 {CLAUSES[2]}\n"
ATTACK = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
LONG = "\n\n".join(path.read_text("utf-8") for path in sorted(ROOT.glob("tests/eval/set/*/document.txt"))[:3])


@pytest.fixture
def person(browser: Any, page_server: LiveServer) -> Iterator[Visit]:
    with visit(browser, page_server.url) as visiting:
        yield visiting.ready()


def test_a_text_becomes_points_that_lead_to_their_places(person: Visit) -> None:
    person.summarize_text(EMOJI)
    shown = person.points()
    assert len(shown) == 3
    places = person.shown_places()
    for clause in CLAUSES:
        [point] = [each for each in shown if clause in each]
        place = places[shown.index(point)]
        assert clause in place
        assert place in EMOJI
        assert len(place) < len(clause) + 8
    assert person.page.text_content("#document") == EMOJI
    assert person.text("#status") == "3 points; 100% of the document read"
    headings = person.page.locator("#points h3").all_inner_texts()
    assert headings == ["Cost and renewal", "Cancelling and refunds", "Whom they tell"]


def test_the_keyboard_leads_to_the_place_and_back(person: Visit) -> None:
    person.summarize_text("\n\n".join(CLAUSES))
    page = person.page
    button = page.locator(".place").nth(1)
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "active"
    assert page.evaluate("document.activeElement.textContent") == CLAUSES[2]
    page.keyboard.press("Escape")
    assert button.evaluate("(each) => each === document.activeElement")
    page.locator("#document mark").nth(1).click()
    assert page.locator("li.active").inner_text().startswith(CLAUSES[1])


def test_points_come_while_the_document_is_read_and_stay_when_that_is_cancelled(person: Visit) -> None:
    person.page.evaluate(
        """new MutationObserver(() => {
          const busy = document.getElementById("results").getAttribute("aria-busy") === "true";
          if (busy && document.querySelector("#points li")) document.getElementById("cancel").click();
        }).observe(document.getElementById("points"), { childList: true })"""
    )
    person.choose_file("long.txt", LONG.encode()).summarize()
    assert person.text("#status").startswith("Cancelled; ")
    assert person.points()
    assert person.page.is_visible("#actions")
    assert person.page.is_hidden("#cancel")
    assert person.page.is_hidden("#problem")
    places = person.page.locator(".place").count()
    assert places == len(person.points())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("terms.txt", "\n\n".join(CLAUSES).encode()),
        ("terms.txt", "\ufeff".encode("utf-16-le") + "\n\n".join(CLAUSES).encode("utf-16-le")),
        ("terms.md", b"# Terms\n\n" + "\n\n".join(CLAUSES).encode()),
        ("terms.html", "".join(f"<p>{each}</p>" for each in CLAUSES).encode()),
        ("terms", f"<!doctype html><title>x</title>{''.join(f'<p>{each}</p>' for each in CLAUSES)}".encode()),
        ("terms.pdf", pdf([[(700 - 40 * i, each) for i, each in enumerate(CLAUSES)]])),
        ("terms.docx", docx("".join(map(paragraph, CLAUSES)))),
    ],
    ids=["text", "UTF-16", "Markdown", "HTML", "HTML by its bytes", "PDF", "Word"],
)  # fmt: skip
def test_files(person: Visit, name: str, data: bytes) -> None:
    person.choose_file(name, data).summarize()
    assert sorted(person.points()) == sorted(CLAUSES)
    assert sorted(person.shown_places()) == sorted(CLAUSES)
    assert person.text("#file-name") == name


def test_the_charset_of_a_page_is_its_own(person: Visit) -> None:
    html = '<meta charset="windows-1252"><p>You pay 9 € a month at the café.</p>'
    person.choose_file("terms.html", html.encode("windows-1252")).summarize()
    assert person.points() == ["You pay 9 € a month at the café."]


def test_a_file_may_be_dropped_anywhere(person: Visit) -> None:
    person.page.evaluate(
        """(text) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "dropped.txt", { type: "text/plain" }));
          document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
        }""",
        CLAUSES[0],
    )
    assert person.text("#file-name") == "dropped.txt"
    assert person.summarize().points() == [CLAUSES[0]]


@pytest.mark.parametrize("name", ["terms.txt", "terms.html", "terms.md", f"{ATTACK.replace('/', '')}.txt"])
def test_markup_in_documents_and_names_stays_text(person: Visit, name: str) -> None:
    body = f"You pay 9 euros a month {ATTACK} for it.\n\n{CLAUSES[1]}\n"
    if name.endswith(".html"):
        body = f'<body onload="alert(3)"><svg onload="alert(4)"></svg><p onclick="alert(5)">{CLAUSES[0]}</p>{ATTACK}<p>&lt;img src=x onerror=alert(6)&gt; {CLAUSES[1]}</p>'
    person.choose_file(name, body.encode()).summarize()
    assert person.points()
    person.shown_places()
    for selector in ("#document", "#points", "#file-name", "#status"):
        assert person.page.locator(f"{selector} :is(img, script, svg, a, iframe)").count() == 0
    assert person.page.locator("body > img, body > script").count() == 0
    if name == "terms.txt":
        assert ATTACK in str(person.page.text_content("#document"))


def test_a_page_of_the_web_is_fetched(person: Visit) -> None:
    PAGES["/terms"] = ("text/html; charset=iso-8859-1", f"<p>{CLAUSES[0]} caf\xe9</p>{ATTACK}".encode("latin-1"))
    PAGES["/file"] = ("application/octet-stream", pdf([[(700, CLAUSES[2])]]))
    PAGES["/picture"] = ("image/png", b"\x89PNG\r\n\0")
    page = person.page
    page.check("input[value=address]")
    for address, expected in (("a.example/terms", f"{CLAUSES[0]}"), ("http://a.example/file", CLAUSES[2])):
        page.fill("#address", address)
        person.summarize()
        assert any(each.startswith(expected) for each in person.points())
    for address, said in (
        ("http://inside.example/", "inside.example has no public address"),
        ("http://127.0.0.1/", "127.0.0.1 has no public address"),
        ("http://a.example:6379/", "Only the ports 80 and 443"),
        ("file:///etc/passwd", "must begin with http://"),
        ("http://a.example/picture", "no document at this address"),
    ):
        page.fill("#address", address)
        page.click("#start")
        page.locator("#problem-text", has_text=said).wait_for()
        assert page.locator("#points li").count() == 0


def test_fetching_can_be_cancelled(person: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    class Slow(dict[str, Any]):
        def __getitem__(self, path: str) -> Any:
            release.wait()
            return "text/plain", b"late"

    monkeypatch.setattr("tests.ui.conftest.PAGES", Slow())
    person.page.check("input[value=address]")
    person.page.fill("#address", "http://a.example/slow")
    person.page.click("#start")
    person.page.click("#cancel")
    person.page.locator("#status", has_text="Cancelled").wait_for()
    release.set()
    assert person.page.is_enabled("#start")


def test_what_is_missing_or_unreadable_is_said(person: Visit) -> None:
    page = person.page

    def complaint() -> str:
        page.click("#start")
        page.wait_for_selector("#problem:not([hidden])")
        return person.text("#problem-text")

    assert complaint().startswith("There is no text yet")
    assert page.is_hidden("#again")
    page.check("input[value=file]")
    assert complaint().startswith("There is no file yet")
    page.check("input[value=address]")
    assert complaint().startswith("There is no address yet")
    for name, data, said in (
        ("broken.pdf", b"%PDF-1.4 broken", "cannot be read as application/pdf"),
        ("old.doc", b"\xd0\xcf\x11\xe0\0\0", "This is no text, HTML, PDF or Word document"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0", "This is no text, HTML, PDF or Word document"),
        ("empty.txt", b" \n", "There is no text in this document"),
        ("large.txt", b"a" * 4_300_000, "at most 4194304 bytes"),
    ):
        person.choose_file(name, data)
        page.click("#start")
        page.locator("#problem-text", has_text=said).wait_for()


def test_a_server_that_is_away_is_tried_again(person: Visit) -> None:
    page = person.page
    page.fill("#text", CLAUSES[0])
    page.context.set_offline(True)
    page.click("#start")
    page.locator("#problem-text", has_text="cannot be reached").wait_for()
    page.context.set_offline(False)
    page.click("#again")
    page.wait_for_selector("#points li")
    assert person.points() == [CLAUSES[0]]
    assert page.is_hidden("#problem")


def test_a_summary_can_be_taken_along(browser: Any, page_server: LiveServer) -> None:
    text = f"You pay 9 euros a month for the *key* <b>{ATTACK}</b>.\n\n{CLAUSES[2]}"
    with visit(browser, page_server.url, permissions=["clipboard-read", "clipboard-write"]) as person:
        person.ready().choose_file('te"r<m>s & more.txt', text.encode()).summarize()
        page, saved = person.page, {}
        for kind in ("markdown", "json"):
            with page.expect_download() as waiting:
                page.click(f"#save-{kind}")
            saved[waiting.value.suggested_filename] = waiting.value.path().read_text("utf-8")
        markdown = saved["summary-of-te-r-m-s-more.txt.md"]
        assert markdown.startswith('# te"r\\<m\\>s &amp; more.txt\n\n## Cost and renewal\n\n*')
        assert "the key \\<b\\>" in markdown
        assert "<" not in markdown.replace("\\<", "")
        whole = json.loads(saved["summary-of-te-r-m-s-more.txt.json"])
        assert whole["answer"]["model_version"]
        [cancelling] = [point for point in whole["points"] if point["topic"] == "cancelling"]
        [citation] = cancelling["citations"]
        assert text[citation["start"] : citation["end"]] == cancelling["text"] == CLAUSES[2]
        page.click("#copy")
        page.locator("#status", has_text="Copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.endswith(f"CANCELLING AND REFUNDS\nTo leave, you must give notice.\n- {CLAUSES[2]}\n")


def test_the_classifiers_beside_it(person: Visit) -> None:
    page = person.page
    page.wait_for_selector("#classifiers:not([hidden])")
    iris, intent = page.locator("#forms form").all()
    assert [label.lower() for label in iris.locator("label").all_inner_texts()] == [
        "sepal length",
        "sepal width",
        "petal length",
        "petal width",
    ]
    iris.get_by_label("petal length").fill("5.5")
    iris.get_by_label("petal width").fill("2.1")
    iris.get_by_role("button").click()
    iris.get_by_role("status").get_by_text("virginica").wait_for()
    intent.get_by_role("textbox").fill("thank you, that was great")
    intent.get_by_role("button").click()
    intent.get_by_role("status").get_by_text("praise").wait_for()
    iris.get_by_label("petal width").fill("1e39")
    iris.get_by_role("button").click()
    page.wait_for_selector("#problem:not([hidden])")


def test_offsets_are_those_of_the_api_whatever_the_text(person: Visit) -> None:
    """`pieces` against Python, whose strings count as the API does."""
    text = "a😀b\r\nc𝒜\ud7ffd👨‍👩‍👧‍👦e"
    spans = [(start, end) for start in range(len(text)) for end in range(start + 1, len(text) + 1)]
    points = [{"citations": [{"start": start, "end": end}]} for start, end in spans]
    found = person.page.evaluate(
        """async ([text, points]) => {
          const { pieces } = await import("/ui/passages.js");
          return points.map((point) => pieces(text, [point])).concat([pieces(text, points)]);
        }""",
        [text, points],
    )
    everything = found.pop()
    for (start, end), pieces in zip(spans, found, strict=True):
        assert [piece["text"] for piece in pieces if piece["points"]] == [text[start:end]]
        assert "".join(piece["text"] for piece in pieces) == text
    assert "".join(piece["text"] for piece in everything) == text
    for number, (start, end) in enumerate(spans):
        assert "".join(piece["text"] for piece in everything if number in piece["points"]) == text[start:end]
