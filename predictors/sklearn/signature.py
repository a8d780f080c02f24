"""What a model takes and gives, as its manifest says it, and how a manifest is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from predictors.serving.artifacts.manifest import Manifest, TensorEntry
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import ColumnInput, FeatureInput, Input, TensorSpec, TextInput

Task: TypeAlias = Literal["classification", "regression", "outliers", "other"]
Label: TypeAlias = bool | int | float | str
COLUMN_TYPES = ("FP64", "INT64", "BOOL", "BYTES")
TEXT = TextInput("text")
_OUTPUTS = {
    "predict": ("INT64", "FP64", "BOOL", "BYTES"),
    "label": ("BYTES",),
    "predict_proba": ("FP64",),
    "decision_function": ("FP64",),
}
# V1's fields of the answer.
_FIELDS = {"predict": "predictions", "label": "labels", "predict_proba": "probabilities", "decision_function": "scores"}


class ModelSettings(BaseModel):
    """The manifest's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    input: Literal["tabular", "columns", "text"]
    """Rows of numbers, named columns, or texts."""
    task: Task
    missing_values: bool | list[str] = False
    """Whether values may be missing in rows of numbers, or in which columns."""
    classes: list[Label] = []
    """A classifier's classes, in the order of the probabilities."""
    approved_types: list[str] = []
    """Types in the skops file, beyond those that skops trusts itself, that whoever packed the model approved."""
    onnx: str = ""
    """How the ONNX form was compared with scikit-learn, or why there is none."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives.

    Args:
        input: rows of numbers, columns, or texts.
        outputs: `predict`, and what else the model has.
        task: what it was made for.
        classes: a classifier's classes, in the order of the probabilities.
        labels: what those are called; empty for other tasks.
    """

    input: Input
    outputs: tuple[TensorSpec, ...]
    task: Task
    classes: tuple[Label, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def v1_fields(self) -> dict[str, str]:
        """V1's fields of the answer, and the output of each."""
        return {_FIELDS[spec.name]: spec.name for spec in self.outputs}

    def has(self, output: str) -> bool:
        """Whether there is an output of that name."""
        return any(spec.name == output for spec in self.outputs)

    def settings(self, approved_types: Sequence[str], onnx: str) -> ModelSettings:
        """What the manifest says besides inputs, outputs and the names of features and classes."""
        kinds: dict[type, Literal["tabular", "columns", "text"]] = {FeatureInput: "tabular", ColumnInput: "columns"}
        return ModelSettings(
            input=kinds.get(type(self.input), "text"),
            task=self.task,
            missing_values=self._missing(),
            classes=list(self.classes),
            approved_types=list(approved_types),
            onnx=onnx,
        )

    def _missing(self) -> bool | list[str]:
        if isinstance(self.input, ColumnInput):
            return sorted(self.input.missing)
        return isinstance(self.input, FeatureInput) and self.input.missing


def read_settings(manifest: Manifest) -> ModelSettings:
    """Understand the manifest's settings.

    Raises:
        ArtifactError: naming the setting at fault.
    """
    try:
        return ModelSettings.model_validate(manifest.settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArtifactError(f"the manifest's setting {where} is not valid: {first['msg']}") from None


def read_signature(manifest: Manifest) -> Signature:
    """Understand what a manifest says that a model takes and gives.

    Raises:
        ArtifactError: it says too little, or contradicts itself.
    """
    settings = read_settings(manifest)
    outputs = tuple(_output(entry) for entry in manifest.outputs)
    if not any(spec.name == "predict" for spec in outputs):
        raise ArtifactError('the manifest lacks the output "predict"')
    labels = manifest.class_names or tuple(map(str, settings.classes))
    if len(labels) != len(settings.classes):
        raise ArtifactError(f"the manifest has {len(labels)} class names for {len(settings.classes)} classes")
    return Signature(_input(manifest, settings), outputs, settings.task, tuple(settings.classes), labels)


def _input(manifest: Manifest, settings: ModelSettings) -> Input:
    entries = manifest.inputs
    if settings.input == "text":
        return TEXT
    if settings.input == "columns":
        for entry in entries:
            if entry.datatype not in COLUMN_TYPES or entry.shape != (-1,):
                raise ArtifactError(
                    f'the manifest\'s input "{entry.name}" must have the shape [-1] and one of the datatypes '
                    f"{', '.join(COLUMN_TYPES)}"
                )
        if not entries or len({entry.name for entry in entries}) != len(entries):
            raise ArtifactError("the manifest must have one input for each column")
        return ColumnInput(tuple(_spec(entry) for entry in entries), _missing_columns(entries, settings))
    if len(entries) != 1 or entries[0].shape != (-1, len(manifest.feature_names)) or not manifest.feature_names:
        raise ArtifactError("the manifest must have one input of the shape [-1, F] and F feature names")
    return FeatureInput(manifest.feature_names, settings.missing_values is True)


def _missing_columns(entries: Sequence[TensorEntry], settings: ModelSettings) -> frozenset[str]:
    able = {entry.name for entry in entries if entry.datatype in ("FP64", "BYTES")}
    if isinstance(settings.missing_values, bool):
        return frozenset(able if settings.missing_values else ())
    if unable := set(settings.missing_values) - able:
        raise ArtifactError(
            f"the manifest's setting missing_values names {sorted(unable)[0]}, which is no column of FP64 or BYTES"
        )
    return frozenset(settings.missing_values)


def _output(entry: TensorEntry) -> TensorSpec:
    if entry.datatype not in _OUTPUTS.get(entry.name, ()) or not 1 <= len(entry.shape) <= 2:
        raise ArtifactError(f'the manifest\'s output "{entry.name}" of {entry.datatype} is not one of this predictor')
    return _spec(entry)


def _spec(entry: TensorEntry) -> TensorSpec:
    return TensorSpec(entry.name, entry.datatype, entry.shape)
