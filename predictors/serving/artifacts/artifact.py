"""Artifacts: a directory with model files and a ``manifest.json`` that describes them.

The bytes that are hashed are the bytes that are loaded. Small files are read once, hashed, and passed on as bytes.
Files that a library must open itself (GGUF) are hashed through a descriptor, and the library opens that descriptor's
path, so that a file put in its place meanwhile is never loaded.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from predictors.serving.artifacts.files import FileEntry, compare, file_entry
from predictors.serving.errors import ArtifactError, ArtifactMissing

MANIFEST = "manifest.json"
JOBLIB = "model.joblib"
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


class Artifact:
    """A directory and the manifest that describes it.

    Args:
        directory: where the files are.
        manifest: describes them.
        trusted: whether files that run code when loaded are allowed: the manifest's digest is pinned, or the user
            said so.
    """

    def __init__(self, directory: Path, manifest: Manifest, trusted: bool = False) -> None:
        self.directory = directory
        self.manifest = manifest
        self.trusted = trusted

    @classmethod
    def open(cls, directory: Path, kind: str, digest: str = "", trust: bool = False) -> "Artifact":
        """Read the manifest; for a trusted ``model.joblib`` without one, make one.

        Args:
            directory: where the files are.
            kind: the predictor that will serve it.
            digest: ``sha256:<hex>`` over the bytes of ``manifest.json``; pins the whole artifact. Without a manifest,
                over those of ``model.joblib``.
            trust: whether files that run code when loaded are allowed without a pinned digest.

        Raises:
            ArtifactMissing: no manifest.
            ArtifactError: no readable manifest, another digest, or an artifact for another predictor.
        """
        if not (directory / MANIFEST).exists() and (directory / JOBLIB).is_file():
            entry = _lone_joblib(directory, kind, digest, trust)
            manifest = Manifest(name=kind, version=entry.sha256[:12], kind=kind, files=(entry,), inputs=(), outputs=())
            return cls(directory, manifest, trusted=True)
        manifest, _ = read_manifest(directory, digest, kind)
        if manifest.kind != kind:
            raise ArtifactError(f"{directory.name}: this is an artifact for {manifest.kind}, not for {kind}")
        return cls(directory, manifest, trusted=trust or bool(digest))

    def choose(self) -> FileEntry:
        """Pick the file to serve: the first in the manifest that may be loaded.

        Raises:
            ArtifactError: there are only files that run code, and neither a pinned digest nor trust.
        """
        for entry in self.manifest.files:
            if self.trusted or entry.format != "joblib":
                return entry
        name = self.manifest.files[-1].name
        raise ArtifactError(
            f"{name} is a joblib file, which runs code when loaded: pin its manifest with "
            "--artifact_digest sha256:…, say --trust_artifact, or make the pickle-free form with predictors artifact "
            "pack"
        )

    def read(self, entry: FileEntry) -> bytes:
        """Read a file once and verify the bytes.

        Raises:
            ArtifactError: missing, or not the bytes that the manifest names.
        """
        with self.opened(entry) as file:
            raw = file.read()
        compare(entry, hashlib.sha256(raw).hexdigest())
        return raw

    @contextmanager
    def verified_path(self, entry: FileEntry) -> Iterator[Path]:
        """Verify a file through a descriptor; yields the descriptor's path, since the name may lead elsewhere by now.

        Raises:
            ArtifactError: missing, or not the bytes that the manifest names.
        """
        descriptors = Path("/proc/self/fd")
        with self.opened(entry) as file:
            compare(entry, hashlib.file_digest(file, "sha256").hexdigest())
            yield descriptors / str(file.fileno()) if descriptors.is_dir() else Path(file.name)

    def verify(self) -> Iterator[tuple[FileEntry, str]]:
        """Check every file; yields each with the fault found, empty if it is intact."""
        for entry in self.manifest.files:
            try:
                with self.verified_path(entry):
                    yield entry, ""
            except ArtifactError as error:
                yield entry, str(error)

    @contextmanager
    def opened(self, entry: FileEntry) -> Iterator[BufferedReader]:
        """Open a file of the size that the manifest names; a larger one is never read into memory.

        Raises:
            ArtifactError: missing, or of another size.
        """
        try:
            opened = _open(self.directory / entry.name)
        except FileNotFoundError:
            raise ArtifactError(f"{entry.name}: the manifest names it, but it is missing") from None
        with opened as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.size_bytes:
                raise ArtifactError(f"{entry.name} has {size} bytes, but the manifest says {entry.size_bytes}")
            yield file


def read_manifest(directory: Path, digest: str = "", kind: str = "") -> tuple[Manifest, str]:
    """Read the manifest of an artifact directory.

    Args:
        directory: where the files are.
        digest: the expected digest, ``sha256:<hex>``; empty for any.
        kind: the predictor that it is for, if that is known; for the error.

    Returns:
        The manifest and its digest.

    Raises:
        ArtifactMissing: it is not there.
        ArtifactError: it cannot be read, has another digest, or is not valid, naming the field at fault.
    """
    return parse_manifest(manifest_bytes(directory, kind), digest)


def pinning_digest(directory: Path) -> str:
    """The digest that pins an artifact, ``sha256:<hex>``: its manifest's or, where there is none, its joblib file's.

    Raises:
        ArtifactMissing: there is neither.
        ArtifactError: the manifest is not valid.
    """
    if not (directory / MANIFEST).exists() and (directory / JOBLIB).is_file():
        return f"sha256:{file_entry(directory / JOBLIB, 'joblib').sha256}"
    return read_manifest(directory)[1]


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
        with _open(directory / MANIFEST) as file:
            return file.read()
    except FileNotFoundError:
        raise ArtifactMissing(
            f"{directory / MANIFEST}: there is no artifact here; {_MAKERS.get(kind, _MAKER)}"
        ) from None


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


def _open(path: Path) -> BufferedReader:
    try:
        if path.exists() and not path.is_file():  # opening a pipe would block for ever
            raise ArtifactError(f"{path.name} is not a regular file")
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read: {os.strerror(error.errno or 0)}") from None


def _lone_joblib(directory: Path, kind: str, digest: str, trust: bool) -> FileEntry:
    """Describe a ``model.joblib`` that may be loaded without a manifest.

    Raises:
        ArtifactMissing: it may not be loaded; a manifest may still come.
    """
    entry = file_entry(directory / JOBLIB, "joblib")
    if digest and digest != f"sha256:{entry.sha256}":
        raise ArtifactMissing(
            f"{directory.name} has no {MANIFEST}, and {JOBLIB} has the digest sha256:{entry.sha256}, "
            f"but {digest} is pinned"
        )
    if not digest and not trust:
        raise ArtifactMissing(
            f"{directory.name} has no {MANIFEST}, and {JOBLIB} runs code when loaded: make an artifact of it with "
            f"predictors artifact pack {JOBLIB} --kind {kind}, pin its own sha256 with --artifact_digest sha256:…, or "
            "say --trust_artifact"
        )
    return entry
