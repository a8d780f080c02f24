"""Asks canaries what they would have answered."""

import asyncio
import ssl
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Self

from predictors.serving.protocols.consent import NO_FALLBACK
from predictors.serving.protocols.deadline import HEADER as DEADLINE_HEADER
from predictors.serving.shadow.copies import Copy
from predictors.serving.shadow.wire import Answer, decode_answer, encode_request

if TYPE_CHECKING:
    import httpx

HEADER = "x-predictors-shadow"
"""Marks a copy, so that it is never copied again."""
# The longest id that servers take over.
_MAX_ID = 128
# More than any answer to a batch that the sampler lets through.
_MAX_ANSWER_BYTES = 512 * 1024
# Well below the time after which servers close an idle connection: a copy must not meet one that is just closing.
_IDLE_SECONDS = 5.0


class NoAnswerError(Exception):
    """The canary answered, but not the question; says how."""


class CanaryBusyError(Exception):
    """The canary has no room for more, which says nothing about its answers."""


class Canaries:
    """Asks canaries over connections of its own; an asynchronous context, whose end closes them.

    It takes some tenths of a second to make, to import httpx and to read the authorities' certificates: do it on a
    thread.

    Args:
        token_file: holds the token that copies carry; it is read for each, since it may change.
    """

    def __init__(self, token_file: Path | None = None) -> None:
        import httpx

        self._token_file = token_file

        self._new_request = httpx.Request
        # Not a client, which would take a third more time, use the proxies of the environment, and keep cookies.
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl.create_default_context(), limits=httpx.Limits(keepalive_expiry=_IDLE_SECONDS)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    async def ask(self, copy: Copy) -> Answer:
        """Send a copy, once.

        Raises:
            TimeoutError: no answer came in time.
            CanaryBusyError: it has no room.
            NoAnswerError: it answered with an error, or endlessly; or the token cannot be read.
            UnreadableAnswer: it answered something else than a V2 answer.
            httpx.HTTPError: it was not reached, or does not speak HTTP.
        """
        predictor = copy.model.predictor
        url = f"{copy.url.rstrip('/')}/v2/models/{copy.model.name}/infer"
        body = encode_request(copy.batch, predictor.input.specs()[0].name)
        request = self._new_request("POST", url, content=body, headers={**_headers(copy), **self._authorization()})
        async with asyncio.timeout(copy.patience_seconds):
            response = await self._transport.handle_async_request(request)
            try:
                answer = await _read(response)
            finally:
                await response.aclose()
        return decode_answer(answer, predictor.outputs, len(copy.batch))

    def _authorization(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        try:
            token = self._token_file.read_text("ascii").strip()
        except (OSError, UnicodeError):
            raise NoAnswerError("the file of --shadow_token_file cannot be read") from None
        return {"authorization": f"Bearer {token}"}


def _headers(copy: Copy) -> dict[str, str]:
    trace = {"traceparent": copy.traceparent} if copy.traceparent else {}
    return (
        trace
        | {
            "content-type": "application/json",
            "accept-encoding": "identity",  # nothing that grows here beyond what was counted
            "x-request-id": f"shadow-{copy.id}"[:_MAX_ID],
            DEADLINE_HEADER: str(max(1, int(copy.allowed_seconds * 1000))),
            HEADER: "1",
            NO_FALLBACK: "true",  # it is the canary's own answer that is compared
        }
    )


async def _read(response: "httpx.Response") -> bytes:
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise CanaryBusyError
    if response.status_code != HTTPStatus.OK:
        raise NoAnswerError(f"status {response.status_code}")
    parts = bytearray()
    async for part in response.aiter_raw():
        parts += part
        if len(parts) > _MAX_ANSWER_BYTES:
            raise NoAnswerError(f"an answer of more than {_MAX_ANSWER_BYTES} bytes")
    return bytes(parts)
