"""How much of a document its summary says, and whether what it says is so: ``make eval``.

Each document is summarized, judged by the rules in `tests.eval.judge`, and averaged:

- ``fast``, ``full`` and ``auto``: the summarizer's modes; by default only ``fast``, which takes a few minutes;
- ``truncation``, the naive way: one chat completion about as much of the document's start as fits the context;
- for reference, without a model: ``lead``, the document's first sentences, with no more words than ``fast`` wrote; and
  ``oracle``, the facts in the document's own words, which must find all facts and nothing wrong.

``--documents DIR`` evaluates documents of your own: ``NAME.txt`` with ``NAME.facts.json``, a list of objects with a
``fact`` (any text) and a ``pattern`` (a regular expression that a point that states it matches). Ctrl-C prints the
results so far. The exit status is 1 only if the server failed.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from tests import eval as evaluation_set
from tests.eval import Example, Point, Result, Summary, accuracy, averages, judge
from tests.eval.context import lead_in, place
from tests.eval.report import Report, percent
from tests.eval.strategies import MODEL, STRATEGIES, Failed, content_of, lead, predict, truncation
from tests.live import ROOT, serve

PAGES = ROOT / "docs/benchmarks"
TIMEOUT_SECONDS = 1800
# Of the set's English. An estimate is enough, because the server says how many tokens a prompt has.
CHARS_PER_TOKEN = 4.4


class Evaluation:
    """Results as they come; they can be read at any time.

    Args:
        strategies: how to summarize.
        truncate_chars: where to cut documents for truncation before asking; None for not at all.
        console: takes a line per result.
    """

    def __init__(self, strategies: Sequence[str], truncate_chars: int | None, console: Console) -> None:
        self.results: list[Result] = []
        self.failures: list[str] = []
        self.model_version = ""
        self._strategies = strategies
        self._truncate_chars = truncate_chars
        self._console = console

    async def run(self, url: str, examples: Iterable[Example], concurrency: int) -> None:
        """Summarize all documents; a failure is noted, and the next one is tried."""
        free = asyncio.Semaphore(concurrency)
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as http:
            self.model_version = content_of(await http.get(f"/v2/models/{MODEL}"))["versions"][0]
            async with asyncio.TaskGroup() as group:
                for example in examples:
                    group.create_task(self._document(http, example, free))

    async def _document(self, http: httpx.AsyncClient, example: Example, free: asyncio.Semaphore) -> None:
        async with free:
            for strategy in self._strategies:
                summary = await self._summarize(http, example, strategy)
                if summary is None:
                    continue
                self._add(example, strategy, summary)
                if strategy == "fast":
                    words = sum(len(point.text.split()) for point in summary.points)
                    self._add(example, "lead", Summary(tuple(map(Point, lead(example.text, words)))))
            if all(fact.quote for fact in example.facts):
                self._add(example, "oracle", Summary(oracle(example)))

    async def _summarize(self, http: httpx.AsyncClient, example: Example, strategy: str) -> Summary | None:
        try:
            if strategy == "truncation":
                return await truncation(http, example.text[: self._truncate_chars])
            return await predict(http, example.text, strategy)
        # LookupError: an answer without an expected field is a failure of the server, too.
        except (Failed, httpx.TransportError, LookupError) as error:
            self.failures.append(f"{example.name}, {strategy}: {error!r}")
            self._console.print(self.failures[-1], style="red", markup=False)
            return None

    def _add(self, example: Example, strategy: str, summary: Summary) -> None:
        result = Result(example.name, strategy, summary, judge.score(summary, example))
        self.results.append(result)
        so_far = averages([each for each in self.results if each.strategy == strategy])
        self._console.print(
            f"{example.name:24}{strategy:11}{len(result.score.said)} of {len(example.facts)} facts, "
            f"{result.score.wrong} of {len(summary.points)} points wrong, {result.score.trivial} trivial, "
            f"{summary.seconds:.1f} s; so far {percent(so_far['recall']['micro'])} and {percent(so_far['wrong'])}"
        )

    def report(self) -> Report:
        """The results so far."""
        explanations = {
            "Strategies": __doc__ or "",
            "Rules": judge.__doc__ or "",
            "How far the judge can be trusted": accuracy.table(),
        }
        return Report(self.results, self.failures, self.model_version, explanations)


def oracle(example: Example) -> tuple[Point, ...]:
    """The facts of a document in its own words; an item of a list comes with what introduces the list."""
    points = []
    for quote in dict.fromkeys(fact.quote for fact in example.facts):
        start, end = place(quote, example.text)
        introduction = lead_in(example.text, start)
        spans = [(start, end)]
        if introduction:
            above = example.text.rindex(introduction, 0, start)
            spans.insert(0, (above, above + len(introduction)))
        points.append(Point(" ".join(filter(None, (introduction, quote))), tuple(spans)))
    return tuple(points)


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, print and write the results; returns the exit status."""
    options = _options(arguments)
    try:
        found = evaluation_set.read(options.documents) if options.documents else evaluation_set.load(options.names)
    except ValueError as error:
        sys.exit(str(error))
    examples = found[: options.limit]
    truncate_chars = options.truncate_tokens and int(options.truncate_tokens * CHARS_PER_TOKEN)
    evaluation = Evaluation(options.strategies, truncate_chars, Console(stderr=True, highlight=False, soft_wrap=True))
    with contextlib.suppress(KeyboardInterrupt), _url(options.url) as url:
        asyncio.run(evaluation.run(url, examples, options.concurrency))
    report = evaluation.report()
    report.show()
    if options.out:
        report.write(options.out)
    if options.publish:
        (PAGES / "eval.md").write_text(report.markdown(), "utf-8")
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
    add("--documents", type=Path, metavar="DIR", help="of your own; see above (default: the set)")
    add(
        "--names", nargs="+", choices=names, default=names, metavar="NAME", help="of the set's documents (default: all)"
    )
    add("--strategies", nargs="+", choices=STRATEGIES, default=("fast",), help="default: fast")
    add("--limit", **count, choices=range(1, 100), help="evaluate only the N shortest documents")
    add("--url", help="of a running server; by default one is started")
    add("--concurrency", **count, choices=range(1, 100), default=1, help="documents at a time (default: 1)")
    add("--truncate_tokens", **count, help="for truncation, cut documents to about N tokens before asking")
    add("--out", type=Path, metavar="DIR", help="write eval.json, with every point and its fault, and eval.md there")
    add("--publish", action="store_true", help="write docs/benchmarks/eval.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
