"""Tensors of the V2 protocol, as plain Python values."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from predictors.client.errors import ConfigurationError

# What a value of Python is, where no datatype is named.
_DATATYPES: Mapping[type, str] = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}

Inputs: TypeAlias = "Mapping[str, Tensor | Sequence[Any]]"
Parameters: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tensor:
    """Values and their shape.

    Args:
        datatype: of V2, such as ``FP64`` or ``BYTES``.
        shape: lengths of its dimensions.
        data: the values, in row-major order; texts for ``BYTES``.
    """

    datatype: str
    shape: tuple[int, ...]
    data: tuple[Any, ...]

    def __post_init__(self) -> None:
        if math.prod(self.shape) != len(self.data):
            raise ConfigurationError(f"a tensor of the shape {[*self.shape]} cannot hold {len(self.data)} values")

    @classmethod
    def of(cls, values: Any, datatype: str = "") -> "Tensor":
        """Make a tensor of nested lists, or of an array of NumPy or the like.

        Args:
            values: all lists of one depth are as long as each other.
            datatype: of V2; the default goes by the values.

        Raises:
            ConfigurationError: the lists are ragged, or the values have no datatype in common.
        """
        values = values.tolist() if hasattr(values, "tolist") else values
        if not isinstance(values, (list, tuple)):
            raise ConfigurationError("a tensor is made of a list, or of lists of one length")
        shape = [len(values)]
        while values and isinstance(values[0], (list, tuple)):
            lengths = {len(each) if isinstance(each, (list, tuple)) else -1 for each in values}
            if len(lengths) != 1:
                raise ConfigurationError("the lists of a tensor must be as long as each other")
            shape.append(lengths.pop())
            values = [value for each in values for value in each]
        return cls(datatype or _datatype(values), tuple(shape), tuple(values))

    def rows(self) -> Iterable[tuple[Any, ...]]:
        """The values of each row."""
        width = math.prod(self.shape[1:])
        return (self.data[i : i + width] for i in range(0, len(self.data), width or 1))


def _datatype(values: Sequence[Any]) -> str:
    kinds = set(map(type, values))
    if kinds == {int, float}:
        return "FP64"
    found = {_DATATYPES.get(kind, "") for kind in kinds}
    if len(found) != 1 or "" in found:
        named = ", ".join(sorted(kind.__name__ for kind in kinds)) or "no values"
        raise ConfigurationError(f"a tensor holds numbers, texts or booleans alone; {named} was given")
    return found.pop()


def as_tensor(given: Tensor | Sequence[Any]) -> Tensor:
    """A tensor as it is, or of what was given instead."""
    return given if isinstance(given, Tensor) else Tensor.of(given)
