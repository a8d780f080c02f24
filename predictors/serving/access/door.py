"""The door: it tells callers from strangers."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from predictors.serving.access.addresses import Addresses
from predictors.serving.access.caller import ANYONE, Caller
from predictors.serving.access.limits import Limits
from predictors.serving.access.settings import AccessSettings
from predictors.serving.access.token_file import Tokens, digest_of, parse_tokens
from predictors.serving.access.watched_file import POLL_SECONDS, WatchedFile
from predictors.serving.errors import InvalidInput, StartupError, Unauthenticated

if TYPE_CHECKING:
    from predictors.serving.access.signed import SignedTokens

_HTTPS = "https://"


class Door:
    """Who may come in.

    Args:
        settings: the tokens, and the limits.
        count: called at each failure with its source, ``keys`` or ``limits``.

    Raises:
        StartupError: a file cannot be used, or a setting that others need is missing.
    """

    def __init__(self, settings: AccessSettings, count: Callable[[str], None]) -> None:
        self.limits = Limits(settings, count) if settings.limits else None
        """How often callers may come; None if there is no limit."""
        self._tokens = _token_file("token_digests_file", settings.token_digests_file)
        self._metrics_tokens = _token_file("metrics_token_digests_file", settings.metrics_token_digests_file)
        self._signed = _signed_tokens(settings, count)
        self._addresses = Addresses(settings.trusted_proxies)

    @property
    def guards_models(self) -> bool:
        """Whether callers need a token."""
        return self._tokens is not None or self._signed is not None

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked and nothing counted."""
        return not self.guards_models and self._metrics_tokens is None and self.limits is None

    async def admit(self, credentials: Sequence[str], peer: str, forwarded: Sequence[str]) -> Caller:
        """Find out who calls.

        Args:
            credentials: the values of the header Authorization.
            peer: the address at the other end of the connection, or ``unix``.
            forwarded: the values of the header X-Forwarded-For.

        Raises:
            Unauthenticated: by no token that is valid, where one is needed.
            InvalidInput: there are several Authorization headers.
            Unavailable: there are no keys to check JWTs with.
        """
        if self.guards_models:
            return await self._find(_token(credentials))
        if self.limits is None:
            return ANYONE
        return Caller(f"address:{self._addresses.client(peer, forwarded)}", ANYONE.grant)

    async def _find(self, token: str) -> Caller:
        digest = digest_of(token)
        found = self._tokens.value.find(digest) if self._tokens is not None else None
        if found is not None:
            return found
        if self._signed is not None:
            return await self._signed.find(token, digest)
        raise Unauthenticated("the token is not valid", "invalid_token")

    def admit_scraper(self, credentials: Sequence[str]) -> None:
        """Pass only who may read the metrics.

        Raises:
            Unauthenticated, InvalidInput: as `admit`.
        """
        if self._metrics_tokens is None:
            return
        if self._metrics_tokens.value.find(digest_of(_token(credentials))) is None:
            raise Unauthenticated("the token is not valid for the metrics", "invalid_token")

    async def run(self) -> None:
        """Keep tokens and keys up to date, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            if self._signed is not None:
                tasks.create_task(self._signed.source.run())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for file in (self._tokens, self._metrics_tokens):
                if file is not None:
                    file.reload_if_changed()

    async def close(self) -> None:
        """Close the connections to the server that counts for all replicas."""
        if self.limits is not None:
            await self.limits.close()


def _token_file(flag: str, path: Path | None) -> WatchedFile[Tokens] | None:
    return None if path is None else WatchedFile(flag, path, parse_tokens)


def _signed_tokens(settings: AccessSettings, count: Callable[[str], None]) -> "SignedTokens | None":
    given = {name: getattr(settings, name) for name in ("jwt_issuer", "jwt_audience", "jwt_keys")}
    if not any(given.values()):
        return None
    missing = [f"--{name}" for name, value in given.items() if not value]
    if missing:
        raise StartupError(f"JWTs need --jwt_issuer, --jwt_audience and --jwt_keys; missing is {' and '.join(missing)}")
    try:
        from predictors.serving.access.jwks import FileKeys, UrlKeys
        from predictors.serving.access.signed import SignedTokens
    except ImportError:
        raise StartupError("JWTs need the package PyJWT: install kserve-predictors[jwt]") from None
    where = settings.jwt_keys
    if "://" in where and not where.startswith(_HTTPS):
        raise StartupError("--jwt_keys must be a file or an address that begins with https://")
    source = UrlKeys(where, count, time.monotonic) if where.startswith(_HTTPS) else FileKeys(Path(where))
    return SignedTokens(settings, source)


def _token(credentials: Sequence[str]) -> str:
    """The token of a request (RFC 6750, 2.1).

    Raises:
        Unauthenticated: there is none.
        InvalidInput: there are several headers, of which a proxy may have checked another one.
    """
    if len(credentials) > 1:
        raise InvalidInput("there are several authorization headers; send one")
    scheme, _, token = credentials[0].partition(" ") if credentials else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated('a token is needed; send the header "authorization: Bearer TOKEN"')
    return token.strip()
