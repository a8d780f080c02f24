"""Who may sign artifacts: public keys, and certificates of authorities.

It is imported only where a signature is demanded; all cryptography is the package's of that name.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from predictors.serving.errors import ArtifactError

_BEGIN = "-----BEGIN "
_BLOCK = re.compile(rf"{_BEGIN}([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
# What Sigstore signs with on each curve.
_HASHES: dict[str, type[HashAlgorithm]] = {"secp256r1": SHA256, "secp384r1": SHA384, "secp521r1": SHA512}
# What cryptography raises for keys and certificates that it cannot read or use.
UNUSABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    VerificationError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class Signers(NamedTuple):
    """Those whose signatures count.

    Args:
        keys: a signature by one of them does.
        authorities: so does one by a certificate that leads to one of them.
    """

    keys: tuple[ec.EllipticCurvePublicKey, ...]
    authorities: tuple[x509.Certificate, ...]

    @classmethod
    def read(cls, source: str) -> "Signers":
        """Read them from PEM.

        Args:
            source: a file's path, or the PEM itself.

        Raises:
            ArtifactError: it cannot be read, or is something else.
        """
        name, text = ("its value", source) if _BEGIN in source else (Path(source).name, _read(Path(source)))
        keys, authorities = [], []
        for block in _BLOCK.finditer(text):
            try:
                if block[1] == "PUBLIC KEY":
                    keys.append(checked(load_pem_public_key(block[0].encode())))
                elif block[1] == "CERTIFICATE":
                    authorities.append(x509.load_pem_x509_certificate(block[0].encode()))
                elif block[1].endswith("PRIVATE KEY"):
                    raise ArtifactError(
                        f"--signature_key: {name} holds a private key; give its public half, which openssl ec -in KEY "
                        "-pubout prints"
                    )
            except UNUSABLE as error:
                raise ArtifactError(
                    f"--signature_key: {name} holds a {block[1]} that cannot be used: {error}"
                ) from None
        if not keys and not authorities:
            raise ArtifactError(f"--signature_key: {name} holds no public key and no certificate in PEM")
        return cls(tuple(keys), tuple(authorities))

    def check(self, message: bytes, signature: bytes, chain: Sequence[bytes]) -> None:
        """Check a signature.

        Args:
            message: what is signed.
            signature: in DER.
            chain: certificates in DER, the signer's own first; empty if a key signed.

        Raises:
            ArtifactError: it is nobody's that counts.
        """
        if any(_fits(key, message, signature) for key in self.keys):
            return
        if chain and self.authorities:
            if _fits(self._certified(chain), message, signature):
                return
            raise ArtifactError("model.sig was changed since it was signed")
        kind = "a certificate" if chain else "a key"
        raise ArtifactError(
            f"model.sig was made with {kind} that is none of those in --signature_key, or it was changed since"
        )

    def _certified(self, chain: Sequence[bytes]) -> ec.EllipticCurvePublicKey:
        """The key of a certificate that leads to an authority.

        A signature has no time that could be trusted, so all of the chain must have been valid when the certificate
        began to be, as OpenSSF's tool has it.

        Raises:
            ArtifactError: it leads to none, or is not for signing.
        """
        try:
            leaf, *others = [x509.load_der_x509_certificate(each) for each in chain]
            policy = PolicyBuilder().store(Store(list(self.authorities))).time(leaf.not_valid_before_utc)
            policy = policy.extension_policies(ca_policy=_AUTHORITY, ee_policy=ExtensionPolicy.permit_all())
            policy.build_client_verifier().verify(leaf, others)
            if not _may_sign(leaf.extensions):
                raise ValueError("it is not for digital signatures, nor for signing code")
            return checked(leaf.public_key())
        except UNUSABLE as error:
            raise ArtifactError(
                f"model.sig was made with a certificate that --signature_key does not vouch for: {_brief(error)}"
            ) from None


def checked(key: object) -> ec.EllipticCurvePublicKey:
    """Refuse keys of other kinds than the format has.

    Raises:
        ValueError: saying which it has.
    """
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _HASHES:
        raise ValueError("it is no elliptic key on P-256, P-384 or P-521")
    return key


def algorithm(key: ec.EllipticCurvePublicKey) -> ec.ECDSA:
    """How a key signs."""
    return ec.ECDSA(_HASHES[key.curve.name]())


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("ascii", "replace")
    except OSError as error:
        raise ArtifactError(f"--signature_key: {path.name} cannot be read: {os.strerror(error.errno or 0)}") from None


def _fits(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, message, algorithm(key))
    except InvalidSignature:
        return False
    return True


def _is_authority(policy: Policy, certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("one of its issuers is no authority")


def _signs_certificates(policy: Policy, certificate: x509.Certificate, extension: x509.KeyUsage | None) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("one of its issuers may not sign certificates")


# What the issuer of a certificate must be; the rest (names, dates, signatures, length of the path) is always checked.
_AUTHORITY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
)


def _may_sign(extensions: x509.Extensions) -> bool:
    """Whether a certificate is for signing: OpenSSF's tool demands one of these."""
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage) and value.digital_signature:
            return True
        if isinstance(value, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.CODE_SIGNING in value:
            return True
    return False


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
