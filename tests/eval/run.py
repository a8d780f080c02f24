"""How much of a document its summary says, and how much it makes up: ``make eval``.

Every document of the set is summarized in each way, judged by the rules in `tests.eval.judge`, and averaged:

- ``truncation``, the naive way: one chat completion about as much of the document's start as fits the context;
- ``fast``, ``full`` and ``auto``: the summarizer's modes;
- for reference, without a model: ``lead``, the document's first sentences, with no more words than ``fast`` wrote; and
  ``oracle``, the facts in the document's own words, which must find all facts and nothing unsupported.

In the tables, *vs truncation* is a difference in percentage points, and *too long* counts bullets of which only the
first words were judged. Ctrl-C prints the results so far. The exit status is 1 only if the server failed.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from tests import eval as evaluation_set
from tests.eval import Example, Result, Summary, averages, judge
from tests.eval.report import Report, percent
from tests.eval.strategies import MODEL, STRATEGIES, Failed, content_of, lead, predict, truncation
from tests.live import ROOT, serve

REPORTS = ROOT / "docs/benchmarks"
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
                    words = sum(len(bullet.split()) for bullet in summary.bullets)
                    self._add(example, "lead", Summary(lead(example.text, words)))
            self._add(example, "oracle", Summary(list(dict.fromkeys(fact.quote for fact in example.facts))))

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
        result = Result(example.name, strategy, summary, judge.score(summary.bullets, example))
        self.results.append(result)
        so_far = averages([each for each in self.results if each.strategy == strategy])
        self._console.print(
            f"{example.name:24}{strategy:11}{len(result.score.said)} of {len(example.facts)} facts, "
            f"{result.score.unsupported} of {len(summary.bullets)} bullets unsupported, {summary.seconds:.1f} s; "
            f"so far {percent(so_far['recall']['micro'])} and {percent(so_far['unsupported']['micro'])}"
        )

    def report(self) -> Report:
        """The results so far."""
        explanations = {"Strategies": __doc__ or "", "Rules": judge.__doc__ or ""}
        return Report(self.results, self.failures, self.model_version, explanations)


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, print and write the results; returns the exit status."""
    options = _options(arguments)
    examples = evaluation_set.load(options.documents)[: options.limit]
    truncate_chars = options.truncate_tokens and int(options.truncate_tokens * CHARS_PER_TOKEN)
    evaluation = Evaluation(options.strategies, truncate_chars, Console(stderr=True, highlight=False, soft_wrap=True))
    with contextlib.suppress(KeyboardInterrupt), _url(options.url) as url:
        asyncio.run(evaluation.run(url, examples, options.concurrency))
    report = evaluation.report()
    report.show()
    if directory := options.out or (REPORTS if _is_whole(evaluation.results) else None):
        report.write(directory)
    return 1 if evaluation.failures else 0


def _is_whole(results: Iterable[Result]) -> bool:
    done = {(each.document, each.strategy) for each in results}
    return done >= {*product(evaluation_set.names(), STRATEGIES)}


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
    add("--limit", **count, choices=range(1, 100), help="evaluate only the N shortest documents")
    add("--url", help="of a running server; by default one is started")
    add("--concurrency", **count, choices=range(1, 100), default=1, help="documents at a time (default: 1)")
    add("--truncate_tokens", **count, help="for truncation, cut documents to about N tokens before asking")
    add("--out", type=Path, help="directory of eval.json and eval.md (default: docs/benchmarks, for a whole run)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
