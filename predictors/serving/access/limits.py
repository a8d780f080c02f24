"""Rate limits: how much each client, and all clients together, may ask of a model in a minute."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from predictors.serving.access.buckets import MINUTE, Buckets, Draw, Drawn
from predictors.serving.access.settings import AccessSettings
from predictors.serving.access.shared_buckets import SharedBuckets
from predictors.serving.errors import RateLimited, StartupError

# Shares of a minute are not exact.
_TOLERANCE = 1e-6


class Quota(NamedTuple):
    """One limit.

    Args:
        name: in headers, keys and metrics: ``client``, ``tokens`` or ``model``.
        per_minute: what may be used up in a minute.
        own: whether each client has its own; otherwise all share it.
        at_once: what a request takes of it when it comes.
        says: what it limits, in an error.
    """

    name: str
    per_minute: int
    own: bool
    at_once: int
    says: str

    def draw(self, client: str, model: str, amount: int) -> Draw:
        """What is asked of it for a client and a model."""
        key = f"{self.name}:{model}:{client}" if self.own else f"{self.name}:{model}"
        return Draw(key, amount * MINUTE / self.per_minute)

    def left(self, used: float) -> int:
        """How much is left of it, where some seconds of a minute's allowance are used up."""
        return max(int((MINUTE - used) * self.per_minute / MINUTE + _TOLERANCE), 0)


class Standing(NamedTuple):
    """Where a request stands with its limits.

    The texts are those of the headers of draft-ietf-httpapi-ratelimit-headers: q is a quota, w its window in seconds; r
    is what is left of it, t the seconds until all of it is there again, at most the window.

    Args:
        policy: the limits (`RateLimit-Policy`).
        left: what is left of them (`RateLimit`).
        refusal: what to answer, if it is one request too many.
    """

    policy: str = ""
    left: str = ""
    refusal: RateLimited | None = None

    @property
    def limit(self) -> str:
        """The name of the limit that refuses the request; empty if none does."""
        return "" if self.refusal is None else self.refusal.limit


class Limits:
    """The limits of a server.

    Args:
        settings: which they are, and where is counted.
        count: called with ``limits`` whenever they cannot be counted where they should.
        clock: monotonic seconds.

    Raises:
        StartupError: the shared server's address cannot be used.
    """

    def __init__(
        self, settings: AccessSettings, count: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        client, model = settings.client_requests_per_minute or 0, settings.model_requests_per_minute or 0
        requests = [
            Quota("client", client, True, 1, "requests a minute from each client"),
            Quota("model", model, False, 1, "requests a minute to this model"),
        ]
        tokens = Quota("tokens", settings.client_tokens_per_minute or 0, True, 0, "tokens a minute for each client")
        self._requests = _Quotas(requests)
        self._all = _Quotas([*requests, tokens])
        self._tokens = tokens
        self._here = Buckets(clock)
        self._shared = _shared(settings.limits_url, lambda: count("limits"), clock)

    async def admit(self, client: str, model: str, generates: bool) -> Standing:
        """Count a request, unless it is one too many.

        Args:
            client: the caller's key.
            model: the model's name.
            generates: whether the model reads and writes tokens. How many is known only afterwards; until then it is
                enough that some are left.
        """
        quotas = self._all if generates else self._requests
        draws = quotas.draws(client, model)
        if not draws:
            return Standing()
        drawn = await self._shared.draw(draws) if self._shared is not None else None
        if drawn is None:  # better each process for itself than not at all
            drawn = self._here.draw(draws)
        return quotas.standing(draws, drawn)

    async def charge(self, client: str, model: str, tokens: int) -> None:
        """Count the tokens that a request has used up."""
        if self._tokens.per_minute and tokens > 0:
            draw = self._tokens.draw(client, model, tokens)
            if self._shared is None or not await self._shared.charge(draw):
                self._here.charge(draw)

    async def close(self) -> None:
        """Close the connections to the shared server."""
        if self._shared is not None:
            await self._shared.close()


class _Quotas:
    """The limits of a kind of request."""

    def __init__(self, quotas: Iterable[Quota]) -> None:
        self._quotas = [quota for quota in quotas if quota.per_minute]
        self._policy = ", ".join(f'"{quota.name}";q={quota.per_minute};w=60' for quota in self._quotas)

    def draws(self, client: str, model: str) -> list[Draw]:
        """What a request takes of each."""
        return [quota.draw(client, model, quota.at_once) for quota in self._quotas]

    def standing(self, draws: Sequence[Draw], drawn: Drawn) -> Standing:
        """Say where a request stands that has asked for some draws."""
        used = drawn.used
        if not drawn.allowed:  # it has used up nothing
            used = [seconds - draw.seconds for seconds, draw in zip(used, draws, strict=True)]
        left = ", ".join(
            [
                f'"{quota.name}";r={quota.left(seconds)};t={_until_all_is_back(seconds)}'
                for quota, seconds in zip(self._quotas, used, strict=True)
            ]
        )
        return Standing(self._policy, left, None if drawn.allowed else self._refusal(drawn.used))

    def _refusal(self, used: Sequence[float]) -> RateLimited:
        longest, quota = max(zip(used, self._quotas, strict=True))
        seconds = max(math.ceil(longest - MINUTE), 1)
        says = f"at most {quota.per_minute} {quota.says} are allowed; try again in {seconds} s"
        return RateLimited(says, seconds, quota.name)


def _until_all_is_back(used: float) -> int:
    return math.ceil(min(used, MINUTE) - _TOLERANCE)  # tokens may leave a debt


def _shared(url: str, count: Callable[[], None], clock: Callable[[], float]) -> SharedBuckets | None:
    try:
        return SharedBuckets(url, count, clock) if url else None
    except ValueError as error:
        raise StartupError(f"--limits_url: {error}") from None
