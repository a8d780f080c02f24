"""The managed endpoint: OpenAI's chat completions over HTTP, streamed, within a budget, bounds and the deadline."""

import asyncio
import logging
import math
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import orjson

from predictors.serving.access.watched_file import WatchedFile
from predictors.serving.model.standby import Outcome, StandbyFailed
from predictors.serving.protocols.consent import NO_FALLBACK
from predictors.summarizer.engine.types import FinishReason, Generation
from predictors.summarizer.fallback.breaker import Breaker
from predictors.summarizer.fallback.budget import Budget
from predictors.summarizer.fallback.events import Nonsense, Withheld, pieces
from predictors.summarizer.fallback.settings import FallbackSettings
from predictors.summarizer.text.digest import CHARS_PER_TOKEN

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

Messages: TypeAlias = Sequence[tuple[str, str]]
_CONNECT_SECONDS = 3.0
# An endpoint that does not answer within this time is taken for one that fails; if a caller has less, it is the
# caller's deadline that is short.
_PATIENCE_SECONDS = 10.0
# Statuses that tell of the request rather than of the endpoint.
_FAULT_OF_THE_REQUEST = (400, 413, 422)
# What an event takes besides its text, and so for each token; more than any provider's.
_BYTES_PER_TOKEN, _LEAST_BYTES = 2048, 65_536


class Ask(NamedTuple):
    """What is asked.

    Args:
        messages: the chat, as ``(role, content)``, without what may not leave.
        max_tokens: of the answer.
        options: more fields of the request.
        deadline: when the answer ends with what there is by then, monotonic seconds.
    """

    messages: Messages
    max_tokens: int
    options: dict[str, Any]
    deadline: float


