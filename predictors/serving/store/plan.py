"""What the store decides: which version answers, which are loaded, and which make room. Pure functions."""

import enum
from collections.abc import Mapping
from typing import NamedTuple

from predictors.serving.store.order import version_key

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 2.0, 300.0
# More doublings than that exceed the longest pause.
_MOST_DOUBLINGS = 10


class Standing(enum.Enum):
    """Where a version stands."""

    READY = "ready"
    LOADABLE = "loadable"
    """It can be loaded, or is loading."""
    BROKEN = "broken"
    """It cannot be loaded now: not complete, unloaded by hand, too large, or it has just failed."""


class Choice(NamedTuple):
    """Which version answers where none is named.

    Args:
        default: the one that answers from now on.
        wanted: the one that is to answer; another one only if that is not ready yet.
    """

    default: str
    wanted: str


def choose_default(versions: Mapping[str, Standing], current: str = "", pinned: str = "") -> Choice:
    """Choose the version that answers where none is named.

    The highest one that is not broken is wanted, or the pinned one. A version that is ready hands over to one that is
    ready alone.

    Args:
        versions: all versions of a model, at least one.
        current: the version that answers now; empty, or not among them, if none does.
        pinned: the version that is to answer, if that is among them.
    """
    highest_first = sorted(versions, key=version_key, reverse=True)
    usable = [version for version in highest_first if versions[version] is not Standing.BROKEN]
    wanted = pinned if pinned in versions else next(iter(usable), highest_first[0])
    standing, before = versions[wanted], versions.get(current, Standing.BROKEN)
    if standing is Standing.READY or (standing is before is Standing.LOADABLE):
        return Choice(wanted, wanted)
    if before is not Standing.BROKEN:
        return Choice(current, wanted)
    ready = [version for version in usable if versions[version] is Standing.READY]
    return Choice(next(iter(ready), wanted), wanted)


class Loaded(NamedTuple):
    """A version in memory.

    Args:
        bytes: that it takes.
        last_use: when it was used last, monotonic seconds.
        stays: whether it must not be unloaded now.
    """

    bytes: int
    last_use: float
    stays: bool


def choose_evictions(loaded: Mapping[int, Loaded], needed: int, limit: int) -> list[int] | None:
    """Choose what to unload so that another version fits, the least recently used first.

    Args:
        loaded: what is in memory, by any number.
        needed: bytes of the other version.
        limit: most bytes of all together.

    Returns:
        The numbers, none if it fits as it is; None if it does not fit whatever is unloaded.
    """
    excess = sum(each.bytes for each in loaded.values()) + needed - limit
    evicted = []
    for number, each in sorted(loaded.items(), key=lambda item: item[1].last_use):
        if excess <= 0:
            break
        if not each.stays:
            evicted.append(number)
            excess -= each.bytes
    return evicted if excess <= 0 else None


def pause_after(failures: int) -> float:
    """How long to wait before a version is loaded again that has failed so many times in a row, seconds."""
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), _LONGEST_PAUSE_SECONDS)
