"""Bounds of histograms' buckets: a geometric series, fine enough to compare the p95 of two versions.

Ten to the power of ten, so each bound is 1.26 times the one before, and a quantile read from a histogram is off by less
than that factor; a latency that is worse by a quarter, which is what a rollout allows, moves into the next bucket. The
powers of ten are among them, for objectives such as "within 100 ms".
"""

_PER_POWER_OF_TEN = 10


def geometric(first: int, steps: int) -> tuple[float, ...]:
    """Bounds, from ten to the power of `first` on, rounded to three digits, which keeps an exposition short."""
    return tuple(float(f"{10 ** (first + step / _PER_POWER_OF_TEN):.3g}") for step in range(steps + 1))


# From a tenth of a millisecond (one iris row) to 631 seconds (more than a long document takes on a CPU).
LATENCY_SECONDS = geometric(-4, 68)
# Tokens per second of one answer: a large model on a busy CPU, and a small one on a GPU.
TOKENS_PER_SECOND = geometric(-1, 50)
# Points of a summary. The first bucket has the summaries without one.
POINTS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100)
# Probability of the predicted class: with four classes, it is at least a quarter.
PROBABILITY = tuple(i / 20 for i in range(5, 21))
