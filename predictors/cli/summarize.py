"""`predictors summarize`: summarize a document, showing progress, then the points by topic, with their places."""

import enum
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from predictors.cli.client import DEFAULT_TIMEOUT_SECONDS, DEFAULT_URL, AsJson, TokenFile, Url, connect, while_it_comes
from predictors.cli.console import errors, print_json, printable
from predictors.cli.document import read_document

if TYPE_CHECKING:
    from predictors.client import Part, Point, Summary


class SummaryMode(enum.StrEnum):
    """How much of a document the model reads."""

    AUTO = "auto"
    FAST = "fast"
    FULL = "full"


def summarize(
    document: Annotated[str, typer.Argument(help="A file, a URL, or - for standard input.")],
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
    sources: Annotated[
        bool,
        typer.Option(
            help="Say where each point stands, and what the document says there if the point leaves words out."
        ),
    ] = True,
    token_file: TokenFile = None,
    as_json: AsJson = False,
    timeout_seconds: Annotated[
        float, typer.Option("--timeout_seconds", min=0.001, help="Maximum time without progress, seconds.")
    ] = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Summarize a document, with the source of each point.

    predictors summarize terms.txt
    predictors summarize https://example.com/terms --mode fast
    predictors summarize - --no-sources < contract.pdf
    """
    parameters: dict[str, Any] = {"mode": str(mode)}
    if max_tokens is not None:
        parameters["max_tokens"] = max_tokens
    text = read_document(document, timeout_seconds)
    with (
        connect(url, while_it_comes(timeout_seconds), token_file) as client,
        client.stream_summary(text, parameters, model=model) as parts,
    ):
        answer = _follow(parts)
    if as_json:
        print_json(answer.body)
    else:
        _show(Console(highlight=False), text, answer, sources)


def _follow(parts: "Iterator[Part]") -> "Summary":
    """Show progress until the answer has arrived."""
    from predictors.client import Progress as Done
    from predictors.client import Summary

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        reading = progress.add_task("reading", total=None)
        for part in parts:
            if isinstance(part, Done):
                progress.update(reading, description=f"reading ({part.mode})", completed=part.done, total=part.total)
            elif isinstance(part, Summary):
                return part
    raise AssertionError("a stream ends with a summary or raises")


def _show(console: Console, text: str, answer: "Summary", sources: bool) -> None:
    """Print the points by topic, under what they mean; on a terminal, long lines are wrapped."""
    from predictors.summarizer.text.topics import TOPICS

    for topic, about in groupby(answer.points, attrgetter("topic")):
        title = TOPICS[topic].title if topic in TOPICS else printable(topic)  # a newer server may have others
        _print(console, Text(title, "bold"))
        for gloss, points in groupby(about, attrgetter("gloss")):
            _print(console, Text(printable(gloss), "italic"), 2)
            for point in points:
                _print(console, Text.assemble("• ", printable(point.text), (_places(point, sources), "dim")), 4)
                if sources and not point.quoted:
                    _print(console, Text(_source(text, point), "dim"), 6)
        console.print()
    _show_usage(console, answer)


def _show_usage(console: Console, answer: "Summary") -> None:
    usage = answer.usage
    for remark in usage.warning, usage.more:
        if remark:
            errors.print(printable(remark), style="yellow", markup=False)
    tokens = f"{usage.prompt_tokens} tokens ({usage.cached_tokens} of them cached)"
    read = f"mode {usage.mode}; {usage.read:.0%} of the document read; the model read {tokens} and wrote "
    line = f"{read}{usage.completion_tokens}; model version {answer.model_version}"
    _print(console, Text(printable(line), "dim"))


def _print(console: Console, line: Text, indent: int = 0) -> None:
    if console.is_terminal:
        console.print(Padding(line, (0, 0, 0, indent)))
    else:  # what reads it wraps lines itself, if at all
        console.print(Text(" " * indent).append_text(line), soft_wrap=True)


def _places(point: "Point", sources: bool) -> str:
    """Where a point's words are: characters of the document."""
    spans = [f"{citation.start}-{citation.end}" for citation in point.citations]
    return f" [{', '.join(spans)}]" if sources and spans else ""


def _source(text: str, point: "Point") -> str:
    """What the document says there."""
    parts = [" ".join(text[citation.start : citation.end].split()) for citation in point.citations]
    return printable(" … ".join(parts))
