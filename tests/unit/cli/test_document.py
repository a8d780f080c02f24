"""Documents that the command reads, from files and web servers."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer

from predictors.cli.document import read_document
from tests.unit.extraction.files import docx, paragraph, pdf

PAGES = {
    "/html": ("text/html; charset=iso-8859-1", "<nav>Home</nav><p>You pay £5.".encode("latin-1")),
    "/pdf": ("application/octet-stream", pdf([[(700, "You pay 5 euros each month.")]])),
    "/terms.md": ("text/markdown", b"# Fees\n\nYou pay."),
    "/picture": ("image/png", b"\x89PNG"),
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = PAGES.get(self.path)
            self.send_response(200 if found else 404)
            kind, data = found or ("text/plain", b"no")
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.txt", b"You pay.\r\nNow.\r\n", "You pay.\r\nNow.\r\n"),
        ("a.txt", "You pay £5.".encode("utf-16"), "You pay £5."),
        ("a.htm", b"You <b>pay</b>.", "You pay."),
        ("page", b"<!doctype html><p>You pay.", "You pay."),
        ("a.docx", docx(paragraph("You pay.")), "You pay."),
        ("a.bin", pdf([[(700, "You pay 5 euros each month.")]]), "You pay 5 euros each month."),
    ],
)
def test_files(tmp_path: Path, name: str, data: bytes, text: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert read_document(str(tmp_path / name), 1) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [("/html", "You pay £5."), ("/pdf", "You pay 5 euros each month."), ("/terms.md", "# Fees\n\nYou pay.")],
)
def test_urls(site: str, path: str, text: str) -> None:
    assert read_document(site + path, 10) == text


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"<html><p>You pay.</p></html>")))
    assert read_document("-", 1) == "You pay."


@pytest.mark.parametrize(("path", "says"), [("/none", "status 404"), ("/picture", "image/png")])
def test_urls_that_cannot_be_read(site: str, path: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        read_document(site + path, 10)
    assert says in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(("data", "says"), [(b" ", "no text"), (b"\x89PNG", "picture"), (None, "No such file")])
def test_files_that_cannot_be_read(
    tmp_path: Path, data: bytes | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if data is not None:
        (tmp_path / "a").write_bytes(data)
    with pytest.raises(typer.Exit):
        read_document(str(tmp_path / "a"), 1)
    assert says in capsys.readouterr().err.replace("\n", " ")
