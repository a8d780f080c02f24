"""How much of a document its summary says, and how much it makes up: ``make eval``.

Every document of the set is summarized in each way, judged by the rules in `tests.eval.judge`, and averaged:

- ``truncation``, the naive way: one chat completion about as much of the document's start as fits the context;
- ``fast``, ``full`` and ``auto``: the summarizer's modes;
- for reference, without a model: ``lead``, the document's first sentences, with no more words than ``fast`` wrote; and
  ``oracle``, the facts in the document's own words, which must find all facts and nothing unsupported.

In the tables, *vs truncation* is a difference in percentage points, and *too long* counts bullets of which only the
first words were judged. Ctrl-C prints what there is. The exit status is 1 only if the server failed.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, product
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from tests import eval as evaluation_set
from tests.eval import Example, Result, Summary, averages, judge
from tests.live import ROOT, serve

REPORTS = ROOT / "docs/benchmarks"
MODEL = "summarizer"
STRATEGIES = ("truncation", "fast", "full", "auto")
TIMEOUT_SECONDS = 1800
SYSTEM = "You are a helpful assistant."
TASK = "Summarize the following document in bullet points for a consumer.\n\n"
ANSWER_TOKENS = 512
# Of the set's English; it only has to be near, for the server says what a prompt really has.
CHARS_PER_TOKEN = 4.4
# Tokens are not spread evenly: a cut in proportion may leave a few too many.
_MARGIN = 0.98
# "the prompt has 9000 tokens and max_tokens is 512; together at least 1 and at most 8192 are allowed".
_PROMPT, _CONTEXT = re.compile(r"prompt has (\d+) tokens"), re.compile(r"at most (\d+)")
_MARKER = re.compile(r"^(?:[-*•–]|\d+[.)])\s+")
ROWS = (*STRATEGIES, "lead", "oracle")
COLUMNS = (
    *("document", "strategy", "facts said", "vs truncation", "unsupported", "repeats", "absent said", "bullets"),
    *("too long", "seconds", "tokens read", "written"),
)


class Failed(Exception):
    """The server did not summarize a document; the text says why."""


class Evaluation:
    """Results as they come; what there is can be read at any time.

    Args:
        strategies: how to summarize.
        truncate_chars: where the naive way cuts a document before it asks; not at all if nothing.
        console: for a line a result.
    """

    def __init__(self, strategies: Sequence[str], truncate_chars: int | None, console: Console) -> None:
        self.results: list[Result] = []
        self.failures: list[str] = []
        self.model_version = ""
        self._strategies = strategies
        self._truncate_chars = truncate_chars
        self._console = console

    async def run(self, url: str, examples: Iterable[Example], concurrency: int) -> None:
        """Summarize all documents; failures are noted, and the next one is tried."""
        free = asyncio.Semaphore(concurrency)
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as http:
            self.model_version = _content(await http.get(f"/v2/models/{MODEL}"))["versions"][0]
            async with asyncio.TaskGroup() as group:
                for example in examples:
                    group.create_task(self._document(http, example, free))

    async def _document(self, http: httpx.AsyncClient, example: Example, free: asyncio.Semaphore) -> None:
        async with free:
            for strategy in self._strategies:
                try:
                    if strategy == "truncation":
                        summary = await truncation(http, example.text[: self._truncate_chars])
                    else:
                        summary = await predict(http, example.text, strategy)
                # An answer that lacks a field is a failure of the server, too.
                except (Failed, httpx.TransportError, LookupError) as error:
                    self.failures.append(f"{example.name}, {strategy}: {error!r}")
                    self._console.print(self.failures[-1], style="red", markup=False)
                    continue
                self._add(example, strategy, summary)
                if strategy == "fast":
                    words = sum(len(bullet.split()) for bullet in summary.bullets)
                    self._add(example, "lead", Summary(lead(example.text, words)))
            self._add(example, "oracle", Summary(list(dict.fromkeys(fact.quote for fact in example.facts))))

    def _add(self, example: Example, strategy: str, summary: Summary) -> None:
        result = Result(example.name, strategy, summary, judge.score(summary.bullets, example))
        self.results.append(result)
        so_far = averages([each for each in self.results if each.strategy == strategy])
        self._console.print(
            f"{example.name:24}{strategy:11}{len(result.score.said)} of {len(example.facts)} facts, "
            f"{result.score.unsupported} of {len(summary.bullets)} bullets unsupported, {summary.seconds:.1f} s; "
            f"so far {_percent(so_far['recall']['micro'])} and {_percent(so_far['unsupported']['micro'])}"
        )


async def predict(http: httpx.AsyncClient, text: str, mode: str) -> Summary:
    """Summarize a document in one of the summarizer's modes.

    Raises:
        Failed: the server did not.
    """
    body = {"instances": [text], "parameters": {"mode": mode}}
    response, seconds = await _post(http, f"/v1/models/{MODEL}:predict", body)
    answer = _content(response)
    usage = answer["usage"][0]
    bullets = [bullet["text"] for bullet in answer["bullets"][0]]
    return Summary(bullets, seconds, usage["prompt_tokens"], usage["completion_tokens"], usage["mode"])


async def truncation(http: httpx.AsyncClient, text: str) -> Summary:
    """Summarize the start of a document, as much of it as fits the context, by one chat completion.

    What the server refuses, for being too long, takes no time here.

    Raises:
        Failed: the server did not.
    """
    while text:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": TASK + text}]
        body = {"model": MODEL, "messages": messages, "temperature": 0, "max_tokens": ANSWER_TOKENS}
        response, seconds = await _post(http, "/openai/v1/chat/completions", body)
        if response.status_code != httpx.codes.BAD_REQUEST:
            answer = _content(response)
            bullets = bullet_lines(answer["choices"][0]["message"]["content"])
            return Summary(bullets, seconds, answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
        text = shorter(text, response.text)
    raise Failed("no start of the document fits the context")


def shorter(text: str, message: str) -> str:
    """As much of a document as fits the context that the server's refusal names.

    Raises:
        Failed: the refusal is about something else.
    """
    prompt, context = _PROMPT.search(message), _CONTEXT.search(message)
    if not prompt or not context:
        raise Failed(f"status 400: {message}")
    has, may_have = (int(found[1]) for found in (prompt, context))
    return text[: int(len(text) * min(1, max(0, may_have - ANSWER_TOKENS) / has) * _MARGIN)]


def bullet_lines(text: str) -> list[str]:
    """The lines of an answer without their markers; headings, and lines that only announce others, are left out.

    A line that is too long to be judged as a whole counts as its sentences: nobody shall lose for writing paragraphs.
    """
    lines = [_MARKER.sub("", line.strip()).replace("**", "").strip() for line in text.splitlines()]
    whole = [line for line in lines if line and not line.startswith("#") and not line.endswith(":")]
    parts = ([line] if len(line.split()) <= judge.MOST_WORDS else judge.sentences(line) for line in whole)
    return [*chain(*parts)]


def lead(text: str, words: int) -> list[str]:
    """The first sentences of a document that have so many words together, or fewer."""
    chosen: list[str] = []
    for sentence in judge.sentences(text):
        if (words := words - len(sentence.split())) < 0:
            break
        chosen.append(sentence)
    return chosen


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    response = await http.post(path, json=body)
    return response, time.monotonic() - started


def _content(response: httpx.Response) -> Any:
    if response.is_error:
        raise Failed(f"status {response.status_code}: {response.text}")
    return response.json()


def by_strategy(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The results of each way of summarizing that has some."""
    each = {strategy: [result for result in results if result.strategy == strategy] for strategy in ROWS}
    return {strategy: found for strategy, found in each.items() if found}


