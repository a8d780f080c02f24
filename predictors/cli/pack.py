"""`predictors artifact pack`: make an artifact of a model file."""

import importlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from predictors.cli.console import errors, fail, plain_errors
from predictors.cli.kind import Kind
from predictors.cli.manifest import show_manifest
from predictors.cli.writing import Version, check_version, copying, writing

if TYPE_CHECKING:
    from predictors.serving.model.training import Package, Trained

_GGUF = ".gguf"


def pack(
    file: Annotated[Path, typer.Argument(help="Model file: joblib (or pickle) for iris and intent, GGUF.")],
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
    trust_artifact: Annotated[
        bool, typer.Option("--trust_artifact", help="Load the joblib file, which runs the code in it.")
    ] = False,
) -> None:
    """Make an artifact of a model file: manifest, digests, golden examples, and a pickle-free form.

    [bold]A model of your own[/bold], as version 2:
      predictors artifact pack model.joblib --kind iris --version 2 -o iris-2 --trust_artifact
      predictors artifact pack model.gguf --version 2 -o summarizer-2

    To read a joblib file is to run the code in it: pack only what comes from someone you trust. The pickle-free form
    is compared with scikit-learn's own predictions on thousands of inputs. The artifact takes the place of one that is
    in the directory, once it is complete.
    """
    from predictors.serving.errors import ArtifactError

    check_version(version)
    kind = kind or _kind_of(file)
    if unknown_threshold is not None and kind is not Kind.INTENT:
        raise typer.BadParameter(f"--unknown_threshold is for intent, not for {kind}")
    _require_readable(file)
    if kind is not Kind.SUMMARIZER and not trust_artifact:
        fail(f"to read {file.name} is to run the code in it: say --trust_artifact if you trust where it comes from")
    with plain_errors(ArtifactError):
        if kind is Kind.SUMMARIZER:
            packed = _pack_gguf(file, out, version, name)
        else:
            package = _package(
                file, kind, {} if unknown_threshold is None else {"unknown_threshold": unknown_threshold}
            )
            packed = _write(package, out, version, name)
    show_manifest(packed.directory, packed.manifest, packed.digest)


def _kind_of(file: Path) -> Kind:
    if file.suffix.lower() != _GGUF:
        raise typer.BadParameter(f"name the predictor that will serve {file.name}: --kind iris or --kind intent")
    return Kind.SUMMARIZER


def _require_readable(file: Path) -> None:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            fail(f"{file} is not a file")
        file.open("rb").close()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")


def _pack_gguf(file: Path, out: Path, version: str, name: str) -> "Trained":
    from predictors.summarizer.pack import pack as pack_gguf

    with writing(out), copying(file.stat().st_size) as advance:
        return pack_gguf(file, out, version, name, advance)


def _package(file: Path, kind: Kind, options: dict[str, float]) -> "Package":
    from predictors.serving.artifacts.joblib_file import load_joblib

    errors.print(f"loading {file}, which runs the code in it", markup=False)
    pickled = file.read_bytes()
    module = importlib.import_module(f"predictors.{kind}.pack")
    package: Package = module.package(load_joblib(pickled), pickled, **options)
    return package


def _write(package: "Package", out: Path, version: str, name: str) -> "Trained":
    from predictors.serving.model.training import write_artifact

    with writing(out):
        return write_artifact(out, package, version, name)
