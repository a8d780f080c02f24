"""`predictors artifact`: look into an artifact, or check that it is intact."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.console import Console

from predictors.cli.console import fail

if TYPE_CHECKING:
    from predictors.serving.artifacts.artifact import Manifest

app = typer.Typer(no_args_is_help=True, help="Look into an artifact, or check that it is intact.")


@app.command("inspect")
def inspect_artifact(
    directory: Annotated[Path, typer.Argument(help="Artifact directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest itself.")] = False,
) -> None:
    """Show what a manifest says; nothing is loaded."""
    from predictors.serving.artifacts.artifact import read_manifest
    from predictors.serving.errors import ArtifactError

    try:
        manifest, digest = read_manifest(directory)
    except ArtifactError as error:
        fail(str(error))
    if as_json:
        sys.stdout.write(orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        show_manifest(directory, manifest, digest)


@app.command("verify")
def verify_artifact(
    directory: Annotated[Path, typer.Argument(help="Artifact directory.")],
    artifact_digest: Annotated[str, typer.Option("--artifact_digest", help="The digest it must have: sha256:…")] = "",
) -> None:
    """Hash every file and compare with the manifest, and the manifest with a digest; exit 1 where one differs."""
    from predictors.serving.artifacts.artifact import Artifact, read_manifest
    from predictors.serving.errors import ArtifactError

    try:
        manifest, digest = read_manifest(directory, artifact_digest)
    except ArtifactError as error:
        fail(str(error))
    faults = []
    output = Console(soft_wrap=True, highlight=False)
    for entry, fault in Artifact(directory, manifest).verify():
        faults.append(fault)
        output.print(f"{entry.name:<40} {fault or 'intact'}", style="red" if fault else "green", markup=False)
    output.print(digest)
    if any(faults):
        raise typer.Exit(1)


def show_manifest(directory: Path, manifest: "Manifest", digest: str) -> None:
    """Print what a manifest says, a line for each thing.

    Args:
        directory: the artifact's.
        manifest: what to print.
        digest: the manifest's, as ``sha256:…``.
    """
    rows = [("artifact", str(directory)), ("model", f"{manifest.name} version {manifest.version}, for {manifest.kind}")]
    for entry in manifest.files:
        rows.append(("file", f"{entry.name} ({entry.format}, {entry.size_bytes:,} bytes) sha256 {entry.sha256}"))
    for direction, tensors in (("input", manifest.inputs), ("output", manifest.outputs)):
        rows += [(direction, f"{tensor.name} {tensor.datatype} {list(tensor.shape)}") for tensor in tensors]
    if manifest.class_names:
        rows.append(("classes", ", ".join(manifest.class_names)))
    for title, values in (("setting", manifest.settings), ("evaluation", manifest.evaluation)):
        rows += [(title, f"{name} {_rounded(value)}") for name, value in values.items()]
    rows += [("golden", f"{len(manifest.golden)} examples"), ("digest", digest)]
    output = Console(soft_wrap=True, highlight=False)
    for title, text in rows:
        output.print(f"[dim]{title:<12}[/dim]", end="")
        output.print(text, markup=False)


def _rounded(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
