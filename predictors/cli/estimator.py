"""Packing any scikit-learn estimator: what `predictors artifact pack --kind sklearn` does."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from predictors.cli.console import errors
from predictors.cli.writing import writing

if TYPE_CHECKING:
    from predictors.serving.model.training import Trained


class EstimatorOptions(NamedTuple):
    """The options that only an estimator of any kind has.

    Args:
        examples: rows, each as JSON.
        missing_values: whether values may be missing.
        approved_types: types that the skops form may hold.
        onnx: whether to try the ONNX form.
    """

    examples: Sequence[str] = ()
    missing_values: bool = False
    approved_types: Sequence[str] = ()
    onnx: bool = True


class Naming(NamedTuple):
    """What the artifact, the features and the classes are called."""

    version: str
    name: str
    features: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    description: str = ""


def pack_estimator(file: Path, out: Path, naming: Naming, options: EstimatorOptions) -> "Trained":
    """Load a joblib file, which runs the code in it, and make an artifact of the estimator.

    Raises:
        typer.BadParameter: an example is not JSON.
        ArtifactError: it cannot be packed.
    """
    from predictors.sklearn.describe import Hints
    from predictors.sklearn.pack import Options, package

    examples = [_example(text) for text in options.examples]
    model, pickled = load_estimator(file)
    hints = Hints(naming.features, None, options.missing_values, naming.class_names)
    packed = package(model, pickled, Options(hints, examples, options.approved_types, options.onnx))
    with writing(out):
        written = packed.write(out, naming.version, naming.name, naming.description)
    for says in filter(None, (packed.onnx, packed.skops)):
        errors.print(says, markup=False)
    return written


def load_estimator(file: Path) -> tuple[Any, bytes]:
    """Load a joblib file, saying that this runs the code in it; gives the model, and the file's content.

    Raises:
        ArtifactError: it cannot be read.
    """
    from predictors.serving.artifacts.joblib_file import load_joblib

    errors.print(f"loading {file}, which runs the code in it", markup=False)
    pickled = file.read_bytes()
    return load_joblib(pickled), pickled


def _example(text: str) -> Any:
    """A row as JSON; a text may stand without quotes."""
    try:
        return json.loads(text)
    except ValueError:
        if text[:1] in ("[", "{", '"'):
            raise typer.BadParameter(f"--example {text} is not JSON") from None
        return text
