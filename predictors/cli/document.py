"""Documents to summarize, read from a file, a web page or standard input."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

from predictors.cli.console import fail

_LARGEST_DOCUMENT_BYTES = 32 * 2**20
_SKIPPED = {"script", "style", "noscript", "template", "nav", "svg"}
_BLOCKS = {
    "p", "div", "section", "article", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "footer", "main", "blockquote", "dd", "dt",
}  # fmt: skip


def read_document(given: str, timeout_seconds: float) -> str:
    """Read a document; one that is unreadable, blank or not text ends the command.

    Args:
        given: a path, an http(s) URL, or ``-`` for standard input.
        timeout_seconds: longest time without any data from a web server.
    """
    try:
        if given == "-":
            text = sys.stdin.buffer.read().decode()
        elif given.startswith(("http://", "https://")):
            text = _download(given, timeout_seconds)
        else:
            text = Path(given).read_bytes().decode()  # keeps the line ends, so that offsets are those of the file
    except UnicodeError:
        fail(f"{given} is not UTF-8 text; convert it first, a PDF with pdftotext for example")
    except (OSError, ValueError) as error:
        fail(f"{given} cannot be read: {getattr(error, 'strerror', None) or error}")
    if not text.strip():
        fail(f"{given} holds no text")
    return text


def _download(url: str, timeout_seconds: float) -> str:
    import httpx

    try:
        with httpx.stream("GET", url, timeout=timeout_seconds, follow_redirects=True) as response:
            if response.is_error:
                fail(f"{url} answered with status {response.status_code}")
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not (kind.startswith("text/") or kind in ("", "application/xhtml+xml", "application/json")):
                fail(f"{url} is {kind}; text or HTML is expected")
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_DOCUMENT_BYTES:
                    fail(f"{url} is larger than {_LARGEST_DOCUMENT_BYTES} bytes")
            text = body.decode(response.charset_encoding or "utf-8", "replace")
    except (httpx.HTTPError, httpx.InvalidURL, LookupError) as error:
        fail(f"{url} cannot be read: {error}")
    return _visible_text(text) if "html" in kind else text


def _visible_text(html: str) -> str:
    reader = _HtmlText()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _HtmlText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipping += tag in _SKIPPED
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self._skipping = max(0, self._skipping - (tag in _SKIPPED))
        if tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.parts.append(re.sub(r"\s+", " ", data))