def table(results: Sequence[Result], average: str, name: str = "") -> list[list[str]]:
    """A row for each way of summarizing; recall is compared with the naive way's if that has seen the same documents."""
    rows, found = [], by_strategy(results)
    naive = found.get("truncation", [])
    for strategy, mine in found.items():
        figures = averages(mine)
        share = figures["recall"][average]
        comparable = {result.document for result in naive} == {result.document for result in mine}
        more = f"{100 * (share - averages(naive)['recall'][average]):+.0f}" if comparable else "–"
        shares = [_percent(share), more, _percent(figures["unsupported"][average])]
        counts = [figures[key] for key in ("repeats", "absent_claimed", "bullets", "cut")]
        cells = [*shares, *counts, f"{figures['seconds']:.1f}", figures["prompt_tokens"], figures["completion_tokens"]]
        modes = sorted({result.summary.mode for result in mine} - {strategy, ""})
        label = f"{strategy} ({', '.join(modes)})" if modes else strategy
        rows.append([name or f"{average}, {len(mine)} documents", label, *map(str, cells)])
    return rows


def tables(results: Sequence[Result]) -> dict[str, list[list[str]]]:
    """Rows of the overall table and of the one by document, by their titles."""
    names = list(dict.fromkeys(result.document for result in results))
    each = (table([result for result in results if result.document == name], "micro", name) for name in names)
    return {"Overall": [*table(results, "micro"), *table(results, "macro")], "By document": [*chain(*each)]}


