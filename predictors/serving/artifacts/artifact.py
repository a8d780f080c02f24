"""Artifacts: a directory with model files and a ``manifest.json`` that describes them.

The bytes that are hashed are the bytes that are loaded. Small files are read once, hashed, and passed on as bytes.
Files that a library must open itself (GGUF) are hashed through a descriptor, and the library opens that descriptor's
path, so that a file put in its place meanwhile is never loaded.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from predictors.serving.artifacts.files import FileEntry, compare, file_entry, open_regular
from predictors.serving.artifacts.manifest import MANIFEST, Manifest, read_manifest
from predictors.serving.errors import ArtifactError, ArtifactMissing

JOBLIB = "model.joblib"


class Artifact:
    """A directory and the manifest that describes it.

    Args:
        directory: where the files are.
        manifest: describes them.
        trusted: whether files that run code when loaded are allowed: the manifest's digest is pinned, or the user
            said so.
        digest: what pins it, ``sha256:<hex>``; empty where it does not matter.
    """

    def __init__(self, directory: Path, manifest: Manifest, trusted: bool = False, digest: str = "") -> None:
        self.directory = directory
        self.manifest = manifest
        self.trusted = trusted
        self.digest = digest

    @classmethod
    def open(
        cls, directory: Path, kind: str, digest: str = "", trust: bool = False, signature_key: str | None = None
    ) -> "Artifact":
        """Read the manifest; for a trusted ``model.joblib`` without one, make one, which no signature can vouch for.

        Args:
            directory: where the files are.
            kind: the predictor that will serve it.
            digest: ``sha256:<hex>`` over the bytes of ``manifest.json``; pins the whole artifact. Without a manifest,
                over those of ``model.joblib``.
            trust: whether files that run code when loaded are allowed without a pinned digest.
            signature_key: who must have signed the artifact; None for nobody. It does not say whether code may run.

        Raises:
            ArtifactMissing: no manifest.
            ArtifactError: no readable manifest, another digest, no valid signature, or an artifact for another
                predictor.
        """
        if signature_key is None and not (directory / MANIFEST).exists() and (directory / JOBLIB).is_file():
            entry = _lone_joblib(directory, kind, digest, trust)
            manifest = Manifest(name=kind, version=entry.sha256[:12], kind=kind, files=(entry,), inputs=(), outputs=())
            return cls(directory, manifest, trusted=True, digest=f"sha256:{entry.sha256}")
        manifest, actual = read_manifest(directory, digest, kind, signature_key)
        if manifest.kind != kind:
            raise ArtifactError(f"{directory.name}: this is an artifact for {manifest.kind}, not for {kind}")
        return cls(directory, manifest, trusted=trust or bool(digest), digest=actual)

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
            opened = open_regular(self.directory / entry.name)
        except FileNotFoundError:
            raise ArtifactError(f"{entry.name}: the manifest names it, but it is missing") from None
        with opened as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.size_bytes:
                raise ArtifactError(f"{entry.name} has {size} bytes, but the manifest says {entry.size_bytes}")
            yield file


def pinning_digest(directory: Path) -> str:
    """The digest that pins an artifact, ``sha256:<hex>``: its manifest's or, where there is none, its joblib file's.

    Raises:
        ArtifactMissing: there is neither.
        ArtifactError: the manifest is not valid.
    """
    if not (directory / MANIFEST).exists() and (directory / JOBLIB).is_file():
        return f"sha256:{file_entry(directory / JOBLIB, 'joblib').sha256}"
    return read_manifest(directory)[1]


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
