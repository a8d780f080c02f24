"""Models of every kind, packed once."""

import io
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import pytest

from predictors.serving.artifacts.manifest import Manifest
from predictors.serving.artifacts.writing import write_manifest
from predictors.serving.settings import Source
from predictors.sklearn.model import SklearnPredictor
from predictors.sklearn.pack import Options, Packed, package
from tests.unit.sklearn.users import USERS


class Artifacts:
    """Packs a user's model when it is first asked for.

    Args:
        directory: where the artifacts go.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.user = cache(lambda name: USERS[name]())
        self.packed = cache(lambda name: pack(self.user(name).model))

    def write(self, name: str, *formats: str) -> Path:
        """The artifact's directory, with the files of these formats alone, or all."""
        directory = self._directory / f"{name} {' '.join(formats)}"
        write(self.packed(name), directory, *formats)
        return directory


def pickled(model: Any) -> bytes:
    """A model's joblib file."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def pack(model: Any, options: Options | None = None) -> Packed:
    """Pack a copy of a model, as the command does: it comes from a file."""
    raw = pickled(model)
    return package(joblib.load(io.BytesIO(raw)), raw, options or Options())


def write(packed: Packed, directory: Path, *formats: str) -> Manifest:
    """Write an artifact with the files of these formats alone, or all; gives its manifest."""
    manifest = packed.write(directory, "1").manifest
    if formats:
        files = tuple(entry for entry in manifest.files if entry.format in formats)
        manifest = manifest.model_copy(update={"files": files})
        write_manifest(directory, manifest)
    return manifest


def load(directory: Path, trusted: bool = False) -> SklearnPredictor:
    """Load an artifact into a predictor."""
    predictor = SklearnPredictor("model", Source(directory, "", trusted))
    predictor.load()
    return predictor


@pytest.fixture(scope="session")
def artifacts_of_users(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return Artifacts(tmp_path_factory.mktemp("users"))
