"""`predictors artifact`: show what an artifact holds, check it, and copy it."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from predictors.cli.console import errors, plain_errors
from predictors.cli.manifest import show_manifest
from predictors.cli.pack import pack
from predictors.cli.sign import sign
from predictors.cli.writing import copying, writing

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Show what an artifact holds, check it, make one, sign it, or copy it.",
)
app.command()(pack)
app.command()(sign)


@app.command("inspect")
def inspect_artifact(
    directory: Annotated[Path, typer.Argument(help="Artifact directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest itself.")] = False,
) -> None:
    """Show an artifact's manifest, without loading the model."""
    from predictors.serving.artifacts.manifest import read_manifest
    from predictors.serving.errors import ArtifactError

    with plain_errors(ArtifactError):
        manifest, digest = read_manifest(directory)
    if as_json:
        sys.stdout.write(manifest.model_dump_json(indent=2) + "\n")
    else:
        show_manifest(directory, manifest, digest)


@app.command("verify")
def verify_artifact(
    directory: Annotated[Path, typer.Argument(help="Artifact directory.")],
    artifact_digest: Annotated[
        str, typer.Option("--artifact_digest", help="Digest the manifest must have: sha256:…")
    ] = "",
    signature_key: Annotated[
        str | None,
        typer.Option(
            "--signature_key", help="PEM file with the keys, or authorities, one of which must have signed it."
        ),
    ] = None,
) -> None:
    """Compare each file with its hash in the manifest, and the manifest with a digest; exit 1 if any differs.

    With --signature_key, check who signed it, too.
    """
    from predictors.serving.artifacts.artifact import Artifact
    from predictors.serving.artifacts.manifest import read_manifest
    from predictors.serving.artifacts.signature import SIGNATURE
    from predictors.serving.errors import ArtifactError

    with plain_errors(ArtifactError):
        manifest, digest = read_manifest(directory, artifact_digest, signature_key=signature_key)
    faults = []
    output = Console(soft_wrap=True, highlight=False)
    for entry, fault in Artifact(directory, manifest).verify():
        faults.append(fault)
        output.print(f"{entry.name:<40} {fault or 'intact'}", style="red" if fault else "green", markup=False)
    if signature_key is not None:
        output.print(f"{SIGNATURE:<40} valid", style="green", markup=False)
    output.print(digest)
    if any(faults):
        raise typer.Exit(1)


@app.command("digest")
def print_digest(directory: Annotated[Path, typer.Argument(help="Artifact directory.")]) -> None:
    """Print the digest that pins an artifact, sha256:…: its manifest's, or its model.joblib's if it has no manifest."""
    from predictors.serving.artifacts.artifact import pinning_digest
    from predictors.serving.errors import ArtifactError

    with plain_errors(ArtifactError):
        digest = pinning_digest(directory)
    sys.stdout.write(digest + "\n")


@app.command("export")
def export_artifact(
    source: Annotated[Path, typer.Argument(help="Artifact directory.")],
    target: Annotated[Path, typer.Argument(help="Directory to copy it to; made if need be.")],
) -> None:
    """Copy an artifact, verify the copy, and print its digest.

    [bold]Into a volume[/bold], from an image that carries its model:
      predictors artifact export /opt/models/iris /models/iris

    What TARGET holds so far is served until the copy is complete. If it is this very artifact, nothing is written.
    """
    from predictors.serving.artifacts.manifest import read_manifest
    from predictors.serving.artifacts.writing import export
    from predictors.serving.errors import ArtifactError

    with plain_errors(ArtifactError), writing(target):
        manifest, _ = read_manifest(source)
        with copying(sum(entry.size_bytes for entry in manifest.files)) as advance:
            digest, copied = export(source, target, advance)
    what = f"{manifest.name} version {manifest.version}"
    errors.print(f"{target} holds {what}" if copied else f"{target} held {what} already", markup=False)
    sys.stdout.write(digest + "\n")
