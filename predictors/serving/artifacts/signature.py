"""Signatures over artifacts, in OpenSSF's model-signing format 1.0: a file ``model.sig`` beside the manifest.

The file is a Sigstore bundle, whose DSSE envelope carries an in-toto statement, which lists the sha256 of each file.
What is compared with that list are the digest of the manifest's bytes that were read, and the digests in it, with which
every file is compared once its bytes are in hand. So nothing is read twice, and nothing else is loaded.

The format: https://github.com/sigstore/model-transparency; the envelope: https://github.com/secure-systems-lab/dsse. Of
what the format allows, these are checked: elliptic keys and certificates for them, sha256, whole files. Signatures by
an identity at Sigstore are not, since that takes Sigstore's servers.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from predictors.serving.artifacts.files import open_regular
from predictors.serving.errors import ArtifactError, PackageMissing

if TYPE_CHECKING:
    from predictors.serving.artifacts.signers import Signers

SIGNATURE = "model.sig"
"""OpenSSF's own tool gives it this name too."""
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
METHOD = "files"
HASH = "sha256"
# Far more than a signature over some files, with its certificates, takes.
_MAX_BYTES = 2**20


def _only(text: str) -> str:
    return f"^{re.escape(text)}$"


ModelT = TypeVar("ModelT", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class _Signed(_Part):
    sig: Base64Bytes


class _Envelope(_Part):
    payload: Base64Bytes
    payload_type: str = Field(pattern=_only(PAYLOAD_TYPE))
    signatures: tuple[_Signed]


class _Certificate(_Part):
    raw_bytes: Base64Bytes


class _Chain(_Part):
    certificates: tuple[_Certificate, ...]


class _Material(_Part):
    x509_certificate_chain: _Chain = _Chain(certificates=())


class _Bundle(_Part):
    media_type: str = Field(pattern=_only(BUNDLE_TYPE))
    verification_material: _Material
    dsse_envelope: _Envelope


class _Serialization(BaseModel):
    method: str = Field(pattern=_only(METHOD))
    hash_type: str = Field(pattern=_only(HASH))


class _Resource(BaseModel):
    name: str
    algorithm: str = Field(pattern=_only(HASH))
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class _Predicate(BaseModel):
    serialization: _Serialization
    resources: tuple[_Resource, ...]


class _Statement(_Part):
    type: str = Field(alias="_type", pattern=_only(STATEMENT_TYPE))
    predicate_type: str = Field(pattern=_only(PREDICATE_TYPE))
    predicate: _Predicate


def check_signature(directory: Path, files: Mapping[str, str], signature_key: str) -> None:
    """Check that someone who may has signed just these files.

    Args:
        directory: the artifact's, with the signature.
        files: name → sha256 of all that the signature must cover, and nothing else.
        signature_key: who may sign, as `signers.Signers` reads it.

    Raises:
        PackageMissing: cryptography is not installed.
        ArtifactError: there is no signature, it is someone else's, or for other files; or the key cannot be used.
    """
    signers = _signers(signature_key)
    raw = signature_bytes(directory)
    if raw is None:
        raise ArtifactError(
            f"{directory.name} is not signed: it has no {SIGNATURE}, which --signature_key demands; predictors "
            "artifact sign makes one"
        )
    bundle = _parse(_Bundle, raw)
    envelope = bundle.dsse_envelope
    chain = [each.raw_bytes for each in bundle.verification_material.x509_certificate_chain.certificates]
    signers.check(encode(envelope.payload), envelope.signatures[0].sig, chain)
    resources = _parse(_Statement, envelope.payload).predicate.resources
    covered = {each.name: each.digest for each in resources}
    if len(covered) < len(resources):
        raise ArtifactError(f"{SIGNATURE} lists a file twice")
    _compare(files, covered)


def signature_bytes(directory: Path) -> bytes | None:
    """Read the signature of an artifact as it is; None if there is none.

    Raises:
        ArtifactError: it cannot be read, or is too large for one.
    """
    try:
        with open_regular(directory / SIGNATURE) as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(raw) > _MAX_BYTES:
        raise ArtifactError(f"{SIGNATURE} has more than {_MAX_BYTES} bytes, so it is no signature")
    return raw


def encode(payload: bytes) -> bytes:
    """What is signed: the payload with its type and length (DSSE's pre-authentication encoding)."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _signers(signature_key: str) -> "Signers":
    """Read who may sign.

    Raises:
        PackageMissing: cryptography is not installed.
        ArtifactError: it cannot be read.
    """
    try:
        from predictors.serving.artifacts.signers import Signers
    except ModuleNotFoundError:
        raise PackageMissing("a signature needs cryptography: install kserve-predictors[signing]") from None
    return Signers.read(signature_key)


def _parse(model: type[ModelT], raw: bytes) -> ModelT:
    try:
        return model.model_validate(json.loads(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ArtifactError(f"{SIGNATURE} is not a signature that can be checked: {where}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise ArtifactError(f"{SIGNATURE} is not a signature that can be checked: it is not JSON") from None


def _compare(files: Mapping[str, str], covered: Mapping[str, str]) -> None:
    for name, sha256 in files.items():
        if name not in covered:
            raise ArtifactError(f"{SIGNATURE} does not cover {name}: sign the artifact again")
        if covered[name] != sha256:
            raise ArtifactError(f"{name} has the sha256 {sha256}, but {covered[name]} is signed")
    for name in covered:
        if name not in files:
            raise ArtifactError(
                f"{SIGNATURE} also covers {_printable(name)}, which is no file of the artifact: sign it with "
                "predictors artifact sign"
            )


def _printable(name: str) -> str:
    return json.dumps(name[:100])
