"""The files of an artifact, and their digests."""

import hashlib
import hmac
import os
from io import BufferedReader
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from predictors.serving.errors import ArtifactError

FileFormat: TypeAlias = Literal["npz", "onnx", "skops", "joblib", "gguf"]


class FileEntry(BaseModel):
    """One file of an artifact."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^\.{0,2}[^./\\\x00][^/\\\x00]*$")
    """File name within the directory; no folders."""
    format: FileFormat
    """How it is read: ``npz`` (pickle-free arrays), ``onnx`` (a graph), ``skops`` (named types alone), ``joblib`` (runs
    code when loaded) or ``gguf``."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of its bytes."""
    size_bytes: int = Field(ge=0)
    """Its length."""


def compare(entry: FileEntry, sha256: str) -> None:
    """Compare a digest with the manifest's.

    Raises:
        ArtifactError: they differ.
    """
    if not hmac.compare_digest(sha256, entry.sha256):
        raise ArtifactError(f"{entry.name} has the sha256 {sha256}, but the manifest says {entry.sha256}")


def file_entry(path: Path, file_format: FileFormat) -> FileEntry:
    """Describe a file as it is now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(name=path.name, format=file_format, sha256=digest, size_bytes=path.stat().st_size)


def bytes_entry(name: str, file_format: FileFormat, data: bytes) -> FileEntry:
    """Describe a file before it is written."""
    digest = hashlib.sha256(data).hexdigest()
    return FileEntry(name=name, format=file_format, sha256=digest, size_bytes=len(data))


def open_regular(path: Path) -> BufferedReader:
    """Open a file, unless it is a folder or a pipe, which would block for ever.

    Raises:
        FileNotFoundError: it is not there.
        ArtifactError: it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise ArtifactError(f"{path.name} is not a regular file")
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read: {os.strerror(error.errno or 0)}") from None
