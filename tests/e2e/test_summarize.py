"""`predictors summarize`, as a person runs it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.live import ROOT, LiveServer

pytestmark = pytest.mark.llama

TEXT = "You pay 9 euros a month.\r\n\r\nWe share your address 🏠 with our partners."
PAGE = """<!doctype html><html><head><title>Terms</title><style>p { color: red }</style>
<script>var secret = "You pay 1000 euros.";</script></head>
<body><nav>You pay 2000 euros.</nav><p>You pay 9&nbsp;euros
a month.</p><ul><li>We share your &amp; her address.</li></ul></body></html>"""
PAGES = {
    "/terms": ("text/html; charset=utf-8", PAGE.encode()),
    "/plain": ("text/plain; charset=latin-1", "You pay 9 euros in a café.".encode("latin-1")),
    "/picture": ("image/png", b"\x89PNG"),
    "/blank": ("text/html", b"<p> </p><script>1</script>"),
}


class Pages(BaseHTTPRequestHandler):
    """A web site."""

    def do_GET(self) -> None:
        kind, content = PAGES.get(self.path, ("", b""))
        self.send_response(200 if kind else 404)
        self.send_header("content-type", kind or "text/plain")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # as its base has it
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as pages:
        thread = threading.Thread(target=pages.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{pages.server_port}"
        pages.shutdown()
        thread.join()


def summarize(server: LiveServer, *arguments: str, stdin: bytes = b"", **env: str) -> tuple[int, str, str]:
    """Run the command; gives its status and what it printed, both streams on one line each."""
    result = subprocess.run(
        [sys.executable, "-m", "predictors", "summarize", *arguments, "--url", server.url],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "200", **env},
    )
    assert b"Traceback" not in result.stderr
    return result.returncode, result.stdout.decode(), " ".join(result.stderr.decode().split())


@pytest.fixture(scope="module")
def run(summarizer: LiveServer) -> Any:
    return partial(summarize, summarizer)


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    path = tmp_path / "terms.txt"
    path.write_bytes(TEXT.encode())
    return path


def test_a_file(run: Any, terms: Path) -> None:
    status, shown, errors = run(str(terms), "--mode", "full")
    assert (status, errors) == (0, "")
    assert shown.splitlines()[:6] == [
        "Cost and renewal",
        "  This is paid month by month.",
        "    • You pay 9 euros a month. [0-24]",
        "",
        "Whom they tell",
        "  Others get it too.",
    ]
    assert shown.splitlines()[6] == "    • We share your address 🏠 with our partners. [28-70]"
    assert shown.count("9 euros") == 1
    assert "mode full; " in shown
    assert "model version 1" in shown


def test_without_sources(run: Any, terms: Path) -> None:
    status, shown, _ = run(str(terms), "--mode", "full", "--no-sources")
    assert status == 0
    assert shown.count("• ") == 2
    assert "[0-24]" not in shown


def test_long_lines_are_not_wrapped_where_they_are_piped(run: Any) -> None:
    clause = f"You pay 9 euros a month {'for each of the rooms that you use ' * 12}and for nothing else."
    _, shown, _ = run("-", "--no-sources", stdin=clause.encode(), COLUMNS="80")
    assert f"• {clause}" in shown.splitlines()[2]


def test_json(run: Any, terms: Path) -> None:
    status, shown, _ = run(str(terms), "--mode", "fast", "--max_tokens", "30", "--json")
    answer = json.loads(shown)
    assert status == 0
    assert set(answer) == {"predictions", "bullets", "texts", "usage", "model_version"}
    assert answer["usage"][0]["mode"] == "fast"
    text = terms.read_bytes().decode()
    assert "We share your address 🏠 with our partners." in [
        text[citation["start"] : citation["end"]] for bullet in answer["bullets"][0] for citation in bullet["citations"]
    ]


def test_standard_input(run: Any) -> None:
    status, shown, _ = run("-", stdin=TEXT.encode())
    assert status == 0
    assert "• You pay 9 euros a month." in shown


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_standard_input_in_another_charset(run: Any, locale: str) -> None:
    status, shown, _ = run("-", stdin=b"You pay 9 euros in a caf\xe9.", LC_ALL=locale, PYTHONIOENCODING="utf-8")
    assert status == 0
    assert "You pay 9 euros in a café." in shown


def test_a_web_page(run: Any, site: str) -> None:
    status, shown, _ = run(f"{site}/terms", "--mode", "full")
    assert status == 0
    assert "• You pay 9 euros a month." in shown
    assert "• We share your & her address." in shown
    for hidden in ("1000", "2000", "color", "<p>"):
        assert hidden not in shown


def test_a_page_of_plain_text(run: Any, site: str) -> None:
    assert "in a café." in run(f"{site}/plain", "--mode", "full")[1]


def test_what_cannot_be_read(run: Any, site: str, tmp_path: Path) -> None:
    (tmp_path / "picture.pdf").write_bytes(b"%PDF-1.7\xff\xfe")
    (tmp_path / "blank.txt").write_text(" \n")
    for document, says in (
        (str(tmp_path / "missing.txt"), "missing.txt cannot be read: No such file or directory"),
        (str(tmp_path), "cannot be read: Is a directory"),
        (
            str(tmp_path / "picture.pdf"),
            "picture.pdf cannot be read: the PDF is damaged or of a kind that cannot be read",
        ),
        (str(tmp_path / "blank.txt"), "there is no text in it"),
        (f"{site}/missing", "/missing answered with status 404"),
        (f"{site}/picture", '/picture cannot be read: the content type "image/png" is not known'),
        (f"{site}/blank", "/blank cannot be read: there is no text in it"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1/ cannot be read: "),
    ):
        status, _, errors = run(document)
        assert status == 1
        assert says in errors


def test_what_the_server_says(run: Any, terms: Path) -> None:
    for arguments, says in (
        (("--max_tokens", "100001"), 'status 400: the parameter "max_tokens" is wrong'),
        (("--model", "nope"), 'status 404: model "nope" does not exist'),
    ):
        status, _, errors = run(str(terms), *arguments)
        assert status == 1
        assert says in errors
