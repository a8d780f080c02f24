"""How much of a minute's allowance is used up, for each key: the generic cell rate algorithm (ITU-T I.371, annex A).

Of a key, one number is kept: until when its allowance is used up. A request adds its share of a minute to that, and is
refused if more than a minute would be used up. So a whole minute's allowance may be used at once; it then comes back
evenly. Nothing is counted by the clock's minutes, at whose turn twice the allowance would pass.

The library `limits` takes 6 to 10 us for this, for each key, and cannot count what is known only afterwards, such as
the tokens of an answer.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

MINUTE = 60.0
# Sums of shares of a minute are not exact.
_TOLERANCE = 1e-6
# Keys, a hundred bytes each, and how often those are looked for whose allowance has come back, seconds.
_MOST_KEYS = 100_000
_SWEEP_SECONDS = 10.0


class Draw(NamedTuple):
    """What is asked of one key.

    Args:
        key: whose allowance it is.
        seconds: its share of the allowance of a minute, seconds; 0 asks whether there is any left.
    """

    key: str
    seconds: float


class Drawn(NamedTuple):
    """What came of it.

    Args:
        allowed: whether all keys had enough; otherwise nothing was used up.
        used: of each key, how much of a minute's allowance is used up, or would be, seconds.
    """

    allowed: bool
    used: Sequence[float]


class Buckets:
    """Counts in this process.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # A plain dict looks for its first key behind all that were taken out: 0.1 ms, when it is full.
        self._used_until: OrderedDict[str, float] = OrderedDict()
        self._swept = clock()

    def draw(self, draws: Sequence[Draw]) -> Drawn:
        """Use up what is asked, if all keys have enough."""
        now, until = self._clock(), self._used_until
        used = [max(until.get(key, now) - now, 0.0) + seconds for key, seconds in draws]
        if max(used) > MINUTE + _TOLERANCE:
            return Drawn(False, used)
        for draw, seconds in zip(draws, used, strict=True):
            self._set(draw.key, now + seconds)
        return Drawn(True, used)

    def charge(self, draw: Draw) -> None:
        """Use up what was used already, even if there is not enough."""
        now = self._clock()
        self._set(draw.key, max(self._used_until.get(draw.key, now), now) + draw.seconds)

    def _set(self, key: str, until: float) -> None:
        if len(self._used_until) >= _MOST_KEYS and key not in self._used_until:
            self._make_room()
        self._used_until[key] = until
        self._used_until.move_to_end(key)  # so that the one that was used least recently makes room

    def _make_room(self) -> None:
        now = self._clock()
        if now - self._swept >= _SWEEP_SECONDS:
            self._swept = now
            self._used_until = OrderedDict((key, until) for key, until in self._used_until.items() if until > now)
        if len(self._used_until) >= _MOST_KEYS:
            self._used_until.popitem(last=False)
