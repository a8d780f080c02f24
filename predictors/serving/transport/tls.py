"""TLS: one certificate for REST and gRPC, read again when its files change."""

import asyncio
import logging
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from predictors.serving.errors import StartupError

if TYPE_CHECKING:
    import grpc

logger = logging.getLogger(__name__)

# How often the files are looked at. Kubernetes itself takes about a minute to update a mounted Secret.
_POLL_SECONDS = 5.0


class _Pair(NamedTuple):
    certificate: bytes
    key: bytes


class Certificate:
    """A certificate and its key in PEM files.

    Args:
        certificate: the file of the certificate, with its chain.
        key: the file of its private key, without a passphrase.

    Raises:
        StartupError: they cannot be read, or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        """For REST; new connections use what was read last."""
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._stamp = self._read_stamp()
        try:
            self._pair = self._load()
        except OSError as error:
            raise StartupError(
                f"--ssl_certfile {certificate.name} and --ssl_keyfile {key.name} cannot be used: {_reason(error)}"
            ) from None

    def grpc_credentials(self) -> "grpc.ServerCredentials":
        """For gRPC; new connections use what was read last."""
        import grpc

        def configuration() -> grpc.ServerCertificateConfiguration:
            return grpc.ssl_server_certificate_configuration([(self._pair.key, self._pair.certificate)])

        return grpc.dynamic_ssl_server_credentials(configuration(), configuration, require_client_authentication=False)

    async def watch(self) -> None:
        """Read the files again whenever they change, for ever; what cannot be used changes nothing."""
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            self.reload_if_changed()

    def reload_if_changed(self) -> None:
        """Read the files again if they have changed."""
        stamp = self._read_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._pair = self._load()
        except OSError as error:
            logger.error("the new certificate cannot be used, the old one stays: %s", _reason(error))
        else:
            logger.info("the certificate was read again")

    def _load(self) -> _Pair:
        # A throw-away context first: one that has failed to load a key keeps the certificate that it does not fit.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._certificate, self._key, _no_passphrase)
        pair = _Pair(self._certificate.read_bytes(), self._key.read_bytes())
        self.context.load_cert_chain(self._certificate, self._key, _no_passphrase)
        return pair

    def _read_stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self._certificate, self._key))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _no_passphrase() -> str:
    return ""  # without this, OpenSSL would ask on the terminal


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"they are not a PEM certificate and its unencrypted key ({error.reason or 'unreadable'})"
    return os.strerror(error.errno or 0)
