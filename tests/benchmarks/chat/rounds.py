"""Interleaved rounds: in each round, every measurement is made on one server after the other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.chat import probes, prompts
from tests.benchmarks.chat.client import Load, Turn, load
from tests.benchmarks.chat.prompts import Tokenizer
from tests.benchmarks.chat.servers import OURS, Running
from tests.benchmarks.load.errors import BenchError

CONCURRENCIES = (1, 4, 8)
NEW_TOKENS = 128
# Tokens to generate where only the time to the first one is measured.
FIRST_TOKENS = 4
# Share of the machine used by others from which on the progress mentions it.
BUSY = 0.05
Say = Callable[[str], None]


@dataclass
class Measurements:
    """What was measured of one server.

    Args:
        loads: one load for each round, by the number of concurrent requests.
        disturbances: share of the machine that other processes used during each load.
        cold: seconds to the first token after a prefix of 500 tokens that the server had not seen.
        seen: the same after a prefix that it had seen in an earlier request.
        health: latency of polls while 8 requests ran, seconds; ours only.
        steps: seconds in each part of the engine's steps, summed over the loads of 8 requests; ours only.
    """

    loads: dict[int, list[Load]] = field(default_factory=lambda: {count: [] for count in CONCURRENCIES})
    disturbances: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    steps: dict[str, float] = field(default_factory=dict)


class Rounds:
    """Measures servers in turn.

    Args:
        servers: running and suspended.
        tokenizer: the model's; measures the length of prompts.
        waves: consecutive requests on each connection of a load.
        say: is given lines of progress.
    """

    def __init__(self, servers: Sequence[Running], tokenizer: Tokenizer, waves: int, say: Say) -> None:
        self.results = {live.server.name: Measurements() for live in servers}
        self._servers = servers
        self._tokenizer = tokenizer
        self._waves = waves
        self._say = say
        self._ends = 0.0

    def warm_up(self) -> None:
        """Have each server answer some short requests, one and then eight at a time."""
        turns = [Turn(prompts.SYSTEM, f"What is {number} + {number}?", 16) for number in range(9)]
        for live in self._servers:
            with live.awake():
                load(live.endpoint, turns[:1], 1)
                load(live.endpoint, turns[1:], 8)

    def run(self, rounds: int, seconds: float) -> int:
        """Measure as many rounds as there is time for, at least one and at most ``rounds``.

        Returns:
            Rounds measured.

        Raises:
            BenchError: there was no time for one round.
        """
        self._ends = time.monotonic() + seconds
        done, longest = 0, 0.0
        while done < rounds and time.monotonic() + longest < self._ends:
            started = time.monotonic()
            self._round(done, f"round {done + 1} of {rounds}")
            done += 1
            longest = max(longest, time.monotonic() - started)
        if done < rounds:
            self._say(f"no time for another round after {done} of {rounds}")
        self._health()
        return done

    def _round(self, number: int, title: str) -> None:
        first, *others = prompts.questions(self._tokenizer, f"prefix {number}", FIRST_TOKENS)
        for live in self._servers:
            results = self.results[live.server.name]
            with live.awake():
                cold, *seen = [load(live.endpoint, [turn], 1).answers[0].first_token for turn in (first, *others)]
            results.cold.append(cold)
            results.seen += seen
            self._say(f"{title}, first token: {live.server.name} {cold:.2f} s, {min(seen):.2f} s after a seen prefix")
        for concurrency in CONCURRENCIES:
            # At least two: one is too few for a median.
            count = max(2, concurrency * self._waves)
            turns = prompts.summaries(self._tokenizer, count, f"load {number} {concurrency}", NEW_TOKENS)
            for live in self._servers:
                if number == 0 and time.monotonic() > self._ends:
                    raise BenchError("no time for one round: is the machine busy? --minutes gives it more")
                with live.awake():
                    rate, others_share = self._load(live, turns, concurrency)
                line = f"{title}, {concurrency} at once: {live.server.name} {rate:.1f} tokens/s"
                busy = f", while others took {others_share:.0%} of the machine" if others_share > BUSY else ""
                self._say(line + busy)

    def _load(self, live: Running, turns: Sequence[Turn], concurrency: int) -> tuple[float, float]:
        """Tokens/s of one load, and the share of the machine that others used meanwhile."""
        results = self.results[live.server.name]
        counted = live.server.name == OURS and concurrency == max(CONCURRENCIES)
        before = probes.step_seconds(live.url) if counted else {}
        disturbance = probes.Disturbance(live.pid)
        result = load(live.endpoint, turns, concurrency)
        results.disturbances.append(disturbance.share())
        after = probes.step_seconds(live.url) if counted else {}
        for part, seconds in after.items():
            results.steps[part] = results.steps.get(part, 0.0) + seconds - before.get(part, 0.0)
        results.loads[concurrency].append(result)
        return result.tokens_per_second, results.disturbances[-1]

    def _health(self) -> None:
        """Poll our server's health while it answers 8 requests; not during the loads, which polls would slow down."""
        turns = prompts.summaries(self._tokenizer, 8, "health", NEW_TOKENS)
        for live in self._servers:
            if live.server.name == OURS:
                with live.awake(), probes.health_poll(live.url) as seconds:
                    load(live.endpoint, turns, len(turns))
                self.results[OURS].health = seconds
                self._say(f"health polls during 8 requests: slowest {max(seconds) * 1000:.0f} ms")
