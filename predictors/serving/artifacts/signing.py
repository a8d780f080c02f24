"""Signing artifacts, in the format that `signature` checks."""

import hashlib
import json
import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.manifest import read_manifest, signed_files
from predictors.serving.artifacts.signature import (
    BUNDLE_TYPE,
    HASH,
    METHOD,
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    SIGNATURE,
    STATEMENT_TYPE,
    encode,
)
from predictors.serving.artifacts.signers import UNUSABLE, algorithm, checked
from predictors.serving.artifacts.writing import write_signature
from predictors.serving.errors import ArtifactError


class Encrypted(ArtifactError):
    """The private key needs a password."""


def read_private_key(path: Path, password: bytes | None = None) -> ec.EllipticCurvePrivateKey:
    """Read a private key in PEM.

    Args:
        path: its file.
        password: of the file; None if it has none.

    Raises:
        Encrypted: it has one.
        ArtifactError: it cannot be read, or is of another kind than the format has.
    """
    raw = _read(path)
    try:
        key = load_pem_private_key(raw, password)
    except TypeError:
        if password is None:
            raise Encrypted(f"{path.name} is encrypted: its password is needed") from None
        raise ArtifactError(f"{path.name} is not encrypted, but a password is given") from None
    except UNUSABLE:
        hint = "is no private key in PEM" if password is None else "cannot be decrypted with this password"
        raise ArtifactError(f"{path.name} {hint}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ArtifactError(f"{path.name} is no elliptic key; openssl ecparam -name prime256v1 -genkey makes one")
    try:
        checked(key.public_key())
    except ValueError as error:
        raise ArtifactError(f"{path.name}: {error}") from None
    return key


def read_certificates(path: Path, key: ec.EllipticCurvePrivateKey) -> list[x509.Certificate]:
    """Read a certificate in PEM, with those that lead from it to an authority.

    Raises:
        ArtifactError: it cannot be read, or the first is not the key's.
    """
    try:
        certificates = x509.load_pem_x509_certificates(_read(path))
        own = certificates[0].public_key() == key.public_key()
    except UNUSABLE:
        raise ArtifactError(f"{path.name} is no certificate in PEM") from None
    if not own:
        raise ArtifactError(f"{path.name}: its first certificate must be that of the key, but it is another's")
    return certificates


def sign(directory: Path, key: ec.EllipticCurvePrivateKey, certificates: Sequence[x509.Certificate] = ()) -> None:
    """Sign an artifact: all files that its manifest names, and the manifest.

    Args:
        directory: the artifact's, which gets ``model.sig``, in place of an earlier one.
        key: signs.
        certificates: the key's own and those that lead from it to an authority; none if whoever checks has the key.

    Raises:
        ArtifactError: there is no artifact, or it is not intact.
        OSError: the directory cannot be written.
    """
    manifest, digest = read_manifest(directory)
    for _, fault in Artifact(directory, manifest).verify():
        if fault:
            raise ArtifactError(fault)
    payload = json.dumps(_statement(directory, signed_files(manifest, digest))).encode()
    signature = key.sign(encode(payload), algorithm(key.public_key()))
    write_signature(directory, json.dumps(_bundle(payload, signature, _material(key, certificates))).encode())


def _statement(directory: Path, files: Mapping[str, str]) -> dict[str, Any]:
    root = hashlib.sha256(b"".join(bytes.fromhex(files[name]) for name in sorted(files))).hexdigest()
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": directory.resolve().name, "digest": {"sha256": root}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": METHOD,
                "hash_type": HASH,
                "allow_symlinks": False,
                "ignore_paths": sorted({path.name for path in directory.iterdir()} - set(files) | {SIGNATURE}),
            },
            "resources": [{"name": name, "algorithm": HASH, "digest": files[name]} for name in sorted(files)],
        },
    }


def _material(key: ec.EllipticCurvePrivateKey, certificates: Sequence[x509.Certificate]) -> dict[str, Any]:
    """How whoever checks finds the key."""
    if certificates:
        chain = [{"rawBytes": _base64(each.public_bytes(Encoding.DER))} for each in certificates]
        return {"x509CertificateChain": {"certificates": chain}}
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {"publicKey": {"hint": hashlib.sha256(public).hexdigest()}}


def _bundle(payload: bytes, signature: bytes, material: dict[str, Any]) -> dict[str, Any]:
    return {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {**material, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": _base64(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _base64(signature), "keyid": ""}],
        },
    }


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read: {os.strerror(error.errno or 0)}") from None
