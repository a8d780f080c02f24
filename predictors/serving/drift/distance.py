"""How far apart two distributions are, and how far they may be by chance.

Both are given as counts over the same bins.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

MAJOR_PSI = 0.25
"""The population stability index from which a shift is called major; from 0.1, it is worth a look.

Source: N. Siddiqi, "Credit Risk Scorecards", Wiley 2006, chapter 8.
"""
NOTABLE_PSI = 0.1
# How rarely chance alone may exceed what a shift is measured by.
_CHANCE = 0.001
_Z = NormalDist().inv_cdf(1 - _CHANCE)


def population_stability(now: Sequence[int], reference: Sequence[int]) -> float:
    """The population stability index: the symmetric Kullback-Leibler divergence, in nats.

    A bin that one side lacks would make it infinite. So half a count per bin, as Krichevsky and Trofimov add it, is
    added to each side, spread like the counts of both sides together: what neither side has adds nothing, and what one
    side has adds the more, the more rows there are of it.

    Sources: Siddiqi, as above, for the index; R. Krichevsky and V. Trofimov, "The Performance of Universal Encoding",
    IEEE Transactions on Information Theory 27 (1981), for the half.

    Args:
        now, reference: rows in each of the same bins; neither is without rows.
    """
    both = [ours + theirs for ours, theirs in zip(now, reference, strict=True)]
    added = 0.5 * sum(map(bool, both)) / sum(both)
    smooth = [
        (ours + added * sum_, theirs + added * sum_)
        for ours, theirs, sum_ in zip(now, reference, both, strict=True)
        if sum_
    ]
    n, m = (sum(side) for side in zip(*smooth, strict=True))
    return math.fsum((ours / n - theirs / m) * math.log(ours / n * m / theirs) for ours, theirs in smooth)


def jensen_shannon(now: Sequence[int], reference: Sequence[int]) -> float:
    """The Jensen-Shannon distance, from 0 to 1: the square root of the divergence to base 2.

    Source: D. Endres and J. Schindelin, "A New Metric for Probability Distributions", IEEE Transactions on Information
    Theory 49 (2003).

    Args:
        now, reference: rows in each of the same bins; neither is without rows.
    """
    n, m = sum(now), sum(reference)
    shares = [(ours / n, theirs / m) for ours, theirs in zip(now, reference, strict=True)]
    divergence = sum(_from_middle(p, (p + q) / 2) + _from_middle(q, (p + q) / 2) for p, q in shares) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def _from_middle(p: float, middle: float) -> float:
    return p * math.log2(p / middle) if p else 0.0


def chance(bins: int, rows: int, reference_rows: int) -> float:
    """What the index exceeds in one of a thousand windows without any drift.

    Without drift, it is distributed as ``(1/n + 1/m)`` times chi-square with ``k - 1`` degrees of freedom, for windows
    of ``n`` rows, a reference of ``m``, and ``k`` bins; so its mean is ``(k - 1)(1/n + 1/m)``. Chi-square's quantile is
    Wilson and Hilferty's.

    Sources: B. Yurdakul, "Statistical Properties of Population Stability Index", dissertation, Western Michigan
    University 2018, theorem 3.1; E. Wilson and M. Hilferty, "The Distribution of Chi-Square", PNAS 17 (1931).

    Args:
        bins: with rows of the reference.
        rows: in the window.
        reference_rows: in the reference.
    """
    return _chi_square(bins - 1) * (1 / rows + 1 / reference_rows)


def least_rows(bins: int, reference_rows: int) -> int:
    """The fewest rows of a window in which chance seldom exceeds `MAJOR_PSI`; 0 if no number is enough.

    Args:
        bins: with rows of the reference.
        reference_rows: in the reference.
    """
    left = MAJOR_PSI / max(_chi_square(bins - 1), _LEAST_CHI_SQUARE) - 1 / reference_rows
    return math.ceil(1 / left) if left > 0 else 0


def _chi_square(freedom: int) -> float:
    """The quantile that chance exceeds in one of a thousand cases."""
    if freedom < 1:
        return 0.0
    spread = 2 / (9 * freedom)
    return float(freedom * (1 - spread + _Z * math.sqrt(spread)) ** 3)


# A distribution with one bin cannot vary, but it needs rows to be told from others, too.
_LEAST_CHI_SQUARE = _chi_square(1)
