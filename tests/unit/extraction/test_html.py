"""Web pages: what is kept, in which form, and that hostile ones end in time."""

import pytest

from predictors.extraction.errors import Unreadable
from predictors.extraction.extract import extract
from tests.unit.extraction.files import Over, stop


def blocks(body: str) -> list[str]:
    page = f"<!doctype html><html><head><title>Terms | Acme</title></head><body>{body}</body></html>"
    return extract(page.encode(), "text/html; charset=utf-8").text.split("\n\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<h1>Fees and <em>more</em></h1><h3>Late</h3><p>You pay.", ["# Fees and more", "### Late", "You pay."]),
        ("<p>You  pay\n5&nbsp;euros.<br>Each month.</p>", ["You pay 5\u00a0euros.\nEach month."]),
        ("<p><b>Cancelling</b></p><p><b>You pay.</b></p>", ["**Cancelling**", "You pay."]),
        ("<ul><li>One<li>Two<ol><li>Three</ol></ul>", ["- One", "- Two", "  1. Three"]),
        ("<ol type=a start=2><li>x<li>y</ol><ol type=i><li value=4>z</ol>", ["(b) x", "(c) y", "(iv) z"]),
        ("<p>of May<sup>1</sup> and the 1<sup>st</sup>", ["of May¹ and the 1st"]),
        ("<dl><dt>Notice<dd>30 days<dt>Why?<dd>It ends.</dl>", ["Notice: 30 days", "Why? It ends."]),
        ("<select><option>Basic plan<option>Gold plan</select>", ["Basic plan; Gold plan"]),
        ("<p>It costs <del>9</del> <ins>8</ins> euros.<script>x</script><!-- y -->", ["It costs 8 euros."]),
        ("<div>We are <q>Acme</q>.<div>You pay.</div>Now.</div>", ["We are “Acme”.", "You pay.", "Now."]),
        ("<pre>You\n pay.</pre>", ["You\n pay."]),
        ("<h2><button>Fees</button></h2><p>x<button>OK</button></p>", ["## Fees", "x"]),
        ("<div role=heading aria-level=3>Fees</div><p>x", ["### Fees", "x"]),
        ("<details><summary>More</summary>You pay.</details>", ["More", "You pay."]),
    ],
)  # fmt: skip
def test_elements(body: str, expected: list[str]) -> None:
    assert blocks(body) == expected


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "<caption>Prices</caption><tr><th>Plan<th>Fee<th>Notice<tr><td>Basic<td>5 euros<td rowspan=2>30 days<tr><td>Gold<td>9 euros",
            ["Prices", "Plan: Basic; Fee: 5 euros; Notice: 30 days.", "Plan: Gold; Fee: 9 euros; Notice: 30 days."],
        ),
        ("<tr><th>Monthly fee<td>9 euros<tr><th>Late fee<td>25 euros", ["Monthly fee: 9 euros.", "Late fee: 25 euros."]),
        ("<tr><td>Item<td>Price<tr><td>Call<td>$1<tr><td>Text<td>$2", ["Item: Call; Price: $1.", "Item: Text; Price: $2."]),
        ("<tr><td>Call<td>$1<tr><td>Text<td>$2", ["Call: $1.", "Text: $2."]),
        (
            "<tr><th>Item<th colspan=2>Price<tr><th><th>UK<th>EU<tr><td>Call<td>1<td>2<tr><td colspan=3>Extras",
            ["Item: Call; Price, UK: 1; Price, EU: 2.", "Extras."],
        ),
        ("<tr><th>Plan<th>Note<tr><td>A<td>One<br>two<ul><li>three</ul>", ["Plan: A; Note: One, two, three."]),
        ("<tr><th>Plan<th>App<tr><td>A<td><img alt=included src=x>", ["Plan: A; App: included."]),
        ("<tr><td><h2>Left</h2><p>You pay.</p><td>Right", ["## Left", "You pay.", "Right"]),
    ],
)  # fmt: skip
def test_tables_row_by_row(table: str, expected: list[str]) -> None:
    assert blocks(f"<table>{table}</table>") == expected


CLAUSE = "<p>" + "You pay a fee each month, and we may raise it once a year. " * 5 + "</p>"


@pytest.mark.parametrize(
    "extra",
    [
        "<nav><a href=/>Home</a></nav>",
        "<header><a href=/>Acme</a> <a href=/shop>Shop</a></header>",
        "<footer>© Acme <a href=/imprint>Imprint</a></footer>",
        "<div id=onetrust-banner-sdk>We use cookies. <button>Accept</button></div>",
        "<div class='cookie-banner fixed'><p>We value your privacy and use cookies.</p></div>",
        "<div role=dialog>Subscribe to our letter!</div>",
        "<ul><li><a href=#a>Fees</a><li><a href=#b>Data</a><li><a href=#c>End</a></ul>",
        "<div class=breadcrumbs>Home / Legal / Terms</div>",
        "<p hidden>Not shown</p>",
        "<p style='display: none'>Not shown</p>",
        "<input value=x><textarea>Ask us</textarea><noscript>No script</noscript><svg><text>x</text></svg>",
    ],
)
def test_what_is_no_part_of_the_document_is_left_out(extra: str) -> None:
    assert blocks(extra + CLAUSE) == blocks(CLAUSE) == blocks(CLAUSE + extra)


