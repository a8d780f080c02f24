"""Medians and percentiles of what was measured."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tests.benchmarks.chat.client import Load
from tests.benchmarks.chat.rounds import Measurements
from tests.benchmarks.chat.servers import OURS, Server


@dataclass(frozen=True)
class LoadSummary:
    """The load with one number of concurrent requests.

    Args:
        tokens_per_second: tokens/s generated for all requests together; the median of the rounds.
        lowest: of the rounds.
        highest: of the rounds.
        with_prompts_per_second: the same with the tokens of prompts; None if no server reports them.
        first_token_seconds: median over requests.
        gap_p50_ms: time between one token of a request and its next; median.
        gap_p99_ms: the same, 99th percentile.
        ended_early: answers that ended before the limit.
        ours_to_this: our tokens/s divided by this server's.
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
        loads: by the number of concurrent requests.
        first_token_cold: seconds to the first token after a prefix of 500 tokens that it had not seen; median.
        first_token_seen: the same after a prefix that it had seen.
        decode_tokens_per_second: of a single request, after its first token; median.
        decode_gb_per_second: the weights that were read for it, 10⁹ bytes/s.
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
    """What is measured of our server only, while 8 requests run.

    Args:
        health_p99_ms: latency of ``/v2/health/live``.
        health_max_ms: the slowest poll.
        health_polls: the number of polls.
        step_shares: shares of the engine's time in each part of a step; empty if the server does not report them.
    """

    health_p99_ms: float
    health_max_ms: float
    health_polls: int
    step_shares: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """Everything that a run found.

    Args:
        machine: what it ran on, by property.
        settings: the options of the run, and the model.
        read_gb_per_second: the memory's read bandwidth, 10⁹ bytes/s.
        client_share: the share of one core that the client used; the highest of all loads.
        others_share: the share of the machine that other processes used; median of all loads.
        servers: by name.
        ours: None if our server was not measured.
    """

    machine: dict[str, str]
    settings: dict[str, str | int]
    read_gb_per_second: float
    client_share: float
    others_share: float
    servers: dict[str, ServerSummary]
    ours: OwnSummary | None


class Memory(NamedTuple):
    """What bounds decoding.

    Args:
        bandwidth: the memory's read bandwidth, bytes/s.
        weight_bytes: the size of the model's weights, all of which are read for each token.
    """

    bandwidth: float
    weight_bytes: int


def summarize(
    servers: Sequence[Server],
    results: Mapping[str, Measurements],
    machine: dict[str, str],
    settings: dict[str, str | int],
    memory: Memory,
) -> Summary:
    """Summarize a run.

    Args:
        servers: which were measured.
        results: by the servers' names.
        machine: what it ran on.
        settings: the options of the run.
        memory: what decoding is compared with.
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
            decode * memory.weight_bytes / 1e9,
            decode * memory.weight_bytes / memory.bandwidth,
        )
    return Summary(
        machine,
        settings,
        memory.bandwidth / 1e9,
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
    # Every server gets the same requests, so the prompt tokens that one reports are those of all.
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
    """Prompt tokens of each load, if the server reports them."""
    counts = [[answer.prompt_tokens for answer in load.answers] for load in loads]
    if any(tokens is None for load in counts for tokens in load):
        return None
    return [sum(tokens for tokens in load if tokens is not None) for load in counts]


def _own_summary(result: Measurements) -> OwnSummary:
    milliseconds = [seconds * 1000 for seconds in result.health]
    total = sum(result.steps.values())
    shares = {part: seconds / total for part, seconds in result.steps.items()} if total else {}
    return OwnSummary(float(np.percentile(milliseconds, 99)), max(milliseconds), len(milliseconds), shares)
