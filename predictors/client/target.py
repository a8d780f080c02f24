"""Whom a client calls, and how it gets there: URL, TLS, connections, token."""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from predictors.client.errors import ConfigurationError

Token: TypeAlias = str | Path | Callable[[], str]
"""A bearer token; a file that holds one and is read again when it changes; or what gives one for each attempt."""

_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}


@dataclass(frozen=True, slots=True)
class Tls:
    """What a client trusts and shows.

    Args:
        ca_file: certificates of the authorities that it trusts, PEM; the system's by default.
        certificate_file: its own certificate with its chain, PEM, if the server asks for one.
        key_file: the private key of that, PEM, without a passphrase.
    """

    ca_file: Path | str | None = None
    certificate_file: Path | str | None = None
    key_file: Path | str | None = None

    def context(self) -> ssl.SSLContext:
        """What Python's TLS needs.

        Raises:
            ConfigurationError: a file cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file, password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise self._unusable(error) from None
        return context

    def pems(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """What gRPC needs: the authorities, the key and the certificate.

        Raises:
            ConfigurationError: a file cannot be used.
        """
        self.context()  # which says what is wrong with them; gRPC would only fail to connect
        files = (self.ca_file, self.key_file or self.certificate_file, self.certificate_file)
        try:
            authorities, key, certificate = (Path(file).read_bytes() if file else None for file in files)
        except OSError as error:
            raise self._unusable(error) from None
        return authorities, key, certificate

    def _unusable(self, error: Exception) -> ConfigurationError:
        named = ", ".join(str(file) for file in (self.ca_file, self.certificate_file, self.key_file) if file)
        return ConfigurationError(f"the TLS files {named} cannot be used: {getattr(error, 'strerror', None) or error}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """How a client connects.

    Args:
        most: connections at a time; a call beyond them waits for one within its deadline.
        keep_alive: how long an idle one is kept, seconds.
        host: the name to ask for, where it is not that of the URL: a gateway routes by it, and TLS checks it.
        most_bytes: the largest answer that is read.
    """

    most: int = 100
    keep_alive: float = 30.0
    host: str = ""
    most_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Target:
    """A server.

    Args:
        scheme: http, https, grpc or grpcs.
        host: its name or address.
        port: of TCP.
        path: before all paths, without the slash at the end.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> "Target":
        """Read a client's URL.

        Raises:
            ConfigurationError: it is none, or has what a client cannot use.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            reason = f" {url!a} cannot be read: {error}" if _may_be_shown(url) else " cannot be read"
            raise ConfigurationError(f"the URL{reason}") from None
        if parts.scheme not in _PORTS or not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
            shown = f" {url!a}" if _may_be_shown(url) else ""
            raise ConfigurationError(f"the URL{shown} should be http://, https://, grpc:// or grpcs://, then a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigurationError("the URL has a user, a query or a fragment; give tokens to the client instead")
        if parts.scheme.startswith("grpc") and parts.path.strip("/"):
            raise ConfigurationError("gRPC has no paths: the URL ends with the port")
        return cls(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.scheme.endswith("s")

    @property
    def address(self) -> str:
        """Host and port, as a header or gRPC has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] and self.scheme.startswith("http") else f"{host}:{self.port}"

    def proxy(self) -> str:
        """The proxy that the environment names for it; empty if there is none."""
        if not any(name.lower().endswith("_proxy") for name in os.environ):
            return ""
        from urllib.request import getproxies, proxy_bypass  # which takes as long to import as most of this package

        proxies = getproxies()
        return "" if proxy_bypass(f"{self.host}:{self.port}") else proxies.get(self.scheme) or proxies.get("all") or ""


class TokenSource:
    """Gives the token for each attempt.

    Args:
        token: as the client was given it.
    """

    def __init__(self, token: Token | None) -> None:
        self._token = token
        self._seen: tuple[int, ...] = ()
        self._read = ""

    def header(self) -> str:
        """The value of ``authorization``; empty if there is no token.

        Raises:
            ConfigurationError: the file cannot be read, or holds no token.
        """
        if self._token is None:
            return ""
        if isinstance(self._token, Path):
            token = self._from_file(self._token)
        else:
            token = self._token if isinstance(self._token, str) else self._token()
        token = token.strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigurationError("the token is empty or holds characters that no token has")
        return f"Bearer {token}"

    def _from_file(self, path: Path) -> str:
        try:
            found = path.stat()
            stamp = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
            if stamp != self._seen:
                self._read, self._seen = path.read_text("ascii"), stamp
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not ASCII"
            raise ConfigurationError(f"the token file {path} cannot be read: {reason}") from None
        return self._read


def _may_be_shown(url: str) -> bool:
    """Whether a URL has nowhere for a secret to be."""
    return not {"@", "?", "#"} & {*url}


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase; give one without")
