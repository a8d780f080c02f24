"""`predictors artifact`: show a manifest, or check that an artifact is intact."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from predictors.cli.console import plain_errors
from predictors.cli.manifest import show_manifest

app = typer.Typer(no_args_is_help=True, help="Show what an artifact holds, or check that it is intact.")


@app.command("inspect")
def inspect_artifact(
    directory: Annotated[Path, typer.Argument(help="Artifact directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest itself.")] = False,
) -> None:
    """Show an artifact's manifest, without loading the model."""
    from predictors.serving.artifacts.artifact import read_manifest
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
) -> None:
    """Compare each file with its hash in the manifest, and the manifest with a digest; exit 1 if any differs."""
    from predictors.serving.artifacts.artifact import Artifact, read_manifest
    from predictors.serving.errors import ArtifactError

    with plain_errors(ArtifactError):
        manifest, digest = read_manifest(directory, artifact_digest)
    faults = []
    output = Console(soft_wrap=True, highlight=False)
    for entry, fault in Artifact(directory, manifest).verify():
        faults.append(fault)
        output.print(f"{entry.name:<40} {fault or 'intact'}", style="red" if fault else "green", markup=False)
    output.print(digest)
    if any(faults):
        raise typer.Exit(1)
