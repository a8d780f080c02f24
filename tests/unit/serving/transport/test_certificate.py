"""The TLS certificate: validation at startup, and reloading."""

import logging
import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.errors import StartupError
from predictors.serving.transport.tls import Certificate
from tests.unit.serving.transport.certificates import Authority, Pair

AUTHORITY = Authority()


def served(certificate: Certificate) -> str:
    """Return the common name of the certificate that a new connection gets."""
    trusting = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    found: Any = client.getpeercert()
    return str(dict(name for (name,) in found["subject"])["commonName"])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return AUTHORITY.issue("first").write(tmp_path)


@pytest.fixture
def certificate(files: tuple[Path, Path]) -> Certificate:
    return Certificate(*files)


def test_unchanged_files_are_not_read_again(certificate: Certificate, caplog: pytest.LogCaptureFixture) -> None:
    assert served(certificate) == "first"
    with caplog.at_level(logging.INFO):
        certificate.reload_if_changed()
    assert served(certificate) == "first"
    assert caplog.messages == []


def test_changed_files_are_read_again_once(
    certificate: Certificate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    AUTHORITY.issue("second").write(tmp_path)
    with caplog.at_level(logging.INFO):
        certificate.reload_if_changed()
        certificate.reload_if_changed()
    assert served(certificate) == "second"
    assert caplog.messages == ["the certificate was read again"]


def mount(directory: Path, name: str, pair: Pair) -> tuple[Path, Path]:
    """Write files the way Kubernetes updates a mounted Secret: behind a symlink that is replaced atomically."""
    (directory / name).mkdir()
    pair.write(directory / name)
    (directory / "new").symlink_to(name)
    (directory / "new").rename(directory / "..data")
    paths = directory / "tls.crt", directory / "tls.key"
    for path in paths:
        if not path.is_symlink():
            path.symlink_to(Path("..data") / path.name)
    return paths


def test_an_updated_kubernetes_secret_is_read_again(tmp_path: Path) -> None:
    certificate = Certificate(*mount(tmp_path, "..1", AUTHORITY.issue("first")))
    assert served(certificate) == "first"
    mount(tmp_path, "..2", AUTHORITY.issue("second"))
    shutil.rmtree(tmp_path / "..1")
    certificate.reload_if_changed()
    assert served(certificate) == "second"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("tls.key", AUTHORITY.issue("other").key, "they are not a PEM certificate and its unencrypted key"),
        ("tls.key", AUTHORITY.issue("other", b"secret").key, "they are not a PEM certificate and its unencrypted key"),
        ("tls.crt", b"", "they are not a PEM certificate and its unencrypted key"),
        ("tls.crt", AUTHORITY.certificate[:100], "they are not a PEM certificate and its unencrypted key"),
        ("tls.crt", None, "No such file or directory"),
    ],
    ids=["key of another", "encrypted key", "empty", "truncated", "missing"],
)
def test_unusable_files_keep_the_old_certificate_until_repaired(
    files: tuple[Path, Path],
    certificate: Certificate,
    caplog: pytest.LogCaptureFixture,
    name: str,
    content: bytes | None,
    reason: str,
) -> None:
    broken = files[0].parent / name
    if content is None:
        broken.unlink()
    else:
        broken.write_bytes(content)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            certificate.reload_if_changed()
    (message,) = caplog.messages
    assert message.startswith(f"the new certificate cannot be used, the old one stays: {reason}")
    assert caplog.records[0].exc_info is None
    assert served(certificate) == "first"
    AUTHORITY.issue("repaired").write(broken.parent)
    certificate.reload_if_changed()
    assert served(certificate) == "repaired"


def test_a_certificate_written_before_its_key_is_used_once_both_match(
    files: tuple[Path, Path], certificate: Certificate
) -> None:
    second = AUTHORITY.issue("second")
    files[0].write_bytes(second.certificate)
    certificate.reload_if_changed()
    assert served(certificate) == "first"
    files[1].write_bytes(second.key)
    certificate.reload_if_changed()
    assert served(certificate) == "second"


def test_tls_1_2_is_the_oldest_version(certificate: Certificate) -> None:
    assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda certificate, key: certificate.unlink(), "No such file or directory"),
        (lambda certificate, key: key.unlink(), "No such file or directory"),
        (lambda certificate, key: key.write_bytes(AUTHORITY.issue("other").key), "KEY_VALUES_MISMATCH"),
        (lambda certificate, key: key.write_bytes(AUTHORITY.issue("other", b"secret").key), "unencrypted key"),
        (lambda certificate, key: key.write_bytes(certificate.read_bytes()), "unencrypted key"),
        (lambda certificate, key: certificate.write_bytes(key.read_bytes()), "unencrypted key"),
        (lambda certificate, key: (certificate.unlink(), certificate.mkdir()), "a directory"),
    ],
    ids=[
        "no certificate",
        "no key",
        "key of another",
        "encrypted key",
        "no key in it",
        "no certificate in it",
        "directory",
    ],
)
def test_unusable_files_are_reported_in_one_sentence(files: tuple[Path, Path], break_it: object, reason: str) -> None:
    assert callable(break_it)
    break_it(*files)
    with pytest.raises(StartupError) as caught:
        Certificate(*files)
    message = str(caught.value)
    assert message.startswith("--ssl_certfile tls.crt and --ssl_keyfile tls.key cannot be used: ")
    assert reason in message
    assert "\n" not in message


def admitted(certificate: Certificate, client: Pair | None, directory: Path) -> bool:
    """Whether a client with a certificate, or without one, may connect."""
    context = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    if client is not None:
        directory.mkdir(exist_ok=True)
        context.load_cert_chain(*client.write(directory))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    connection = context.wrap_bio(to_client, to_server, server_hostname="localhost")
    done = False
    for _ in range(3):
        for side in (connection, server):
            try:
                side.do_handshake()
                done = side is server
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return done and server.getpeercert(binary_form=True) is not None


def test_only_clients_of_an_authority_may_connect(files: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = Authority(), Authority()
    trusted = tmp_path / "ca.crt"
    trusted.write_bytes(ours.certificate)
    certificate = Certificate(*files, trusted)
    mine, other = ours.issue("client", client=True), theirs.issue("client", client=True)
    assert admitted(certificate, mine, tmp_path / "client")
    assert not admitted(certificate, other, tmp_path / "client")
    assert not admitted(certificate, None, tmp_path / "client")
    trusted.write_bytes(theirs.certificate)
    certificate.reload_if_changed()
    assert admitted(certificate, other, tmp_path / "client")
    assert not admitted(certificate, mine, tmp_path / "client")
    trusted.write_bytes(b"nothing")
    certificate.reload_if_changed()
    assert admitted(certificate, other, tmp_path / "client")


def test_authorities_that_cannot_be_read_end_the_start(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"and --ssl_ca_certfile ca\.crt cannot be used: No such file or directory"):
        Certificate(*files, tmp_path / "ca.crt")
