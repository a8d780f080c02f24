"""What a model computes on, whatever the protocol: one typed batch in, named columns out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
Parameters: TypeAlias = dict[str, Any]
# One column per output tensor: an array whose first dimension is the row, or a list of strings (BYTES). A column that
# appears only in V1 answers may also be a list of JSON values.
Column: TypeAlias = NDArray[Any] | list[Any]
Outputs: TypeAlias = dict[str, Column]

# V2's datatypes; little-endian, as the binary tensor extension and raw gRPC contents are.
NUMPY_TYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    **{f"{name}{8 * size}": np.dtype(f"<{code}{size}") for name, code in (("INT", "i"), ("UINT", "u"))
       for size in (1, 2, 4, 8)},
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """A part of an answer that is sent before the whole.

    Args:
        name: the kind of part.
        data: its content, JSON values.
    """

    name: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor as model metadata describes it; a dimension of -1 is variable."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FeatureInput:
    """The model takes rows of numbers, one for each of these features.

    Args:
        names: of the features.
        missing: whether a value may be missing: null in JSON, NaN elsewhere.
    """

    names: tuple[str, ...]
    missing: bool = False

    def specs(self) -> tuple[TensorSpec, ...]:
        """The input as metadata describes it: one tensor."""
        return (TensorSpec("features", "FP64", (-1, len(self.names))),)


@dataclass(frozen=True, slots=True)
class TextInput:
    """The model takes one string per row."""

    name: str = "text"

    def specs(self) -> tuple[TensorSpec, ...]:
        """The input as metadata describes it: one tensor."""
        return (TensorSpec(self.name, "BYTES", (-1,)),)


@dataclass(frozen=True, slots=True)
class ColumnInput:
    """The model takes named columns, each of a datatype of its own.

    Args:
        columns: FP64, INT64, BOOL or BYTES, each of the shape ``[-1]``.
        missing: names of the columns of numbers or strings whose values may be missing: null in JSON; NaN in a binary
            tensor of numbers.
    """

    columns: tuple[TensorSpec, ...]
    missing: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(spec.name for spec in self.columns)

    def specs(self) -> tuple[TensorSpec, ...]:
        """The input as metadata describes it: one tensor for each column."""
        return self.columns


Input: TypeAlias = FeatureInput | TextInput | ColumnInput


@dataclass(slots=True)
class FeatureBatch:
    """Rows of numbers within the range of FP32, or NaN where one is missing: ``features`` is float64 ``[N, F]``."""

    features: FloatArray
    parameters: Parameters = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def size(self) -> int:
        """The amount of work: rows."""
        return len(self.features)


@dataclass(slots=True)
class ColumnBatch:
    """Columns of ``N`` rows by name: float64, int64 or bool arrays, NaN where a number is missing, or lists of strings,
    None where one is missing.
    """

    columns: dict[str, Column]
    parameters: Parameters = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def size(self) -> int:
        """The amount of work: rows."""
        return len(self)


@dataclass(slots=True)
class TextBatch:
    """``N`` strings."""

    texts: list[str]
    parameters: Parameters = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def size(self) -> int:
        """The amount of work: characters."""
        return sum(map(len, self.texts))


@dataclass(slots=True)
class PromptBatch:
    """One prompt for a language model.

    Args:
        messages: the turns of a chat, as ``(role, content)``; empty for a completion.
        text: the text to complete.
        parameters: of the generation.
    """

    messages: list[tuple[str, str]] = field(default_factory=list)
    text: str = ""
    parameters: Parameters = field(default_factory=dict)

    def __len__(self) -> int:
        return 1

    @property
    def size(self) -> int:
        """The amount of work, which is not known before the answer is written."""
        return 1


Batch: TypeAlias = FeatureBatch | ColumnBatch | TextBatch | PromptBatch


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum size of one request.

    Args:
        max_rows: instances, or the first dimension of a tensor.
        max_text_chars: characters of one text; 0 if the model takes no text.
    """

    max_rows: int
    max_text_chars: int = 0


class Job:
    """The computation of one batch; a model that takes long checks `stopped` between steps.

    Args:
        deadline: seconds on the clock.
        emit: receives parts of the answer as they come, if the caller streams.
        clock: monotonic seconds.
    """

    __slots__ = ("_cancelled", "_clock", "begun", "deadline", "emit")

    def __init__(
        self, deadline: float, emit: Callable[[Event], None] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.deadline = deadline
        self.emit = emit
        self.begun = 0.0
        """When a thread took it, seconds on the clock; 0 before."""
        self._clock = clock
        self._cancelled = False

    def cancel(self) -> None:
        """The answer is no longer wanted."""
        self._cancelled = True

    def stopped(self) -> bool:
        """Whether to give up: cancelled, or past the deadline."""
        return self._cancelled or self._clock() >= self.deadline
