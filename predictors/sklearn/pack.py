"""Make an artifact of any fitted estimator: its ONNX and skops forms where they agree, and golden examples."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from predictors.serving.artifacts.files import FileEntry, FileFormat, bytes_entry
from predictors.serving.artifacts.manifest import Golden, Manifest
from predictors.serving.errors import ArtifactError, ServingError
from predictors.serving.model.training import Trained, golden_examples, tensor_entries, write_files
from predictors.serving.model.types import (
    FeatureInput,
    Input,
    Outputs,
)
from predictors.serving.model.validation import batch_from_instances
from predictors.sklearn import nesting
from predictors.sklearn.conversion import Conversion, check_same, convert
from predictors.sklearn.describe import Hints, describe, input_of
from predictors.sklearn.estimator import EstimatorRunner
from predictors.sklearn.frames import Rows
from predictors.sklearn.model import SklearnPredictor
from predictors.sklearn.onnx_file import OnnxRunner
from predictors.sklearn.sample import first_rows, sample_taken
from predictors.sklearn.signature import Signature
from predictors.sklearn.skops_file import dump_skops, load_skops
from predictors.sklearn.versions import versions

_COMPARED_ROWS = 2_000
_GOLDEN_ROWS = 5
_LONGEST_REASON = 300
_LIBRARIES = ("kserve-predictors", "numpy", "scikit-learn", "scipy", "skops", "skl2onnx", "onnxruntime")
# Whose types the packer approves by trusting the file; any other must be named.
_KNOWN_PACKAGES = ("sklearn", "numpy", "scipy", "builtins", "collections", "functools")


class Options(NamedTuple):
    """What the packer says besides the file.

    Args:
        hints: what the model itself may not say.
        examples: rows for the golden examples, as V1's instances.
        approved_types: types of other packages that the skops form may hold.
        onnx: whether to try the ONNX form.
    """

    hints: Hints = Hints()
    examples: Sequence[Any] = ()
    approved_types: Sequence[str] = ()
    onnx: bool = True


class Form(NamedTuple):
    """One file of an artifact."""

    entry: FileEntry
    data: bytes


class _Skops(NamedTuple):
    data: bytes | None
    approved: tuple[str, ...]
    says: str


class Packed(NamedTuple):
    """A model in all its forms, and its manifest without name and version.

    Args:
        forms: in order of preference.
        signature: what it takes and gives.
        golden: examples.
        approved_types: in the skops form, beyond those that skops trusts.
        onnx: how the ONNX form was compared, or why there is none.
        skops: why there is no skops form; empty if there is one.
    """

    forms: tuple[Form, ...]
    signature: Signature
    golden: tuple[Golden, ...]
    approved_types: tuple[str, ...]
    onnx: str
    skops: str

    def write(self, directory: Path, version: str, name: str = "", description: str = "") -> Trained:
        """Write the artifact.

        Raises:
            OSError: the directory cannot be written.
        """
        signature = self.signature
        kind = signature.input
        manifest = Manifest(
            name=name or "sklearn",
            version=version,
            kind="sklearn",
            files=tuple(form.entry for form in self.forms),
            inputs=tensor_entries(kind.specs()),
            outputs=tensor_entries(signature.outputs),
            description=description,
            feature_names=kind.names if isinstance(kind, FeatureInput) else (),
            class_names=signature.labels,
            settings=signature.settings(self.approved_types, self.onnx).model_dump(),
            library_versions=versions(_LIBRARIES),
            golden=self.golden,
        )
        return write_files(directory, manifest, {form.entry.name: form.data for form in self.forms})


def package(model: Any, pickled: bytes, options: Options = Options()) -> Packed:  # noqa: B008  # immutable
    """Find out what a model takes and gives, convert it, and compare each form with the original.

    Args:
        model: a fitted estimator.
        pickled: its joblib file, which is kept if there is no skops form.
        options: what the packer says.

    Raises:
        ArtifactError: it is no fitted estimator, does not say enough, or cannot predict.
    """
    _require_fitted(model)
    model = nesting.unwrapped(model)
    hints = options.hints._replace(example=options.hints.example or next(iter(options.examples), None))
    kind = input_of(model, hints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows come without names
        batch = sample_taken(model, kind, _COMPARED_ROWS)
        golden_batch = _batch(options.examples or first_rows(batch, _GOLDEN_ROWS), kind)
        signature = describe(model, kind, golden_batch, hints)
        skops = _skops_form(model, options.approved_types)
        runner = EstimatorRunner(model, signature)
        golden = _answers(runner, golden_batch)
        if skops.data is not None:
            own = EstimatorRunner(load_skops(skops.data, skops.approved, trusted=True), signature)
            check_same(own, golden_batch, golden)
        onnx = _onnx_form(model, signature, runner, (batch, golden_batch)) if options.onnx else Conversion(None, "")
        onnx = _checked(onnx, signature, golden_batch, golden)
    forms = [_form("model.onnx", "onnx", onnx.onnx), _form("model.skops", "skops", skops.data)]
    if skops.data is None:
        forms.append(_form("model.joblib", "joblib", pickled))
    return Packed(
        forms=tuple(form for form in forms if form is not None),
        signature=signature,
        golden=golden_examples(first_rows(golden_batch, len(golden_batch)), _as_json(golden)),
        approved_types=skops.approved,
        onnx=onnx.says,
        skops=skops.says,
    )


def _require_fitted(model: Any) -> None:
    if not hasattr(model, "predict"):
        raise nesting.no_estimator(model)
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(nesting.unwrapped(model))
    except NotFittedError:
        raise ArtifactError(f"the {type(model).__name__} is not fitted") from None
    except TypeError:
        raise nesting.no_estimator(model) from None


def _batch(instances: Sequence[Any], kind: Input) -> Rows:
    try:
        batch = batch_from_instances(list(instances), kind, SklearnPredictor.limits, {})
    except ServingError as error:
        raise ArtifactError(f"the examples do not fit the model: {error}") from None
    assert isinstance(batch, Rows)  # noqa: S101  # models here take no prompts
    return batch


def _skops_form(model: Any, approved: Sequence[str]) -> _Skops:
    try:
        raw, needed = dump_skops(model)
    except ArtifactError as error:
        return _Skops(None, (), f"no skops form: {error}")
    others = [name for name in needed if name.partition(".")[0] not in _KNOWN_PACKAGES and name not in approved]
    if others:
        return _Skops(None, (), f"no skops form: it would hold {', '.join(others)}; approve with --approve_type")
    return _Skops(raw, tuple(needed), "")


def _answers(runner: EstimatorRunner, golden_batch: Rows) -> Outputs:
    try:
        return runner.run(golden_batch)
    except Exception as error:  # any model of anyone's
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise ArtifactError(f"the model cannot be served: {type(error).__name__}: {reason}") from error


def _checked(onnx: Conversion, signature: Signature, golden_batch: Rows, golden: Outputs) -> Conversion:
    """The same, without a graph that fails the golden examples: it would keep the server from being ready."""
    if onnx.onnx is None:
        return onnx
    try:
        check_same(OnnxRunner(onnx.onnx, signature), golden_batch, golden)
    except ArtifactError as error:
        return Conversion(None, f"no ONNX form: {error}")
    return onnx


def _onnx_form(model: Any, signature: Signature, runner: EstimatorRunner, batches: Sequence[Rows]) -> Conversion:
    """Convert, and compare on the first of the batches that the model itself takes."""
    for batch in batches:
        try:
            runner.run(batch)
        except ServingError:
            continue
        return convert(model, signature, runner, batch)
    raise AssertionError("the model takes its golden examples")


def _form(name: str, file_format: FileFormat, data: bytes | None) -> Form | None:
    return None if data is None else Form(bytes_entry(name, file_format, data), data)


def _as_json(outputs: Outputs) -> dict[str, Sequence[Any]]:
    return {name: column if isinstance(column, list) else column.tolist() for name, column in outputs.items()}
