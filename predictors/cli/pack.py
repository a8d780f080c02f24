"""`predictors artifact pack`: make an artifact of a model file."""

import importlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from predictors.cli.console import fail, plain_errors
from predictors.cli.estimator import EstimatorOptions, Naming, load_estimator, pack_estimator
from predictors.cli.kind import Kind
from predictors.cli.manifest import show_manifest
from predictors.cli.reference import with_reference
from predictors.cli.writing import Version, check_version, copying, writing

if TYPE_CHECKING:
    from predictors.serving.model.training import Package, Trained

_GGUF = ".gguf"
# Options that not every predictor has.
_KINDS_OF_OPTIONS = {
    "unknown_threshold": (Kind.INTENT,),
    "background_class": (Kind.INTENT,),
    "normalize": (Kind.INTENT,),
    "features": (Kind.IRIS, Kind.SKLEARN),
    "class_names": (Kind.IRIS, Kind.INTENT, Kind.SKLEARN),
    "description": (Kind.IRIS, Kind.INTENT, Kind.SKLEARN),
    "example": (Kind.SKLEARN,),
    "missing_values": (Kind.SKLEARN,),
    "approve_type": (Kind.SKLEARN,),
    "onnx": (Kind.SKLEARN,),
    "reference_rows": (Kind.IRIS, Kind.INTENT, Kind.SKLEARN),
    "instructions_file": (Kind.SUMMARIZER,),
}


def pack(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Model file: joblib (or pickle), or GGUF for the summarizer.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Artifact directory to write.")],
    version: Version,
    kind: Annotated[
        Kind | None, typer.Option(help="Predictor that will serve it; summarizer if FILE ends in .gguf.")
    ] = None,
    name: Annotated[
        str, typer.Option(help="Name of the model in the manifest; its kind or, for GGUF, the file's name if omitted.")
    ] = "",
    unknown_threshold: Annotated[
        float | None,
        typer.Option("--unknown_threshold", min=0, max=1, help="Intent: probability below which an intent is unknown."),
    ] = None,
    background_class: Annotated[
        str,
        typer.Option("--background_class", help="Intent: class of texts with no intent, which no answer names."),
    ] = "",
    normalize: Annotated[
        bool,
        typer.Option(
            "--normalize", help="Intent: the model was trained on texts in the default artifact's normal form."
        ),
    ] = False,
    features: Annotated[
        str, typer.Option(help="Iris and sklearn: names of the features, comma-separated, in order.")
    ] = "",
    class_names: Annotated[
        str, typer.Option("--class_names", help="What the classes are called, comma-separated, in the model's order.")
    ] = "",
    description: Annotated[str, typer.Option(help="What the model is for; for the manifest.")] = "",
    example: Annotated[
        list[str] | None,
        typer.Option(help="Sklearn: a row as JSON, for the golden examples; may be given several times."),
    ] = None,
    missing_values: Annotated[
        bool, typer.Option("--missing_values", help="Sklearn: take rows with values that are missing (null).")
    ] = False,
    approve_type: Annotated[
        list[str] | None,
        typer.Option("--approve_type", help="Sklearn: a type of another package that the skops form may hold."),
    ] = None,
    instructions_file: Annotated[
        Path | None,
        typer.Option(
            "--instructions_file", help="Summarizer: JSON file with the model's own prompt, for the manifest."
        ),
    ] = None,
    reference_rows: Annotated[
        Path | None,
        typer.Option(
            "--reference_rows",
            help="Iris, intent and sklearn: JSON lines, a row each as V1 takes it, that live traffic is compared with "
            "(drift); best are rows that the model was not fitted on.",
        ),
    ] = None,
    onnx: Annotated[bool, typer.Option(help="Sklearn: try to make the fast ONNX form.")] = True,
    trust_artifact: Annotated[
        bool, typer.Option("--trust_artifact", help="Load the joblib file, which runs the code in it.")
    ] = False,
) -> None:
    """Make an artifact of a model file: manifest, digests, golden examples, and a pickle-free form.

    [bold]A model of your own[/bold], as version 2:
      predictors artifact pack model.joblib --kind iris --version 2 -o iris-2 --trust_artifact
      predictors artifact pack model.gguf --version 2 -o summarizer-2
      predictors artifact pack churn.joblib --kind sklearn --version 2 -o churn-2 --trust_artifact

    To read a joblib file is to run the code in it: pack only what comes from someone you trust. The pickle-free form
    is compared with scikit-learn's own predictions on thousands of inputs. The artifact takes the place of one that is
    in the directory, once it is complete.
    """
    from predictors.serving.errors import ArtifactError

    check_version(version)
    kind = kind or _kind_of(file)
    given = _given_options(ctx)
    _check_options(kind, given)
    settings = {"unknown_threshold": unknown_threshold, "background_class": background_class, "normalize": normalize}
    naming = Naming(version, name, _listed(features), _listed(class_names), description)
    _require_readable(file)
    if kind is not Kind.SUMMARIZER and not trust_artifact:
        fail(f"to read {file.name} is to run the code in it: say --trust_artifact if you trust where it comes from")

    def make(directory: Path) -> "Trained":
        if kind is Kind.SUMMARIZER:
            return _pack_gguf(file, directory, naming, instructions_file)
        if kind is Kind.SKLEARN:
            options = EstimatorOptions(example or (), missing_values, approve_type or (), onnx)
            return pack_estimator(file, directory, naming, options)
        own = {setting: value for setting, value in settings.items() if setting in given}
        return _write(_package(file, kind, naming, own), directory, naming)

    with plain_errors(ArtifactError):
        packed = make(out) if reference_rows is None else with_reference(make, out, reference_rows)
    show_manifest(packed.directory, packed.manifest, packed.digest)


def _given_options(ctx: typer.Context) -> set[str]:
    """The options on the command line, by name."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def _check_options(kind: Kind, given: set[str]) -> None:
    """Refuse options that a predictor does not have."""
    for option, kinds in _KINDS_OF_OPTIONS.items():
        if option in given and kind not in kinds:
            raise typer.BadParameter(f"--{option} is for {' and '.join(kinds)}, not for {kind}")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _kind_of(file: Path) -> Kind:
    if file.suffix.lower() != _GGUF:
        raise typer.BadParameter(f"name the predictor that will serve {file.name}: --kind sklearn, iris or intent")
    return Kind.SUMMARIZER


def _require_readable(file: Path) -> None:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            fail(f"{file} is not a file")
        file.open("rb").close()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")


def _pack_gguf(file: Path, out: Path, naming: Naming, instructions_file: Path | None) -> "Trained":
    from predictors.summarizer import pack as gguf

    named = gguf.Naming(naming.version, naming.name, instructions_file)
    with writing(out), copying(file.stat().st_size) as advance:
        return gguf.pack(file, out, named, advance)


def _package(file: Path, kind: Kind, naming: Naming, settings: dict[str, Any]) -> "Package":
    from predictors.serving.errors import ArtifactError
    from predictors.serving.model.training import Names

    module = importlib.import_module(f"predictors.{kind}.pack")
    options = {"settings": settings} if kind is Kind.INTENT else {}
    names = Names(naming.features, naming.class_names)
    try:
        model, pickled = load_estimator(file)
        package: Package = module.package(model, pickled, names=names, **options)
    except ArtifactError as error:
        raise ArtifactError(f"{file}: {error}") from error
    return package


def _write(package: "Package", out: Path, naming: Naming) -> "Trained":
    from predictors.serving.model.training import write_artifact

    with writing(out):
        return write_artifact(out, package, naming.version, naming.name, naming.description)
