"""JWTs: tokens that an issuer signed, and that say themselves who has them and what they allow (RFC 7519, RFC 8725)."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt

from predictors.serving.access.caller import Caller, Grant, claimed_grant
from predictors.serving.access.jwks import Key, KeySource
from predictors.serving.access.settings import AccessSettings
from predictors.serving.errors import Unauthenticated, Unavailable

_MAX_CHARS = 8192
_MAX_SUBJECT_CHARS = 256
# A signature takes a tenth of a millisecond to check, so those that were right are remembered until they expire.
_MOST_KNOWN = 4096
_REQUIRED = ["exp", "iss", "aud", "sub"]
_SAYS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "the token has expired; get a new one",
    jwt.ImmatureSignatureError: "the token is not valid yet",
    jwt.InvalidAudienceError: "the token is for another audience",
    jwt.InvalidIssuerError: "the token is from another issuer",
    jwt.MissingRequiredClaimError: f"the token lacks a claim; needed are {', '.join(_REQUIRED)}",
}


class _Known(NamedTuple):
    caller: Caller
    expires: float


class SignedTokens:
    """Checks JWTs.

    Args:
        settings: whose tokens are taken, and how they are read.
        source: of the keys.
        clock: seconds since 1970.
    """

    def __init__(self, settings: AccessSettings, source: KeySource, clock: Callable[[], float] = time.time) -> None:
        self.source = source
        """Of the keys; to be kept up to date."""
        self._settings, self._clock = settings, clock
        self._algorithms = frozenset(settings.jwt_algorithms)
        self._keys = source.keys
        self._known: dict[bytes, _Known] = {}

    async def find(self, token: str, digest: bytes) -> Caller:
        """Whose token this is.

        Args:
            token: as it came.
            digest: of it.

        Raises:
            Unauthenticated: it is not valid; the text says why, once its signature is right.
            Unavailable: there are no keys yet to check it with.
        """
        if self._keys is not self.source.keys:  # one of them may be gone, and with it what it signed
            self._keys = self.source.keys
            self._known.clear()
        known = self._known.get(digest)
        if known is not None and known.expires > self._clock():
            return known.caller
        return self._remember(digest, await self._check(token))

    def _remember(self, digest: bytes, known: _Known) -> Caller:
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[digest] = known
        return known.caller

    async def _check(self, token: str) -> _Known:
        if len(token) > _MAX_CHARS:
            raise _invalid()
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, RecursionError):  # the latter from PyJWT before 2.15
            raise _invalid() from None
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise _invalid()
        key = await self._key(header)
        if algorithm not in key.algorithms:
            raise _invalid()
        return self._read(self._claims(token, key, algorithm))

    async def _key(self, header: dict[str, Any]) -> Key:
        keys = self.source.keys
        name = header.get("kid", "")
        if not name and len(keys) == 1:
            return next(iter(keys.values()))
        if name not in keys:
            await self.source.ask_again()
            keys = self.source.keys
        if not keys:
            raise Unavailable("tokens cannot be checked now, since their issuer's keys are not there; try again later")
        if name not in keys:
            raise _invalid()
        return keys[name]

    def _claims(self, token: str, key: Key, algorithm: str) -> dict[str, Any]:
        settings = self._settings
        try:
            return jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],
                audience=settings.jwt_audience,
                issuer=settings.jwt_issuer,
                leeway=settings.jwt_leeway_seconds,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise _invalid(_SAYS.get(type(error), "")) from None

    def _read(self, claims: dict[str, Any]) -> _Known:
        subject = claims["sub"]
        if not 0 < len(subject) <= _MAX_SUBJECT_CHARS or not subject.isprintable():
            raise _invalid(f"the token's subject is not a printable text of at most {_MAX_SUBJECT_CHARS} characters")
        claim = self._settings.jwt_models_claim
        grant = claimed_grant(claims.get(claim)) if claim else Grant(None, False)
        try:  # PyJWT also takes digits in a text, and numbers of any size
            expires = int(claims["exp"]) + self._settings.jwt_leeway_seconds
        except OverflowError:
            raise _invalid() from None
        return _Known(Caller(f"jwt:{subject}", grant), expires)


def _invalid(message: str = "") -> Unauthenticated:
    return Unauthenticated(message or "the token is not valid", "invalid_token")