@pytest.mark.parametrize(
    "part",
    [
        "<section id=sharing><h2>Sharing</h2>{}</section>",
        "<section id=cookie-notice><h2>Cookies</h2>{}</section>",
        "<div class=privacy-notice><h2>Privacy</h2>{}</div>",
        "<section id=newsletter><h3>Our newsletter</h3>{}</section>",
        "<main><div class=comments>{}</div></main>",
        "<article><section class=related>{}</section></article>",
        "<div hidden>{}</div>",
        "<div class=collapse aria-hidden=true>{}</div>",
    ],
)
def test_a_part_with_a_telling_name_is_read_if_it_is_text(part: str) -> None:
    text = "You may cancel within 14 days and get a full refund."
    assert text in blocks(f"<p>x</p>{part.format(f'<p>{text}</p>')}")


@pytest.mark.parametrize(
    "part",
    [
        "<div class=newsletter><h3>Letter</h3><p>Read our news each month.</p><form><input></form></div>",
        "<div class=related><h3>More</h3><ul><li><a href=/a>Read about our returns</a></ul></div>",
        "<div id=onetrust-pc-sdk><h2>Cookies</h2><p>We and our partners use cookies.</p></div>",
        "<div hidden>Your message has been sent to us. <button>Close</button></div>",
    ],
)
def test_a_part_with_a_telling_name_is_left_out_if_it_is_for_links_or_forms(part: str) -> None:
    assert blocks(CLAUSE + part) == blocks(CLAUSE)


@pytest.mark.parametrize(
    "body",
    [
        f"<footer>{CLAUSE * 10}</footer>",  # all of a page may be in an odd place
        f"<div class=cookie-policy>{CLAUSE}</div>",
        f"<div style='display:none'>{CLAUSE}</div>",  # an accordion
        f"<div id=comment-box><div class=related-terms>{CLAUSE * 10}</div></div>",
        f"<article><header>{CLAUSE}</header></article>",
        f"<textarea readonly>{CLAUSE}</textarea>",
        f"<div class=site-header><h1>Terms</h1>{CLAUSE}</div>",
        f"<main>{CLAUSE}</main>",
    ],
)
def test_a_document_is_never_lost(body: str) -> None:
    assert "You pay a fee each month" in "".join(blocks(body + "<p>x"))


def test_only_the_main_part_is_read() -> None:
    assert blocks(f"<div>News of today</div><main>{CLAUSE}</main><div>More news</div>") == blocks(CLAUSE)


def test_links_under_an_introduction_are_no_menu() -> None:
    partners = "<ul><li><a href=//a>Ads Inc.</a><li><a href=//b>Data Ltd</a><li><a href=//c>Maps plc</a></ul>"
    assert blocks(f"{CLAUSE}<p>We share your data with:</p>{partners}")[-3:] == [
        "- Ads Inc.",
        "- Data Ltd",
        "- Maps plc",
    ]


def test_links_that_a_colon_introduces_are_no_menu_at_the_beginning_either() -> None:
    partners = "<ul><li><a href=//a>Ads Inc.</a><li><a href=//b>Data Ltd</a><li><a href=//c>Maps plc</a></ul>"
    assert blocks(f"<p>We share your data with:</p>{partners}<p>x") == [
        "We share your data with:",
        "- Ads Inc.",
        "- Data Ltd",
        "- Maps plc",
        "x",
    ]
    assert blocks(f"<p>Acme</p>{partners}<p>x") == ["Acme", "x"]


@pytest.mark.parametrize(
    "deep", ["<div>", "<ul><li>", "<table><tr><td>", "<div><table></div></table>", "<b>", "<select>"]
)
def test_deep_nesting_is_refused(deep: str) -> None:
    with pytest.raises(Unreadable, match="nested"):
        blocks(deep * 100_000)


@pytest.mark.parametrize(
    "wide",
    [
        "<p>a", "<li>a", "<td>a", "<br>", "<a href=#>a</a>", "<div class=nav>a</div>", "<!--", "</div>", "<", "&amp;",
        "<table><tr><td colspan=1000 rowspan=65000>x</table>", "<tr><td colspan=1000 rowspan=65000>x",
    ],
)  # fmt: skip
def test_any_elements_are_read_in_linear_time(wide: str) -> None:
    blocks("You pay. " + wide * (200_000 // len(wide)))  # with quadratic work this would not end


def test_reading_stops_when_it_is_told_to() -> None:
    with pytest.raises(Over):
        extract(b"<p>a" * 100_000, "text/html", check=stop)
