"""A summary that comes as it is found: from server-sent events to points."""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from predictors.client.answers import Point, Progress, Summary, streamed_summary
from predictors.client.errors import BadAnswer, ClientError, ConnectionLost, StreamFailed
from predictors.client.tensors import Parameters
from predictors.client.wire import rest
from predictors.client.wire.messages import HttpAnswer, HttpRequest
from predictors.client.wire.sse import Event, SseParser

Part: TypeAlias = Progress | Point | Summary
"""How far it is; a point, as soon as it is found; and at the end all of them, by topic."""

# How OpenAI's streams end, and those of proxies that take every stream for one of them.
_DONE = "[DONE]"
_OK = 200


def request(document: str, model: str, parameters: Parameters) -> HttpRequest:
    """The request for a stream."""
    body = {"instances": [document], "parameters": {**parameters, "stream": True}}
    return HttpRequest("POST", rest.predict_path(model), rest.to_json(body))


def is_stream(head: HttpAnswer) -> bool:
    """Whether an answer is a stream, by its head."""
    return head.status == _OK and head.headers.get("content-type", "").lower().startswith("text/event-stream")


def no_stream(head: HttpAnswer, body: bytes, wall_clock: float) -> ClientError:
    """The error for an answer that is not a stream.

    Args:
        head, body: what came.
        wall_clock: seconds since 1970, for ``Retry-After``.
    """
    answer = head._replace(body=body)
    return rest.refusal(answer, wall_clock) or rest.bad_answer(answer)


class SummaryReader:
    """Takes the bytes of an answer, gives its parts.

    Args:
        request_id: of the call.
        most_bytes: the largest event that is read.
    """

    def __init__(self, request_id: str, most_bytes: int) -> None:
        self._request_id = request_id
        self._parser = SseParser(most_bytes)
        self.complete = False
        """Whether the last part has been given."""

    def feed(self, piece: bytes) -> Iterator[Part]:
        """Read on.

        Raises:
            StreamFailed: the server reports an error.
            BadAnswer: an event cannot be read.
        """
        for event in self._parser.feed(piece):
            if self.complete or event.data == _DONE:
                continue
            part = self._part(event)
            if part is not None:
                self.complete = isinstance(part, Summary)
                yield part

    def end(self) -> None:
        """The connection has ended.

        Raises:
            ConnectionLost: the answer is not complete.
        """
        if not self.complete:
            raise self.lost()

    def lost(self) -> ConnectionLost:
        """The error for a connection that ended too early."""
        return ConnectionLost("the stream ended before the summary was complete", request_id=self._request_id)

    def _part(self, event: Event) -> Part | None:
        try:
            data: dict[str, Any] = json.loads(event.data)
            match event.name:
                case "progress":
                    return Progress(int(data["done"]), int(data["total"]), str(data["mode"]))
                case "bullet":
                    return Point.of(data)
                case "done":
                    return streamed_summary(data, self._request_id)
                case "error":
                    error = data["error"]
                    message = str(error["message"] if isinstance(error, dict) else error)
                case _:
                    return None  # of a newer server
        except rest.MISREAD:
            bad = f'an event "{event.name[:64]}" of the stream cannot be read'
            raise BadAnswer(bad, request_id=self._request_id) from None
        raise StreamFailed(message, request_id=self._request_id)
