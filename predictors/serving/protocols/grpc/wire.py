"""How many fields a gRPC message holds, counted in its wire format before protobuf makes an object of each.

Protobuf parses a message in one go, in which nothing else runs, and an entry of a map costs it a hundred times the
bytes. So large messages are walked first, as far as the fields of a tensor's contents, in steps between which the event
loop has its turn. Small ones cannot hold enough to matter.
"""

from collections.abc import Iterator
from typing import NamedTuple

from predictors.serving.errors import TooLarge

MOST_ENTRIES = 10_000
"""Tensors, parameters and other fields of a message and of its tensors, together."""
MOST_ELEMENTS = 200_000
"""Strings, or other elements that have a field each, in all contents together."""
MOST_PACKED_BYTES = 2 * 2**20
"""Size of numbers that are packed in varints, as integers and booleans are, in all contents together."""
# Numbers of fields of ModelInferRequest, InferInputTensor and InferTensorContents.
_INPUTS, _OUTPUTS = 5, 6
_SHAPE, _CONTENTS = 3, 5
_FP32, _FP64, _STRINGS = 6, 7, 8
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class _Field(NamedTuple):
    """A field: its number, and where its value is if that has a length."""

    number: int
    begin: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.begin


class _Malformed(Exception):
    """Not the wire format: protobuf will say so."""


def check_fields(raw: bytes) -> None:
    """Refuse a message with too many fields.

    Args:
        raw: a message; what is wrong with it otherwise is left to protobuf.

    Raises:
        TooLarge: it has too many.
    """
    try:
        _Counter(raw).count_message()
    except _Malformed:
        return


class _Counter:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._entries = self._elements = self._packed = 0

    def count_message(self) -> None:
        for field in self._entries_of(0, len(self._raw)):
            if field.number in (_INPUTS, _OUTPUTS):
                self._count_tensor(field)

    def _count_tensor(self, tensor: _Field) -> None:
        for field in self._entries_of(tensor.begin, tensor.end):
            if field.number == _SHAPE and field.size > MOST_ENTRIES:
                raise TooLarge(f"a tensor has a shape of {field.size} bytes; at most {MOST_ENTRIES} are allowed")
            if field.number == _CONTENTS:
                self._count_contents(field)

    def _count_contents(self, contents: _Field) -> None:
        for field in _fields(self._raw, contents.begin, contents.end):
            self._elements += 1
            if self._elements > MOST_ELEMENTS:
                raise TooLarge(f"the contents have more than {MOST_ELEMENTS} elements; send fewer rows")
            if field.number not in (_FP32, _FP64, _STRINGS):
                self._packed += field.size
                if self._packed > MOST_PACKED_BYTES:
                    raise TooLarge(f"the contents have more than {MOST_PACKED_BYTES} bytes of integers; send them raw")

    def _entries_of(self, begin: int, end: int) -> Iterator[_Field]:
        for field in _fields(self._raw, begin, end):
            self._entries += 1
            if self._entries > MOST_ENTRIES:
                raise TooLarge(f"the message has more than {MOST_ENTRIES} tensors, parameters and other fields")
            yield field


def _fields(raw: bytes, at: int, end: int) -> Iterator[_Field]:
    """The fields of a message that lies between two places; those in a group count as the message's own."""
    while at < end:
        tag, at = _varint(raw, at, end)
        kind = tag & 7
        size = 0
        if kind == _VARINT:
            _, at = _varint(raw, at, end)
        elif kind == _FIXED64:
            size = 8
        elif kind == _FIXED32:
            size = 4
        elif kind == _LENGTH:
            size, at = _varint(raw, at, end)
        if at + size > end:
            raise _Malformed
        yield _Field(tag >> 3, at, at + size)
        at += size


def _varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of up to 64 bits; gives it, and where the next byte is."""
    value = shift = 0
    while at < end and shift < 64:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _Malformed
