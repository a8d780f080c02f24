"""Parsing large JSON in slices.

orjson parses in one go, in which no other thread runs: the event loop would not answer a probe for a tenth of a second
and more. So a large body is cut at commas, and the slices are parsed one by one. NumPy finds the commas: it notes for
each byte how many lists and objects it is in, and whether it is in a string. What is cut wrongly, because the body is
not valid, is refused as a slice or by its brackets.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.protocols.bounds import MOST_PARTS

SLICE_BYTES = 128 * 1024
"""Bodies of twice this size or less are parsed in one go, in a few milliseconds."""
_BLOCK_BYTES = 2**20  # looked at by NumPy at once
_MOST_LEVELS = 12  # lists and objects in others than so many are not cut
_IN_STRING = 127
_WHITE_SPACE = b" \t\n\r"
_SPACE = re.compile(rb"[ \t\n\r]*+")
_COMMA, _QUOTE, _COLON = b',":'
_OPEN, _CLOSE = b"[{", b"]}"


def parse_large(body: bytes) -> Any:
    """Parse JSON as orjson does.

    Args:
        body: UTF-8 text.

    Raises:
        InvalidInput: not valid JSON.
        TooLarge: more than `MOST_PARTS` lists, objects and fields.
    """
    return _Slicer(body).load(0, len(body), 0)


def without_escaped_quotes(body: bytes) -> bytes:
    """JSON of the same length, in which each quote begins or ends a string."""
    return body.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in body else body


class _Slicer:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._codes = np.frombuffer(without_escaped_quotes(body), dtype=np.uint8)
        self._depths = np.empty(len(body), dtype=np.int8)
        self._measure()

    def _measure(self) -> None:
        depth, quotes, parts = 0, 0, 0
        for begin in range(0, len(self._codes), _BLOCK_BYTES):
            codes = self._codes[begin : begin + _BLOCK_BYTES]
            marks = (codes == _QUOTE).view(np.uint8)
            marks[0] += quotes % 2
            counts = np.add.accumulate(marks, dtype=np.uint8)  # odd within a string
            outside = counts % 2 == 0
            opens = ((codes == _OPEN[0]) | (codes == _OPEN[1])) & outside
            closes = ((codes == _CLOSE[0]) | (codes == _CLOSE[1])) & outside
            steps = opens.view(np.int8) - closes.view(np.int8)
            depths = depth + np.add.accumulate(steps, dtype=np.int32)
            parts += int(np.count_nonzero(opens) + np.count_nonzero((codes == _COLON) & outside))
            if parts > MOST_PARTS:
                raise TooLarge(f"the body has more than {MOST_PARTS} lists, objects and fields; send fewer rows")
            depth, quotes = int(depths[-1]), int(counts[-1])
            self._depths[begin : begin + _BLOCK_BYTES] = np.where(
                outside, np.clip(depths, -1, _IN_STRING - 1), _IN_STRING
            )

    def load(self, begin: int, end: int, depth: int) -> Any:
        """Parse the value between two places, which is in so many lists and objects."""
        if end - begin <= 2 * SLICE_BYTES or depth >= _MOST_LEVELS:
            return self._parse(begin, end)
        begin = self._next(begin, end)
        end = begin + len(self._body[begin:end].rstrip(_WHITE_SPACE))
        bracket = _OPEN.find(self._body[begin : begin + 1])
        if bracket < 0 or begin == end:
            return self._parse(begin, end)
        if self._body[end - 1] != _CLOSE[bracket] or int(self._depths[begin : end - 1].min()) <= depth:
            raise self._invalid("unbalanced brackets", end - 1)
        inside = self._slices(begin + 1, end - 1, depth + 1)
        return self._list(inside, depth + 1) if bracket == 0 else self._object(inside, depth + 1)

    def _list(self, slices: Iterator[tuple[int, int, bool]], depth: int) -> list[Any]:
        values: list[Any] = []
        for begin, end, alone in slices:
            if alone:
                values.append(self.load(begin, end, depth))
            else:
                values += self._parse(begin, end, b"[]")
        return values

    def _object(self, slices: Iterator[tuple[int, int, bool]], depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for begin, end, alone in slices:
            colon = self._find(_COLON, begin, end, depth) if alone else -1
            if colon < 0:
                fields |= self._parse(begin, end, b"{}")
                continue
            (key,) = self._parse(begin, colon, b"{:0}")
            fields[key] = self.load(colon + 1, end, depth)
        return fields

    def _slices(self, begin: int, end: int, depth: int) -> Iterator[tuple[int, int, bool]]:
        """Cut what is in a list or object; tells of each slice whether it is one large element."""
        if self._body[self._next(begin, end)] == _COMMA:
            raise self._invalid("unexpected comma", begin)
        while end - begin > SLICE_BYTES:
            cut, alone = self._rfind(begin, begin + SLICE_BYTES, depth), False
            if cut < 0:
                cut, alone = self._find(_COMMA, begin + SLICE_BYTES, end, depth), True
            if cut < 0:
                break
            yield begin, cut, alone
            begin = cut + 1
            # A slice without an element would pass for an empty list.
            if (place := self._next(begin, end)) == end or self._body[place] == _COMMA:
                raise self._invalid("unexpected comma", place)
        yield begin, end, end - begin > SLICE_BYTES and self._next(begin, end) < end

    def _find(self, code: int, begin: int, end: int, depth: int) -> int:
        for start in range(begin, end, _BLOCK_BYTES):
            places = self._places(code, start, min(start + _BLOCK_BYTES, end), depth)
            if len(places):
                return start + int(places[0])
        return -1

    def _rfind(self, begin: int, end: int, depth: int) -> int:
        places = self._places(_COMMA, begin, end, depth)
        return begin + int(places[-1]) if len(places) else -1

    def _places(self, code: int, begin: int, end: int, depth: int) -> Any:
        return np.flatnonzero((self._codes[begin:end] == code) & (self._depths[begin:end] == depth))

    def _next(self, begin: int, end: int) -> int:
        """Where the next thing is that is not white space; ``end`` if there is none."""
        found = _SPACE.match(self._body, begin, end)
        return found.end() if found else begin

    def _parse(self, begin: int, end: int, around: bytes = b"") -> Any:
        """Parse a slice, with brackets around it: as many before it as it takes for what follows to close them."""
        opening, closing = around[:1], around[1:]
        try:
            return orjson.loads(b"".join((opening, memoryview(self._body)[begin:end], closing)))
        except orjson.JSONDecodeError as error:
            raise self._invalid(error.msg, min(begin + error.pos - len(opening), end)) from None

    def _invalid(self, message: str, place: int) -> InvalidInput:
        line = self._body.count(b"\n", 0, place) + 1
        column = place - self._body.rfind(b"\n", 0, place)
        return InvalidInput(f"the body is not valid JSON: {message} at line {line} column {column}")
