"""Keys and certificates of those who sign artifacts, made for a test."""

import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (  # fmt: skip
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LONG_AGO = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)


class Key(NamedTuple):
    """A key in PEM files."""

    private: Path
    public: Path

    @property
    def itself(self) -> ec.EllipticCurvePrivateKey:
        from predictors.serving.artifacts.signing import read_private_key

        return read_private_key(self.private)


def new_key(directory: Path, curve: ec.EllipticCurve | None = None, password: bytes = b"") -> Key:
    key = ec.generate_private_key(curve or ec.SECP256R1())
    directory.mkdir(parents=True, exist_ok=True)
    files = Key(directory / "private.pem", directory / "public.pem")
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    files.private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    files.public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return files


class Certified(NamedTuple):
    """A key, and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def certify(name: str, *extensions: x509.ExtensionType, issuer: Certified | None = None, days: int = 30) -> Certified:
    """Make a certificate that was valid for a month, long ago; by itself if no issuer is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(LONG_AGO + datetime.timedelta(days=days))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=not isinstance(extension, x509.ExtendedKeyUsage))
    return Certified(key, builder.sign(issuer.key if issuer else key, SHA256()))


def usage(*, signs: bool = False, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=not signs and not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


AUTHORITY = (x509.BasicConstraints(ca=True, path_length=None), usage(signs_certificates=True))
SIGNER = (x509.BasicConstraints(ca=False, path_length=None), usage(signs=True))
CODE_SIGNER = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]),)