class Endpoint:
    """Asks the endpoint. Takes tenths of a second to make. All else is for the event loop.

    Args:
        settings: where it is, and how much may be asked.
        clock: monotonic seconds.

    Raises:
        StartupError: the key cannot be read.
    """

    def __init__(self, settings: FallbackSettings, clock: Callable[[], float] = time.monotonic) -> None:
        import httpx

        self._url = f"{settings.fallback_url}/chat/completions"
        self._model = settings.fallback_model
        self._most_tokens = settings.fallback_max_answer_tokens
        path = settings.fallback_key_file
        self._key = None if path is None else WatchedFile("fallback_key_file", Path(path), _parse_key)
        # A document asks for several of its parts at once, so requests of callers are not all that has to be bounded.
        self._turns = asyncio.Semaphore(settings.fallback_max_concurrent)
        self._budget = Budget(settings.fallback_requests_per_hour, settings.fallback_tokens_per_hour, clock)
        self._breaker = Breaker(clock)
        self._new_request = httpx.Request
        # Not a client, which would follow redirects if told to, keep cookies, and log each request.
        self._transport = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), proxy=_proxy(self._url))
        self._errors = httpx.HTTPError

    def unable(self) -> Outcome | None:
        """Why nothing may be asked now."""
        if self._breaker.is_open:
            return Outcome.OPEN
        return Outcome.SPENT if self._budget.is_spent else None

    async def complete(self, ask: Ask, on_text: Callable[[str], None]) -> Generation:
        """Let the endpoint continue a chat.

        Args:
            ask: what to ask.
            on_text: gets the answer's text as it comes.

        Returns:
            The answer; one that the deadline ended is what had come by then.

        Raises:
            StandbyFailed: there is no answer.
        """
        try:
            async with asyncio.timeout(ask.deadline - time.monotonic()):
                await self._turns.acquire()
        except TimeoutError:
            raise StandbyFailed(Outcome.LATE) from None
        try:
            return await self._complete(ask, _Answer(ask, on_text))
        finally:
            self._turns.release()

    async def _complete(self, ask: Ask, answer: "_Answer") -> Generation:
        seconds = ask.deadline - time.monotonic()
        if seconds <= 0:  # nothing would be sent, so it costs nothing of the budget
            raise StandbyFailed(Outcome.LATE)
        outcome = self.unable()
        if outcome is not None:
            raise StandbyFailed(outcome)
        self._budget.take_request()
        self._breaker.begin()
        try:
            async with asyncio.timeout(seconds):
                await self._get(ask, answer)
        except TimeoutError:
            if not answer.text:
                if seconds >= _PATIENCE_SECONDS:
                    self._failed(f"no answer within {seconds:.0f} s")
                raise StandbyFailed(Outcome.LATE) from None
            answer.finish_reason = "deadline"
        except _RefusedError as error:
            if error.status in _FAULT_OF_THE_REQUEST:
                logger.warning("fallback: the endpoint refused a request with status %d", error.status)
            else:
                self._failed(f"status {error.status}")
            raise StandbyFailed(Outcome.FAILED) from None
        except Withheld as error:
            logger.warning("fallback: the endpoint gave %s", error)
            raise StandbyFailed(Outcome.FAILED) from None
        except (Nonsense, self._errors, OSError) as error:
            self._failed(str(error) if isinstance(error, Nonsense) else type(error).__name__)
            raise StandbyFailed(Outcome.FAILED) from None
        finally:  # what broke off costs too
            self._budget.take_tokens(answer.prompt_tokens + answer.completion_tokens if answer.accepted else 0)
        if self._breaker.succeeded():
            logger.info("fallback: the endpoint answers again")
        return answer.generation()

    def _failed(self, how: str) -> None:
        logger.warning("fallback: the endpoint failed: %s", how)
        if self._breaker.failed():
            logger.error("fallback: the endpoint keeps failing; it is tried again every half minute")

    async def _get(self, ask: Ask, answer: "_Answer") -> None:
        body = {
            "model": self._model,
            "messages": [{"role": role, "content": content} for role, content in ask.messages],
            "max_tokens": min(ask.max_tokens, self._most_tokens),
            "stream": True,
            "stream_options": {"include_usage": True},
            **ask.options,
        }
        request = self._new_request("POST", self._url, content=orjson.dumps(body), headers=self._headers())
        request.extensions["timeout"] = {"connect": _CONNECT_SECONDS, "pool": None, "read": None, "write": None}
        response = await self._transport.handle_async_request(request)
        try:
            if response.status_code != 200:  # redirects too: they could lead anywhere, key and all
                raise _RefusedError(response.status_code)
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise Nonsense("an answer that is not streamed")
            answer.accepted = True
            await self._read(response, answer)
        finally:
            await response.aclose()

    async def _read(self, response: "httpx.Response", answer: "_Answer") -> None:
        most = _LEAST_BYTES + _BYTES_PER_TOKEN * self._most_tokens
        async for piece in pieces(response.aiter_raw(), most):
            answer.add(piece.text)
            answer.finish_reason = piece.finish_reason or answer.finish_reason
            if piece.usage is not None:
                answer.prompt_tokens, answer.completion_tokens = piece.usage
        if not answer.finish_reason:
            raise Nonsense("an answer that broke off")

    def _headers(self) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # nothing that grows here beyond what was counted
            "user-agent": "kserve-predictors",
            NO_FALLBACK: "true",  # two servers that fall back on each other must not go round
        }
        if self._key is not None:
            self._key.reload_if_changed()
            headers["authorization"] = f"Bearer {self._key.value}"
        return headers

    async def close(self) -> None:
        """Close its connections."""
        await self._transport.aclose()


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class _Answer:
    """An answer as it comes. Tokens are estimated by characters until the endpoint says how many there are."""

    def __init__(self, ask: Ask, on_text: Callable[[str], None]) -> None:
        self.finish_reason: FinishReason | None = None
        self.text = ""
        self.prompt_tokens = _estimate(sum(len(content) for _, content in ask.messages))
        self.completion_tokens = 0
        self.accepted = False
        """Whether the endpoint has begun to answer."""
        self._on_text = on_text
        self._begun = time.monotonic()
        self._first_token = 0.0

    def add(self, text: str) -> None:
        if not text:
            return
        self._first_token = self._first_token or time.monotonic() - self._begun
        self.text += text
        self.completion_tokens = _estimate(len(self.text))
        self._on_text(text)

    def generation(self) -> Generation:
        return Generation(
            text=self.text,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=0,
            completion_tokens=self.completion_tokens,
            finish_reason=self.finish_reason or "stop",
            seconds_to_first_token=self._first_token,
        )


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an URL. What goes in the clear stays nearby."""
    parts = urlsplit(url)
    return None if parts.scheme != "https" or proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def _estimate(characters: int) -> int:
    return math.ceil(characters / CHARS_PER_TOKEN)


def _parse_key(raw: bytes) -> str:
    key = raw.decode("ascii", "replace").strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("it holds no key: one line of ASCII without spaces is expected")
    return key
