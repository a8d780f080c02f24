"""A check: a pure function of what was read, with the words that explain it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from predictors.doctor.finding import Issue, Severity
from predictors.doctor.model import Model
from predictors.doctor.snapshot import Snapshot

Look: TypeAlias = Callable[[Snapshot, Sequence[Model]], Iterable[Issue]]


class Check(NamedTuple):
    """A check.

    Args:
        id: its name, which stays.
        severity: of what it finds.
        needs: kinds that must have been read, as `sources.SOURCES` names them, and the paths of APIs.
        finds: what it finds, in a few words.
        why: why that matters, in one sentence.
        remedy: the value or command that fixes it.
        look: gives what it finds in what was read, and in the models of that.
    """

    id: str
    severity: Severity
    needs: tuple[str, ...]
    finds: str
    why: str
    remedy: str
    look: Look


def of_cluster(look: Callable[[Snapshot], Iterable[Issue]]) -> Look:
    """A look at what was read as a whole."""
    return lambda cluster, _: look(cluster)


def of_models(look: Callable[[Model], Iterable[Issue]]) -> Look:
    """A look at one model after the other."""
    return lambda _, models: _each(look, models)


def of_ours(look: Callable[[Model], Iterable[Issue]]) -> Look:
    """A look at those models that `predictors serve` serves."""
    return lambda _, models: _each(look, [model for model in models if model.is_ours])


def _each(look: Callable[[Model], Iterable[Issue]], models: Sequence[Model]) -> Iterator[Issue]:
    for model in models:
        yield from look(model)
