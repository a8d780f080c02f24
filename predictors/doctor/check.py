"""A check: a pure function of what was read, with the words that explain it."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from predictors.doctor.finding import Issue, Severity
from predictors.doctor.model import Model, models
from predictors.doctor.snapshot import Snapshot

Look: TypeAlias = Callable[[Snapshot], Iterable[Issue]]


class Check(NamedTuple):
    """A check.

    Args:
        id: its name, which stays.
        severity: of what it finds.
        needs: kinds that must have been read, as `sources.SOURCES` names them, and the paths of APIs.
        finds: what it finds, in a few words.
        why: why that matters, in one sentence.
        remedy: the value or command that fixes it.
        look: gives what it finds.
    """

    id: str
    severity: Severity
    needs: tuple[str, ...]
    finds: str
    why: str
    remedy: str
    look: Look


def of_models(look: Callable[[Model], Iterable[Issue]], wanted: Callable[[Model], bool] = lambda _: True) -> Look:
    """A look at one model after the other.

    Args:
        look: at one.
        wanted: which ones.
    """

    def at_all(cluster: Snapshot) -> Iterator[Issue]:
        for model in models(cluster):
            if wanted(model):
                yield from look(model)

    return at_all


def of_ours(look: Callable[[Model], Iterable[Issue]]) -> Look:
    """A look at those models that `predictors serve` serves."""
    return of_models(look, lambda model: model.is_ours)
