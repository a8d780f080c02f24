"""``manifest.json``: what an artifact's directory holds, and how to verify it."""

import contextlib
import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from predictors.serving.artifacts.files import FileEntry, open_regular
from predictors.serving.artifacts.reference import Reference
from predictors.serving.artifacts.signature import check_signature
from predictors.serving.errors import ArtifactError, ArtifactMissing

MANIFEST = "manifest.json"
VERSION_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
# Which command makes the artifact of a predictor.
_MAKER = "train, fetch or pack an artifact first"
_MAKERS = {
    "iris": "predictors train iris or predictors artifact pack MODEL.joblib --kind iris makes one",
    "intent": "predictors train intent or predictors artifact pack MODEL.joblib --kind intent makes one",
    "summarizer": "predictors fetch or predictors artifact pack MODEL.gguf makes one",
    "sklearn": "predictors artifact pack MODEL.joblib --kind sklearn makes one",
}
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TensorEntry(_Strict):
    """An input or output as model metadata describes it."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Golden(_Strict):
    """An example with a known answer, computed again at every load."""

    input: Any
    """One V1 instance."""
    output: dict[str, Any]
    """Output name → the row's expected value; numbers may differ by 1e-6."""


class Manifest(_Strict):
    """What a directory holds, and how to verify it."""

    schema_version: int = Field(default=1, ge=1, le=1)
    name: str
    version: str = Field(pattern=VERSION_PATTERN)
    kind: str
    """Which predictor serves it: ``iris``, ``intent``, ``sklearn`` or ``summarizer``."""
    files: tuple[FileEntry, ...] = Field(min_length=1)
    """In order of preference: the first that may be loaded is served."""
    inputs: tuple[TensorEntry, ...]
    outputs: tuple[TensorEntry, ...]
    description: str = ""
    """What the model is for, in the words of who made it."""
    feature_names: tuple[str, ...] = ()
    """The names of the numbers in a row of input, for a model that takes rows of numbers."""
    class_names: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    """What the predictor needs besides the files, such as ``unknown_threshold``."""
    library_versions: dict[str, str] = {}
    evaluation: dict[str, Any] = {}
    golden: tuple[Golden, ...] = ()
    reference: Reference | None = None
    """The rows that live traffic is compared with, as counts."""


def read_manifest(
    directory: Path, digest: str = "", kind: str = "", signature_key: str | None = None
) -> tuple[Manifest, str]:
    """Read the manifest of an artifact directory.

    Args:
        directory: where the files are.
        digest: the expected digest, ``sha256:<hex>``; empty for any.
        kind: the predictor that it is for, if that is known; for the error.
        signature_key: who must have signed it and all that it names, as `signers.Signers` reads it; None for nobody.

    Returns:
        The manifest and its digest.

    Raises:
        ArtifactMissing: it is not there.
        ArtifactError: it cannot be read, has another digest, is not valid, naming the field at fault, or is not signed.
    """
    manifest, actual = parse_manifest(manifest_bytes(directory, kind), digest)
    if signature_key is not None:
        check_signature(directory, signed_files(manifest, actual), signature_key)
    return manifest, actual


def signed_files(manifest: Manifest, digest: str) -> dict[str, str]:
    """What a signature covers: each file of the artifact with its sha256, the manifest among them.

    Args:
        manifest: of the artifact.
        digest: of the manifest, ``sha256:<hex>``.
    """
    return {entry.name: entry.sha256 for entry in manifest.files} | {MANIFEST: digest.removeprefix("sha256:")}


def manifest_bytes(directory: Path, kind: str = "") -> bytes:
    """Read ``manifest.json`` as it is.

    Args:
        directory: where it is.
        kind: the predictor that it is for, if that is known; for the error.

    Raises:
        ArtifactMissing: it is not there.
        ArtifactError: it cannot be read.
    """
    try:
        with open_regular(directory / MANIFEST) as file:
            return file.read()
    except FileNotFoundError:
        inside = _folder_with_a_manifest(directory)
        advice = f"its folder {inside} has one" if inside else _MAKERS.get(kind, _MAKER)
        raise ArtifactMissing(f"{directory / MANIFEST}: there is no artifact here; {advice}") from None


def _folder_with_a_manifest(directory: Path) -> str:
    """The name of one, as an archive leaves it that was packed with the artifact's folder; empty if there is none."""
    with contextlib.suppress(OSError):
        return next((each.parent.name for each in sorted(directory.glob(f"*/{MANIFEST}"))), "")
    return ""


def parse_manifest(raw: bytes, digest: str = "") -> tuple[Manifest, str]:
    """Understand the bytes of a ``manifest.json``.

    Args:
        raw: the bytes.
        digest: the expected digest, ``sha256:<hex>``; empty for any.

    Returns:
        The manifest and its digest.

    Raises:
        ArtifactError: it has another digest, or is not valid, naming the field at fault.
    """
    if digest and not _DIGEST.match(digest):
        raise ArtifactError("the artifact digest must look like sha256: and 64 hexadecimal digits")
    actual = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    if digest and not hmac.compare_digest(digest, actual):
        raise ArtifactError(f"{MANIFEST} has the digest {actual}, but {digest} is pinned")
    try:
        return Manifest.model_validate_json(raw), actual
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ArtifactError(f"{MANIFEST} is not a valid manifest: {where}: {first['msg']}") from None
