"""The rows that a model knows, as counts: what its manifest keeps, for live traffic to be compared with."""

import math
from itertools import pairwise
from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, model_validator

Side: TypeAlias = Literal["input", "output"]
"""What a model was asked, or what it answered."""

MAX_BINS = 66
"""The most counts of a distribution that a manifest may hold."""
MAX_DISTRIBUTIONS = 256
"""The most distributions of a reference."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Distribution(_Strict):
    """How the rows of a reference spread over the values of one column."""

    side: Side
    name: str = Field(min_length=1, max_length=256)
    edges: tuple[float, ...] = Field(default=(), max_length=MAX_BINS)
    """Where one bin of numbers ends and the next begins, ascending. An edge belongs to the bin above it."""
    categories: tuple[str, ...] = Field(default=(), max_length=MAX_BINS)
    """Values, instead of edges."""
    counts: tuple[NonNegativeInt, ...] = Field(min_length=2, max_length=MAX_BINS)
    """Rows in each bin or category; the last is for what has none: a number that is missing, or another value."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.edges) == bool(self.categories):
            raise ValueError("a distribution has either edges or categories")
        if len(self.counts) != len(self.categories) + 1 + bool(self.edges) * (len(self.edges) + 1):
            raise ValueError("there must be a count for each bin or category, and one for what has none")
        if any(not low < high for low, high in pairwise(self.edges)):
            raise ValueError("edges must ascend")
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("categories must differ")
        if not 0 < sum(self.counts) < 2**53:
            raise ValueError("a distribution needs rows")
        return self

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts)

    @property
    def key(self) -> tuple[Side, str]:
        """What tells it from the others of a reference."""
        return self.side, self.name

    def bin_names(self) -> list[str]:
        """What to call each count: ``0.5 to 1.2``, or the category."""
        if self.categories:
            return [*self.categories, "other"]
        bounds = [-math.inf, *self.edges, math.inf]
        return [*(_between(low, high) for low, high in pairwise(bounds)), "missing"]


def _between(low: float, high: float) -> str:
    if math.isinf(low):
        return f"below {high:.4g}"
    return f"{low:.4g} or more" if math.isinf(high) else f"{low:.4g} to {high:.4g}"


class Reference(_Strict):
    """What live traffic is compared with."""

    made_of: str = Field(default="", max_length=256)
    """Which rows these were, in words."""
    distributions: tuple[Distribution, ...] = Field(min_length=1, max_length=MAX_DISTRIBUTIONS)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({each.key for each in self.distributions}) != len(self.distributions):
            raise ValueError("two distributions have the same name")
        return self
