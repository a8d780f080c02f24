"""Shared by all training: writing an artifact that its predictor accepts."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

from predictors.serving.artifacts.artifact import (
    MANIFEST,
    Golden,
    Manifest,
    TensorEntry,
    bytes_entry,
    write_atomically,
    write_manifest,
)
from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import TensorSpec


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a training run."""

    directory: Path
    manifest: Manifest
    digest: str


def golden_examples(rows: Sequence[Any], outputs: dict[str, Sequence[Any]]) -> tuple[Golden, ...]:
    """Pair each input row with its row of every output."""
    return tuple(
        Golden(input=row, output={name: column[i] for name, column in outputs.items()}) for i, row in enumerate(rows)
    )


def write_artifact(
    directory: Path,
    *,
    predictor: type[Predictor[Any]],
    version: str,
    npz: bytes,
    pickled: bytes,
    class_names: Sequence[str],
    evaluation: dict[str, Any],
    golden: tuple[Golden, ...],
    settings: dict[str, Any] | None = None,
) -> Trained:
    """Write the pickle-free form, the joblib form and, last, the manifest with the digests of both."""
    manifest = Manifest(
        name=predictor.kind,
        version=version,
        kind=predictor.kind,
        files=(bytes_entry("model.npz", "npz", npz), bytes_entry("model.joblib", "joblib", pickled)),
        inputs=tensor_entries(predictor.input.specs()),
        outputs=tensor_entries(predictor.outputs),
        class_names=tuple(class_names),
        settings=settings or {},
        library_versions={name: library_version(name) for name in ("kserve-predictors", "numpy", "scikit-learn")},
        evaluation=evaluation,
        golden=golden,
    )
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MANIFEST).unlink(missing_ok=True)  # it describes the previous files
    write_atomically(directory / "model.npz", npz)
    write_atomically(directory / "model.joblib", pickled)
    return Trained(directory, manifest, write_manifest(directory, manifest))


def tensor_entries(specs: Sequence[TensorSpec]) -> tuple[TensorEntry, ...]:
    """Tensor specifications as the manifest holds them."""
    return tuple(TensorEntry(name=spec.name, datatype=spec.datatype, shape=spec.shape) for spec in specs)
