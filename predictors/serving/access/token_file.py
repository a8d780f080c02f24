"""Tokens that a file allows. It holds their SHA-256 digests, so that who reads the file cannot call.

A line is a digest, the name of whoever has the token, and what the token allows::

    # what follows a hash is a comment
    sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 shop iris,intent
    sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752 batch *

A plain digest is enough, and quick, since tokens are made by a generator (`new_token`) and have 256 random bits: a
salt and a slow hash protect what people choose, which can be guessed.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from predictors.serving.access.caller import Caller, Grant, parse_grant

_PREFIX = "sha256:"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TOKEN_BYTES = 32
# Digests are found by their first bytes; what tells two tokens apart is compared in constant time.
_INDEX_BYTES = 8


class _Entry(NamedTuple):
    digest: bytes
    caller: Caller


class Tokens:
    """The tokens of a file.

    Args:
        entries: digest and caller of each.

    Raises:
        ValueError: a token stands there twice.
    """

    def __init__(self, entries: list[_Entry]) -> None:
        self._entries = {entry.digest[:_INDEX_BYTES]: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise ValueError("a token stands in it twice")

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, digest: bytes) -> Caller | None:
        """Whose token has this digest; None if it is nobody's."""
        entry = self._entries.get(digest[:_INDEX_BYTES])
        return entry.caller if entry is not None and hmac.compare_digest(entry.digest, digest) else None


def parse_tokens(raw: bytes) -> Tokens:
    """Read the content of a file.

    Raises:
        ValueError: it is not valid, naming the line at fault without its content.
    """
    try:
        lines = raw.decode().splitlines()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
    return Tokens([_entry(number, line) for number, line in enumerate(lines, 1) if line.partition("#")[0].strip()])


def _entry(number: int, line: str) -> _Entry:
    words = line.partition("#")[0].split()
    if not _DIGEST.fullmatch(words[0]):
        raise ValueError(f"line {number} does not begin with sha256: and 64 hexadecimal digits in lower case")
    if not 2 <= len(words) <= 3:
        raise ValueError(
            f"line {number} has {len(words)} words; a digest, a name, and models without spaces are expected"
        )
    if not _NAME.fullmatch(words[1]):
        raise ValueError(
            f"line {number}: a name has at most 64 letters, digits and ._@-, and begins with a letter or digit"
        )
    try:
        grant = parse_grant(words[2].split(",")) if len(words) > 2 else Grant(frozenset(), False)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None
    return _Entry(bytes.fromhex(words[0].removeprefix(_PREFIX)), Caller(f"token:{words[1]}", grant))


def digest_of(token: str) -> bytes:
    """The digest that the file holds of a token."""
    return hashlib.sha256(token.encode()).digest()


def new_token() -> str:
    """Make a token: 256 random bits, in characters that need no quotes anywhere."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def line_of(token: str, name: str, models: str) -> str:
    """The line of a token.

    Raises:
        ValueError: the name or the models are not valid.
    """
    line = f"{_PREFIX}{digest_of(token).hex()} {name} {models}"
    _entry(1, line)
    return line
