"""`predictors summarize`: summarize a document, showing progress, then each point with its sources."""

import enum
import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from predictors.cli.client import DEFAULT_TIMEOUT_SECONDS, DEFAULT_URL, AsJson, Url, check_status, connect
from predictors.cli.console import errors, fail, print_json
from predictors.cli.document import read_document

_SHOWN_SOURCE_CHARS = 300


class SummaryMode(enum.StrEnum):
    """How much of a document the model reads."""

    AUTO = "auto"
    FAST = "fast"
    FULL = "full"


def summarize(
    document: Annotated[str, typer.Argument(help="A file, a URL (text or HTML), or - for standard input.")],
    url: Url = DEFAULT_URL,
    model: Annotated[str, typer.Option(help="Name under which the summarizer is served.")] = "summarizer",
    mode: Annotated[
        SummaryMode,
        typer.Option(help="full reads everything, fast only what matters most, auto as much as time allows."),
    ] = SummaryMode.AUTO,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            "--max_tokens", min=1, help="Maximum length of the summary, tokens; the server's default if omitted."
        ),
    ] = None,
    sources: Annotated[bool, typer.Option(help="Print the source text under each point.")] = True,
    as_json: AsJson = False,
    timeout_seconds: Annotated[
        float, typer.Option("--timeout_seconds", min=0.001, help="Maximum time without progress, seconds.")
    ] = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Summarize a document, with the source of each point.

    predictors summarize terms.txt
    predictors summarize https://example.com/terms --mode fast
    pdftotext contract.pdf - | predictors summarize - --no-sources
    """
    parameters: dict[str, Any] = {"mode": str(mode), "stream": True}
    if max_tokens is not None:
        parameters["max_tokens"] = max_tokens
    text = read_document(document, timeout_seconds)
    body = {"instances": [text], "parameters": parameters}
    with (
        connect(url, timeout_seconds) as http,
        http.stream("POST", f"/v1/models/{model}:predict", json=body) as response,
    ):
        check_status(response)
        answer = _follow(response.iter_lines())
    if as_json:
        print_json(answer)
    else:
        _show(Console(highlight=False), text, answer, sources)


def _follow(lines: Iterator[str]) -> dict[str, Any]:
    """Show progress until the answer has arrived."""
    answer: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        reading = progress.add_task("reading", total=None)
        for name, data in _events(lines):
            if name == "progress":
                progress.update(
                    reading, description=f"reading ({data['mode']})", completed=data["done"], total=data["total"]
                )
            elif name == "error":
                fail(str(data["error"]))
            elif name == "done":
                answer = data
                break
    return answer or fail("the server closed the connection before the answer was complete")


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
            name = ""


def _show(console: Console, text: str, answer: dict[str, Any], sources: bool) -> None:
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
    """Replace control characters, with which a document could steer the terminal."""
    return "".join(each if each.isprintable() else " " for each in text)