def markdown(evaluation: Evaluation) -> str:
    """The tables and the rules of the judge as a page."""
    lines = ["# How much summaries say", "", f"Written by `make eval`; model version {evaluation.model_version}.", ""]
    for title, rows in tables(evaluation.results).items():
        cells = [COLUMNS, ["---"] * 2 + ["---:"] * (len(COLUMNS) - 2), *rows]
        lines += [f"## {title}", "", *(f"| {' | '.join(row)} |" for row in cells), ""]
    explained = [f"## {title}\n\n{text}" for title, text in (("Strategies", __doc__), ("Rules", judge.__doc__))]
    return "\n".join([*lines, *explained])


def write(evaluation: Evaluation, directory: Path) -> None:
    """Write ``eval.json``, with every bullet and what was found of it, and ``eval.md``."""
    directory.mkdir(parents=True, exist_ok=True)
    content = {
        "model_version": evaluation.model_version,
        "overall": {each: averages(found) for each, found in by_strategy(evaluation.results).items()},
        "results": [dataclasses.asdict(result) for result in evaluation.results],
        "failures": evaluation.failures,
    }
    (directory / "eval.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (directory / "eval.md").write_text(markdown(evaluation), "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, print, write; the exit status."""
    options = _options(arguments)
    examples = evaluation_set.load(options.documents)[: options.limit]
    truncate_chars = options.truncate_tokens and int(options.truncate_tokens * CHARS_PER_TOKEN)
    evaluation = Evaluation(options.strategies, truncate_chars, Console(stderr=True, highlight=False, soft_wrap=True))
    with contextlib.suppress(KeyboardInterrupt), _url(options.url) as url:
        asyncio.run(evaluation.run(url, examples, options.concurrency))
    for title, rows in tables(evaluation.results).items():
        shown = Table(*COLUMNS, title=title)
        for row in rows:
            shown.add_row(*row)
        Console(width=170).print(shown)
    done = {(each.document, each.strategy) for each in evaluation.results}
    whole = done >= {*product(evaluation_set.names(), STRATEGIES)}
    if directory := options.out or (REPORTS if whole else None):
        write(evaluation, directory)
    return 1 if evaluation.failures else 0


@contextlib.contextmanager
def _url(given: str | None) -> Iterator[str]:
    if given:
        yield given
        return
    # An answer from the cache would take no time.
    with serve(MODEL, "--cache", "off", "--request_timeout_seconds", str(TIMEOUT_SECONDS)) as live:
        yield live.wait_ready().url


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add, names = parser.add_argument, evaluation_set.names()
    count: dict[str, Any] = {"type": int, "metavar": "N"}
    add("--documents", nargs="+", choices=names, default=names, metavar="NAME", help="default: all of the set")
    add("--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES, help="default: all four")
    add("--limit", **count, choices=range(1, 100), help="only so many documents, the shortest ones")
    add("--url", help="of a running server; by default one is started")
    add("--concurrency", **count, choices=range(1, 100), default=1, help="documents at a time (default: 1)")
    add("--truncate_tokens", **count, help="cut documents for truncation to about so many tokens before asking")
    add("--out", type=Path, help="directory of eval.json and eval.md (default: docs/benchmarks, for a whole run)")
    return parser.parse_args(arguments)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


if __name__ == "__main__":
    sys.exit(main())
