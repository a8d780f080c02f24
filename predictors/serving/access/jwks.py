"""The public keys that JWTs are signed with (RFC 7517), from a file or an URL.

An URL is asked when the server starts, then every few minutes, and when a token names a key that is not there: issuers
may begin to sign with a new key at once. Whoever makes tokens up must not make the server ask again and again, so it
asks for unknown keys only every few seconds. While the URL is away, the keys that came last stay.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import jwt
import orjson

from predictors.serving.access.watched_file import POLL_SECONDS, WatchedFile

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 5.0
_REFRESH_SECONDS = 300.0
# Between two questions: after one that failed, and for keys that are not known.
_RETRY_SECONDS = 10.0
_MAX_BYTES = 256 * 1024
_MAX_KEYS = 100
_LEAST_RSA_BITS = 2048


class Key(NamedTuple):
    """A public key.

    Args:
        public: as PyJWT takes it.
        algorithms: that it may be used with.
    """

    public: Any
    algorithms: frozenset[str]


Keys: TypeAlias = Mapping[str, Key]
"""Keys by their ids; one without an id is under the empty string."""

# What a key can verify, by its type and curve. A secret (`oct`) is never among them: with it, whoever may check tokens
# could make them, and a public key that is taken for a secret (RFC 8725, 2.1) finds no algorithm here.
_ALGORITHMS = {
    ("RSA", ""): frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    ("EC", "P-256"): frozenset(("ES256",)),
    ("EC", "P-384"): frozenset(("ES384",)),
    ("EC", "P-521"): frozenset(("ES512",)),
    ("OKP", "Ed25519"): frozenset(("EdDSA",)),
}


def parse_keys(raw: bytes) -> Keys:
    """Read a JWKS; keys that sign nothing, or not safely, are left out.

    Raises:
        ValueError: it is no JWKS, or none of its keys can be used.
    """
    try:
        entries = orjson.loads(raw)["keys"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("it is not a JWKS, an object with a list of keys") from None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise ValueError(f"its keys are not a list of at most {_MAX_KEYS}")
    keys = {}
    for entry in entries:
        key = _key(entry) if isinstance(entry, dict) else None
        if key is not None:
            keys[str(entry.get("kid", ""))] = key
    if not keys:
        raise ValueError("it has no public key for signatures of a type that is known here: RSA, EC, OKP")
    return keys


def _key(entry: dict[str, Any]) -> Key | None:
    kind = str(entry.get("kty"))
    algorithms = _ALGORITHMS.get((kind, "" if kind == "RSA" else str(entry.get("crv"))), frozenset())
    if "alg" in entry:
        algorithms &= {str(entry["alg"])}
    if not algorithms or entry.get("use", "sig") != "sig":
        return None
    try:
        public = jwt.PyJWK({**entry, "alg": min(algorithms)}).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if hasattr(public, "private_numbers") or hasattr(public, "private_bytes"):
        return None  # whoever put it there has published the key itself
    return None if kind == "RSA" and public.key_size < _LEAST_RSA_BITS else Key(public, algorithms)


class KeySource(Protocol):
    """Where keys come from."""

    @property
    def keys(self) -> Keys:
        """Those that came last; the same object until they change."""

    async def ask_again(self) -> None:
        """Get them again, unless that was done a moment ago."""

    async def run(self) -> None:
        """Keep them up to date, for ever."""


class FileKeys:
    """Keys in a file.

    Args:
        path: the file.

    Raises:
        StartupError: it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile("jwt_keys", path, parse_keys)

    @property
    def keys(self) -> Keys:
        """Those that the file had when it could last be used."""
        return self._file.value

    async def ask_again(self) -> None:
        """Look at the file."""
        self._file.reload_if_changed()

    async def run(self) -> None:
        """Look at the file regularly."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._file.reload_if_changed()


class UrlKeys:
    """Keys at an URL. Only settings say which: what a token says of where its key is (`jku`, `x5u`) is ignored.

    Args:
        url: ``https://…``.
        count: called with ``keys`` for each question without an answer.
        clock: monotonic seconds.
    """

    def __init__(self, url: str, count: Callable[[str], None], clock: Callable[[], float]) -> None:
        self.keys: Keys = {}
        self._url, self._count, self._clock = url, count, clock
        self._raw = b""
        self._failing = False
        self._may_ask_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def ask_again(self) -> None:
        """Ask the URL, unless it was asked a moment ago; who comes meanwhile waits for the same answer."""
        if self._asking is None:
            if self._clock() < self._may_ask_at:
                return
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._asked)
        await asyncio.shield(self._asking)

    def _asked(self, _: object) -> None:
        self._asking = None
        self._may_ask_at = self._clock() + _RETRY_SECONDS

    async def run(self) -> None:
        """Ask regularly."""
        while True:
            await self.ask_again()
            await asyncio.sleep(_RETRY_SECONDS if self._failing else _REFRESH_SECONDS)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                raw = await self._get()
            if raw != self._raw:
                self.keys, self._raw = parse_keys(raw), raw
        except Exception as error:  # noqa: BLE001  # whatever is wrong there, the keys of before stay
            self._failed(error)
        else:
            if self._failing:
                logger.info("--jwt_keys: the address answers again")
            self._failing = False

    def _failed(self, error: Exception) -> None:
        self._count("keys")
        if not self._failing:  # once, and not again until it has answered
            reason = str(error) if type(error) is ValueError else type(error).__name__
            kept = f"the last {len(self.keys)} keys stay" if self.keys else "no JWT can be checked until it answers"
            logger.error("--jwt_keys: the address gives no keys (%s); %s", reason, kept)  # it may hold a key itself
        self._failing = True

    async def _get(self) -> bytes:
        client = await asyncio.to_thread(_new_client)
        async with client, client.stream("GET", self._url) as response:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MAX_BYTES:
                    raise ValueError(f"an answer of more than {_MAX_BYTES} bytes")
            return bytes(body)


def _new_client() -> Any:
    """A client for one question. It takes tenths of a second to make, so not on the event loop."""
    import httpx

    return httpx.AsyncClient(
        verify=ssl.create_default_context(),
        headers={"accept": "application/json", "accept-encoding": "identity"},
        timeout=_TIMEOUT_SECONDS,
        follow_redirects=False,
    )
