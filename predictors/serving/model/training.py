"""Shared by training and packing: writing an artifact that its predictor accepts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from predictors.serving.artifacts.files import bytes_entry
from predictors.serving.artifacts.manifest import Golden, Manifest, TensorEntry
from predictors.serving.artifacts.reference import Reference
from predictors.serving.artifacts.writing import replacing, write_manifest
from predictors.serving.errors import ArtifactError
from predictors.serving.model.predictor import GOLDEN_TOLERANCE, Predictor
from predictors.serving.model.types import FloatArray, TensorSpec


@dataclass(frozen=True, slots=True)
class Trained:
    """An artifact that was written."""

    directory: Path
    manifest: Manifest
    digest: str


class Names(NamedTuple):
    """What a model's inputs and classes are called.

    Args:
        features: the numbers in a row, of a model that takes rows of numbers.
        classes: in the order of the probabilities.
    """

    features: Sequence[str] = ()
    classes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A scikit-learn model in both its forms, and what its manifest says of it.

    Args:
        predictor: serves it.
        pickled: the joblib file.
        npz: the same model as arrays.
        inputs, outputs: the model's own.
        names: of its features and classes.
        golden: examples, computed by scikit-learn.
        settings: what the predictor needs besides the files.
        evaluation: how good the model is, if that was measured.
        reference: what live traffic is compared with, if there is one.
    """

    predictor: type[Predictor[Any]]
    pickled: bytes
    npz: bytes
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    names: Names
    golden: tuple[Golden, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    reference: Reference | None = None


def golden_examples(rows: Sequence[Any], outputs: dict[str, Sequence[Any]]) -> tuple[Golden, ...]:
    """Pair each input row with its row of every output."""
    return tuple(
        Golden(input=row, output={name: column[i] for name, column in outputs.items()}) for i, row in enumerate(rows)
    )


def check_agreement(arrays: FloatArray, model: FloatArray) -> None:
    """Compare the probabilities of a model's arrays with the model's own, both float64 ``[N, C]``.

    Raises:
        ArtifactError: they differ.
    """
    difference = float(np.abs(arrays - model).max())
    if not difference <= GOLDEN_TOLERANCE:
        raise ArtifactError(
            f"as plain arrays, the model gives other probabilities than scikit-learn does: on {len(model)} inputs, "
            f"they differ by up to {difference:.2g}"
        )


def found_by_search(model: Any) -> Any:
    """The estimator that a search over settings found and answers with; any other model as it is."""
    searches = ("GridSearchCV", "RandomizedSearchCV")
    is_search = type(model).__name__ in searches and type(model).__module__.startswith("sklearn.model_selection.")
    return getattr(model, "best_estimator_", model) if is_search else model


def called(model: Any) -> str:
    """A model's type, with its article."""
    name = type(model).__name__
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"


def other_kind(model: Any) -> str:
    """What serves a model that iris or intent does not serve, as the end of an error; empty if it cannot predict."""
    serves = "; the kind sklearn serves it: predictors artifact pack MODEL.joblib --kind sklearn"
    return serves if hasattr(model, "predict") else ""


def write_artifact(directory: Path, package: Package, version: str, name: str = "", description: str = "") -> Trained:
    """Write the pickle-free form, the joblib form, and the manifest with the digests of both.

    Args:
        directory: the artifact's; what it holds so far stays in place until the new artifact is complete.
        package: the model.
        version: of the artifact.
        name: of the model; its kind if empty.
        description: what it is for.

    Raises:
        OSError: the directory cannot be written.
    """
    predictor = package.predictor
    manifest = Manifest(
        name=name or predictor.kind,
        version=version,
        kind=predictor.kind,
        files=(bytes_entry("model.npz", "npz", package.npz), bytes_entry("model.joblib", "joblib", package.pickled)),
        inputs=tensor_entries(package.inputs),
        outputs=tensor_entries(package.outputs),
        description=description,
        feature_names=tuple(package.names.features),
        class_names=tuple(package.names.classes),
        settings=dict(package.settings),
        library_versions={each: library_version(each) for each in ("kserve-predictors", "numpy", "scikit-learn")},
        evaluation=dict(package.evaluation),
        golden=package.golden,
        reference=package.reference,
    )
    return write_files(directory, manifest, {"model.npz": package.npz, "model.joblib": package.pickled})


def write_files(directory: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Trained:
    """Write an artifact.

    Args:
        directory: the artifact's; what it holds so far stays in place until the new artifact is complete.
        manifest: describes the files.
        files: their names and contents.

    Raises:
        OSError: the directory cannot be written.
    """
    with replacing(directory) as staging:
        for name, data in files.items():
            (staging / name).write_bytes(data)
        return Trained(directory, manifest, write_manifest(staging, manifest))


def tensor_entries(specs: Sequence[TensorSpec]) -> tuple[TensorEntry, ...]:
    """Tensor specifications as the manifest holds them."""
    return tuple(TensorEntry(name=spec.name, datatype=spec.datatype, shape=spec.shape) for spec in specs)
