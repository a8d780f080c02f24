"""Writing artifacts, so that whoever reads the directory meanwhile finds the old one, none, or the new one."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.files import FileEntry, compare
from predictors.serving.artifacts.manifest import MANIFEST, Manifest, manifest_bytes, parse_manifest, read_manifest
from predictors.serving.artifacts.signature import SIGNATURE, signature_bytes
from predictors.serving.errors import ArtifactError

_CHUNK_BYTES = 2**20
_READABLE_BY_ALL = 0o644  # the server may run as another user
_STAGING = ".new."


@contextmanager
def replacing(directory: Path) -> Iterator[Path]:
    """Give a folder for the files of a new artifact, which then takes the place of the one in the directory.

    If the block fails, or is interrupted, the directory keeps what it had. After it, the files take their places: to
    be stopped in that moment leaves an artifact that does not load until it is written again. Files that the new
    manifest names and the folder lacks must be in the directory already.

    Args:
        directory: where the artifact goes; made if need be.

    Raises:
        OSError: the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with _staging(directory) as staging:
        yield staging
        names = sorted((path.name for path in staging.iterdir()), key=lambda name: name == MANIFEST)
        for name in names:
            _finish(staging / name)
        with _alone(directory):
            (directory / MANIFEST).unlink(missing_ok=True)  # it describes the previous files
            (directory / SIGNATURE).unlink(missing_ok=True)  # and this vouches for them
            _sync_names(directory)
            for name in names:  # the manifest is the last
                (staging / name).replace(directory / name)
            _sync_names(directory)


@contextmanager
def _staging(directory: Path) -> Iterator[Path]:
    """Make a hidden folder, locked for as long as it is there, and remove those that killed writers left."""
    with contextlib.ExitStack() as stack:
        with _alone(directory) as locked:  # so that nobody sees the new folder before its lock is held
            if locked:
                _remove_stale(directory)
            folder = tempfile.TemporaryDirectory(dir=directory, prefix=_STAGING)
            descriptor = os.open(folder.name, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            stack.enter_context(folder)  # removed before its lock is released
            _lock(descriptor, fcntl.LOCK_EX)
        yield Path(folder.name)


def _remove_stale(directory: Path) -> None:
    """Remove the folders that no writer holds a lock on; whoever calls this holds the directory's lock."""
    for folder in directory.glob(f"{_STAGING}*"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # gone meanwhile, another user's, or no folder
            continue
        try:
            if _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


def _finish(path: Path) -> None:
    path.chmod(_READABLE_BY_ALL)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_names(directory: Path) -> None:
    """Have the disk know which files are in a directory, where the file system can do that."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems refuse it for directories
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    """Keep others from changing the directory at the same time, where the file system has locks (NFS has none here).

    Yields:
        Whether the lock is held.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        yield _lock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, operation: int) -> bool:
    """Take a lock, which ends with the descriptor or the process; false if that is impossible."""
    try:
        fcntl.flock(descriptor, operation)
    except OSError:
        return False
    return True


def write_manifest(directory: Path, manifest: Manifest) -> str:
    """Write ``manifest.json`` and return its digest."""
    raw = orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    (directory / MANIFEST).write_bytes(raw)
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def write_signature(directory: Path, raw: bytes) -> None:
    """Write ``model.sig`` into an artifact's directory, in place of an earlier one.

    Raises:
        OSError: the directory cannot be written.
    """
    with _staging(directory) as staging:
        (staging / SIGNATURE).write_bytes(raw)
        _finish(staging / SIGNATURE)
        with _alone(directory):
            (staging / SIGNATURE).replace(directory / SIGNATURE)
            _sync_names(directory)


def export(source: Path, target: Path, advance: Callable[[int], None]) -> tuple[str, bool]:
    """Copy an artifact: its manifest, the files that the manifest names, and its signature, if it has one.

    Args:
        source: an artifact's directory.
        target: where it goes; what it holds so far stays in place until the copy is complete and verified.
        advance: called with the number of bytes copied, again and again.

    Returns:
        The digest of the manifest, and whether anything was copied: false if the very same artifact was there.

    Raises:
        ArtifactError: there is no artifact, or it is not intact.
        OSError: the target cannot be written.
    """
    raw = manifest_bytes(source)
    manifest, digest = parse_manifest(raw)
    signature = signature_bytes(source)
    if _is_there(target, digest) and signature_bytes(target) == signature:
        return digest, False
    with replacing(target) as staging:
        copy_files(Artifact(source, manifest), staging, advance)
        if signature is not None:
            (staging / SIGNATURE).write_bytes(signature)
        (staging / MANIFEST).write_bytes(raw)
    return digest, True


def copy_files(artifact: Artifact, directory: Path, advance: Callable[[int], None]) -> None:
    """Copy the files that a manifest names, and verify both what was read and what was written.

    Args:
        artifact: has the files.
        directory: where they go.
        advance: called with the number of bytes copied, again and again.

    Raises:
        ArtifactError: a file is not intact, or its copy is not.
        OSError: the directory cannot be written.
    """
    for entry in artifact.manifest.files:
        compare(entry, _copy(artifact, entry, directory / entry.name, advance))
    for _, fault in Artifact(directory, artifact.manifest).verify():
        if fault:
            raise ArtifactError(f"the copy is not intact: {fault}")


def _copy(artifact: Artifact, entry: FileEntry, target: Path, advance: Callable[[int], None]) -> str:
    """Copy a file; gives the digest of the bytes that were read."""
    digest = hashlib.sha256()
    with artifact.opened(entry) as file, target.open("wb") as copy:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            copy.write(chunk)
            advance(len(chunk))
    return digest.hexdigest()


def _is_there(directory: Path, digest: str) -> bool:
    """Whether a directory holds the artifact with this digest, intact."""
    try:
        manifest, _ = read_manifest(directory, digest)
    except ArtifactError:
        return False
    return not any(fault for _, fault in Artifact(directory, manifest).verify())
