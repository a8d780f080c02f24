"""What is in the model store's folder: models, their versions, and which of these are complete."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from predictors.serving.artifacts.manifest import MANIFEST, Manifest, read_manifest
from predictors.serving.errors import ArtifactError, ArtifactMissing
from predictors.serving.mounted_file import read_bounded, stamp

logger = logging.getLogger(__name__)

DEFAULT = "default"
"""A file of this name in a model's folder names the version that answers where none is named."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_PIN_BYTES = 128


class Found(NamedTuple):
    """A version's folder, as it is now.

    Args:
        directory: the folder.
        stamp: differs once one of its files has changed.
        manifest: None if there is none, or none that is valid.
        digest: of the manifest, or empty.
        fault: why it cannot be loaded yet; empty if all files are there, of the right sizes.
    """

    directory: Path
    stamp: tuple[tuple[int, ...], ...]
    manifest: Manifest | None
    digest: str
    fault: str


class Listing(NamedTuple):
    """A model's folder.

    Args:
        versions: by name.
        pinned: the version that the file ``default`` names, or empty.
    """

    versions: dict[str, Found]
    pinned: str


class Folder:
    """The store's folder.

    Args:
        root: has a folder for each model.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: dict[Path, Found] = {}
        self._listings: dict[str, Listing] = {}
        self._fault: int | None = None

    def look(self) -> dict[str, Listing]:
        """See what is there, by the models' names; what cannot be read counts as it was last."""
        try:
            models = sorted(_folders(self._root, _NAME))
        except OSError as error:
            if error.errno != self._fault:
                logger.error("the model store cannot be read; what is loaded stays: %s", os.strerror(error.errno or 0))
            self._fault = error.errno
            return self._listings
        self._fault = None
        self._listings = {directory.name: self._model(directory) for directory in models}
        there = {found.directory for listing in self._listings.values() for found in listing.versions.values()}
        self._seen = {directory: found for directory, found in self._seen.items() if directory in there}
        return self._listings

    def _model(self, directory: Path) -> Listing:
        try:
            versions = {version.name: self._version(version) for version in _folders(directory, _VERSION)}
        except OSError:
            return self._listings.get(directory.name, Listing({}, ""))
        return Listing(versions, _pinned(directory / DEFAULT))

    def _version(self, directory: Path) -> Found:
        seen = self._seen.get(directory)
        if seen is not None and seen.stamp == _stamps(directory, seen.manifest):
            return seen
        found = self._seen[directory] = _read(directory)
        return found


def _folders(directory: Path, name: re.Pattern[str]) -> Iterator[Path]:
    """The folders in one, or behind its symbolic links, whose names are right; not those that tools hide."""
    return (each for each in directory.iterdir() if name.fullmatch(each.name) and each.is_dir())


def _read(directory: Path) -> Found:
    manifest, digest, fault = None, "", ""
    before = stamp(directory / MANIFEST)
    try:
        manifest, digest = read_manifest(directory)
    except ArtifactMissing:
        fault = f"there is no {MANIFEST}"
    except (ArtifactError, OSError) as error:
        fault = str(error) if isinstance(error, ArtifactError) else f"{MANIFEST}: {os.strerror(error.errno or 0)}"
        logger.warning("version %s of model %s is not served: %s", directory.name, directory.parent.name, fault)
    _, *files = _stamps(directory, manifest)
    return Found(directory, (before, *files), manifest, digest, fault or _incomplete(directory, manifest))


def _stamps(directory: Path, manifest: Manifest | None) -> tuple[tuple[int, ...], ...]:
    names = (MANIFEST, *(entry.name for entry in manifest.files)) if manifest else (MANIFEST,)
    return tuple(stamp(directory / name) for name in names)


def _incomplete(directory: Path, manifest: Manifest | None) -> str:
    """What is missing of the files that the manifest names; their content is compared when they are loaded."""
    for entry in manifest.files if manifest else ():
        try:
            size = (directory / entry.name).stat().st_size
        except OSError:
            return f"{entry.name} is not there"
        if size != entry.size_bytes:
            return f"{entry.name} has {size} of {entry.size_bytes} bytes"
    return ""


def _pinned(path: Path) -> str:
    try:
        return read_bounded(path, _MOST_PIN_BYTES).decode().strip()
    except (OSError, ValueError):
        return ""
