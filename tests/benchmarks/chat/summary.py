"""Medians and percentiles of what was measured."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.chat.client import Load
from tests.benchmarks.chat.rounds import Measurements
from tests.benchmarks.chat.servers import OURS, Server


@dataclass(frozen=True)
class LoadSummary:
    """Some requests at a time.

    Args:
        tokens_per_second: tokens written by all requests together; the median of the rounds.
        lowest: of the rounds.
        highest: of the rounds.
        with_prompts_per_second: tokens read and written; none if no server says how many it read.
        first_token_seconds: median over requests.
        gap_p50_ms: time between one token of a request and its next; median.
        gap_p99_ms: the same, 99th percentile.
        ended_early: answers that the model ended before the limit.
        ours_to_this: ratio of our tokens a second to this server's.
    """

    tokens_per_second: float
    lowest: float
    highest: float
    with_prompts_per_second: float | None
    first_token_seconds: float
    gap_p50_ms: float
    gap_p99_ms: float
    ended_early: int
    ours_to_this: float | None


@dataclass(frozen=True)
class ServerSummary:
    """One server.

    Args:
        version: its version.
        flags: how it was started.
        loads: by the number of requests at a time.
        first_token_cold: seconds to the first token after a prefix of 500 tokens never seen; median.
        first_token_seen: the same after one that was seen.
        decode_tokens_per_second: of one request alone, after its first token; median.
        decode_gb_per_second: the same in weights read, 10⁹ bytes.
        share_of_bandwidth: the same as a share of the memory's bandwidth.
    """

    version: str
    flags: tuple[str, ...]
    loads: dict[int, LoadSummary]
    first_token_cold: float
    first_token_seen: float
    decode_tokens_per_second: float
    decode_gb_per_second: float
    share_of_bandwidth: float


@dataclass(frozen=True)
class OwnSummary:
    """What is measured of our server alone, while 8 requests run.

    Args:
        health_p99_ms: of ``/v2/health/live``.
        health_max_ms: the slowest poll.
        health_polls: how many there were.
        step_shares: where the engine's time goes, as shares of all of it; empty if the server does not say.
    """

    health_p99_ms: float
    health_max_ms: float
    health_polls: int
    step_shares: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """All of it.

    Args:
        machine: what it ran on, a line a property.
        settings: what the user of the benchmark chose, and the model.
        read_gb_per_second: the memory's read bandwidth, 10⁹ bytes a second.
        client_share: of one core, that the client took; the highest of all loads.
        others_share: of the machine, that other processes took; median of all loads.
        servers: by name.
        ours: none if our server was not measured.
    """

    machine: dict[str, str]
    settings: dict[str, str | int]
    read_gb_per_second: float
    client_share: float
    others_share: float
    servers: dict[str, ServerSummary]
    ours: OwnSummary | None


def summarize(
    servers: Sequence[Server],
    results: Mapping[str, Measurements],
    machine: dict[str, str],
    settings: dict[str, str | int],
    bandwidth: float,
    weight_bytes: int,
) -> Summary:
    """Sum up.

    Args:
        servers: what was measured.
        results: by the servers' names.
        machine: what it ran on.
        settings: what was chosen.
        bandwidth: the memory's, bytes a second.
        weight_bytes: the model's weights, all of which are read for a token.
    """
    every_load = [load for result in results.values() for loads in result.loads.values() for load in loads]
    summaries = {}
    for server in servers:
        result = results[server.name]
        decode = statistics.median(answer.decode_rate for load in result.loads[1] for answer in load.answers)
        summaries[server.name] = ServerSummary(
            server.version,
            server.flags,
            {count: _load_summary(server.name, count, results) for count in result.loads},
            statistics.median(result.cold),
            statistics.median(result.seen),
            decode,
            decode * weight_bytes / 1e9,
            decode * weight_bytes / bandwidth,
        )
    return Summary(
        machine,
        settings,
        bandwidth / 1e9,
        max(load.client_seconds / load.seconds for load in every_load),
        statistics.median(share for result in results.values() for share in result.disturbances),
        summaries,
        _own_summary(results[OURS]) if OURS in results else None,
    )


def _load_summary(name: str, count: int, results: Mapping[str, Measurements]) -> LoadSummary:
    loads = results[name].loads[count]
    rates = [load.tokens_per_second for load in loads]
    answers = [answer for load in loads for answer in load.answers]
    gaps = [gap * 1000 for answer in answers for gap in answer.gaps]
    # The same requests go to every server, so what one server read is what all of them read.
    reported = [_prompt_tokens(result.loads[count]) for result in results.values()]
    read = next((tokens for tokens in reported if tokens is not None), None)
    with_prompts = None
    if read is not None:
        pairs = zip(loads, read, strict=True)
        with_prompts = statistics.median(load.tokens_per_second + tokens / load.seconds for load, tokens in pairs)
    ratio = None
    if OURS in results and name != OURS:
        ours = statistics.median(load.tokens_per_second for load in results[OURS].loads[count])
        ratio = ours / statistics.median(rates)
    return LoadSummary(
        statistics.median(rates),
        min(rates),
        max(rates),
        with_prompts,
        statistics.median(answer.first_token for answer in answers),
        float(np.percentile(gaps, 50)),
        float(np.percentile(gaps, 99)),
        sum(answer.finish_reason != "length" for answer in answers),
        ratio,
    )


def _prompt_tokens(loads: Sequence[Load]) -> list[int] | None:
    """Tokens read in each load, if the server says."""
    counts = [[answer.prompt_tokens for answer in load.answers] for load in loads]
    if any(tokens is None for load in counts for tokens in load):
        return None
    return [sum(tokens for tokens in load if tokens is not None) for load in counts]


def _own_summary(result: Measurements) -> OwnSummary:
    milliseconds = [seconds * 1000 for seconds in result.health]
    total = sum(result.steps.values())
    shares = {part: seconds / total for part, seconds in result.steps.items()} if total else {}
    return OwnSummary(float(np.percentile(milliseconds, 99)), max(milliseconds), len(milliseconds), shares)
