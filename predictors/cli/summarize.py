"""The client behind `predictors summarize`: a document in, progress on the way, points and their sources out."""

import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from predictors.cli.call import CallError

_SHOWN_SOURCE_CHARS = 300
_LARGEST_DOCUMENT_BYTES = 32 * 2**20
_SKIPPED = {"script", "style", "noscript", "template", "nav", "svg"}
_BLOCKS = {
    "p", "div", "section", "article", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "footer", "main", "blockquote", "dd", "dt",
}  # fmt: skip


def read_document(given: str, timeout_seconds: float) -> str:
    """Read a file, a URL or, for ``-``, standard input.

    Raises:
        CallError: it cannot be read, is not text, or is blank.
    """
    try:
        if given == "-":
            text = sys.stdin.buffer.read().decode()
        elif given.startswith(("http://", "https://")):
            text = _download(given, timeout_seconds)
        else:
            text = Path(given).read_bytes().decode()  # with its own line ends, so that offsets are the file's
    except UnicodeError:
        raise CallError(f"{given} is not UTF-8 text; convert it first, a PDF with pdftotext for example") from None
    except (OSError, ValueError) as error:
        raise CallError(f"{given} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not text.strip():
        raise CallError(f"{given} holds no text")
    return text


def summarize(
    url: str, model: str, text: str, parameters: dict[str, Any], timeout_seconds: float, console: Console
) -> dict[str, Any]:
    """Have a document summarized, showing progress.

    Args:
        url: the server's base URL.
        model: the model's name.
        text: the document.
        parameters: request parameters.
        timeout_seconds: longest time between two signs of progress.
        console: where the progress is shown.

    Returns:
        The V1 answer.

    Raises:
        CallError: no connection, or the server's own error.
    """
    body = {"instances": [text], "parameters": {**parameters, "stream": True}}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with (
            httpx.Client(base_url=url, timeout=timeout_seconds) as http,
            Progress(*columns, console=console, transient=True) as progress,
            http.stream("POST", f"/v1/models/{model}:predict", json=body) as response,
        ):
            if response.is_error:
                raise CallError(f"status {response.status_code}: {_error(response.read())}")
            reading = progress.add_task("reading", total=None)
            for name, data in _events(response.iter_lines()):
                if name == "progress":
                    progress.update(
                        reading, description=f"reading ({data['mode']})", completed=data["done"], total=data["total"]
                    )
                elif name == "error":
                    raise CallError(str(data["error"]))
                elif name == "done":
                    return data
    except httpx.TimeoutException:
        raise CallError("no progress in time; wait longer with --timeout_seconds") from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise CallError(f"cannot reach {url} ({error}); is the server running? name it with --url") from None
    raise CallError("the server ended the answer before it was whole")


def show(console: Console, text: str, answer: dict[str, Any], sources: bool) -> None:
    """Print the points, and under each the words of the document that it comes from."""
    for bullet in answer["bullets"][0]:
        console.print(Text("• " + _printable(bullet["text"])))
        if sources:
            for citation in bullet["citations"]:
                console.print(Padding(_source(text, citation, bullet), (0, 0, 0, 4)))
    usage = answer["usage"][0]
    console.print(
        f"\nmode {usage['mode']}; {usage['prompt_tokens']} tokens read ({usage['cached_tokens']} of them cached), "
        f"{usage['completion_tokens']} written; model version {answer['model_version']}",
        style="dim",
    )


def _source(text: str, citation: dict[str, int], bullet: dict[str, Any]) -> Text:
    start, end = citation["start"], citation["end"]
    source = " ".join(text[start:end].split())
    if len(source) > _SHOWN_SOURCE_CHARS:
        source = source[: _SHOWN_SOURCE_CHARS - 1] + "…"
    origin = "the document's words" if bullet["quoted"] else f"support {bullet['support']:.2f}"
    return Text(f"[{start}-{end}, {origin}] {_printable(source)}", style="dim")


def _printable(text: str) -> str:
    """Text from outside, with nothing in it that could steer a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
            name = ""


def _error(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace")


def _download(url: str, timeout_seconds: float) -> str:
    try:
        with httpx.stream("GET", url, timeout=timeout_seconds, follow_redirects=True) as response:
            if response.is_error:
                raise CallError(f"{url} answered with status {response.status_code}")
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not (kind.startswith("text/") or kind in ("", "application/xhtml+xml", "application/json")):
                raise CallError(f"{url} is {kind}; text or HTML is expected")
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_DOCUMENT_BYTES:
                    raise CallError(f"{url} is larger than {_LARGEST_DOCUMENT_BYTES} bytes")
            text = body.decode(response.charset_encoding or "utf-8", "replace")
    except (httpx.HTTPError, httpx.InvalidURL, LookupError) as error:
        raise CallError(f"{url} cannot be read: {error}") from None
    return _visible_text(text) if "html" in kind else text


def _visible_text(html: str) -> str:
    reader = _TextOfHtml()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _TextOfHtml(HTMLParser):
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
