"""TLS: one certificate for REST and gRPC, and who may connect, read again when their files change."""

import asyncio
import logging
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from predictors.serving.errors import StartupError
from predictors.serving.mounted_file import stamp

if TYPE_CHECKING:
    import grpc

logger = logging.getLogger(__name__)

# How often the files are looked at. Kubernetes itself takes about a minute to update a mounted Secret.
_POLL_SECONDS = 5.0


class _Pems(NamedTuple):
    certificate: bytes
    key: bytes
    authorities: bytes | None


class Certificate:
    """A certificate and its key in PEM files, and the authorities of clients, if those need certificates too.

    Args:
        certificate: the file of the certificate, with its chain.
        key: the file of its private key, without a passphrase.
        authorities: the file with certificates of authorities, one of which must have issued a client's.

    Raises:
        StartupError: they cannot be read, or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path, authorities: Path | None = None) -> None:
        self._certificate, self._key, self._authorities = certificate, key, authorities
        self._stamp = self._look()
        try:
            self.context, self._pems = self._load()
        except OSError as error:
            files = f"--ssl_certfile {certificate.name} and --ssl_keyfile {key.name}"
            files += f" and --ssl_ca_certfile {authorities.name}" if authorities else ""
            raise StartupError(f"{files} cannot be used: {_reason(error)}") from None
        self._newest = self.context
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, *_: object) -> None:
        """For REST, whose listener keeps the first context: have a new connection use what was read last."""
        connection.context = self._newest

    def grpc_credentials(self) -> "grpc.ServerCredentials":
        """For gRPC; new connections use what was read last."""
        import grpc

        def configuration() -> grpc.ServerCertificateConfiguration:
            pems = self._pems
            return grpc.ssl_server_certificate_configuration([(pems.key, pems.certificate)], pems.authorities)

        return grpc.dynamic_ssl_server_credentials(
            configuration(), configuration, require_client_authentication=self._authorities is not None
        )

    async def watch(self) -> None:
        """Read the files again whenever they change, for ever; what cannot be used changes nothing."""
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            self.reload_if_changed()

    def reload_if_changed(self) -> None:
        """Read the files again if they have changed."""
        found = self._look()
        if found == self._stamp:
            return
        self._stamp = found
        try:
            self._newest, self._pems = self._load()
        except OSError as error:
            logger.error("the new certificate cannot be used, the old one stays: %s", _reason(error))
        else:
            logger.info("the certificate was read again")

    def _load(self) -> tuple[ssl.SSLContext, _Pems]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key, _no_passphrase)
        if self._authorities is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self._authorities)
            # A session that is resumed skips the check of the client's certificate, which may have become invalid. Only
            # TLS 1.3 lets all of that be turned off.
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.num_tickets = 0
        authorities = self._authorities.read_bytes() if self._authorities is not None else None
        return context, _Pems(self._certificate.read_bytes(), self._key.read_bytes(), authorities)

    def _look(self) -> tuple[tuple[int, ...], ...]:
        paths = (self._certificate, self._key, self._authorities)
        return tuple(stamp(path) for path in paths if path is not None)


def _no_passphrase() -> str:
    return ""  # without this, OpenSSL would ask on the terminal


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"they are not a PEM certificate and its unencrypted key ({error.reason or 'unreadable'})"
    return os.strerror(error.errno or 0)
