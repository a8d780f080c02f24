"""Server-sent events (the HTML standard, 9.2.6), read from bytes that may be cut anywhere."""

from typing import NamedTuple

from predictors.client.errors import BadAnswer

_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event.

    Args:
        name: its type; empty if it has none.
        data: its lines, with line feeds between them.
    """

    name: str
    data: str


class SseParser:
    """Takes bytes, gives events.

    Args:
        most_bytes: the largest event that is read.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._line: list[bytes] = []
        self._held = 0
        self._after_cr = False
        self._begun = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, part: bytes) -> list[Event]:
        """Read on.

        Raises:
            BadAnswer: an event is too large.
        """
        events: list[Event] = []
        if self._after_cr and part.startswith(b"\n"):  # the second half of a line's end
            part = part[1:]
            self._after_cr = False
        if part:
            self._after_cr = part.endswith(b"\r")
        for line in part.splitlines(keepends=True):
            self._held += len(line)
            if self._held > self._most_bytes:
                raise BadAnswer(f"an event of the stream is larger than {self._most_bytes} bytes")
            text = line.rstrip(b"\r\n")
            self._line.append(text)
            if len(text) < len(line):
                whole, self._line = b"".join(self._line), []
                self._take(whole, events)
        return events

    def _take(self, line: bytes, events: list[Event]) -> None:
        if not self._begun:
            self._begun, line = True, line.removeprefix(_BOM)
        if not line:
            if self._data:
                events.append(Event(self._name, "\n".join(self._data)))
            self._name, self._data, self._held = "", [], 0
            return
        field, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            self._data.append(text)
        elif field == b"event":
            self._name = text
