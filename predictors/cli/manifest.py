"""Artifact manifests as commands print them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from predictors.serving.artifacts.manifest import Manifest
    from predictors.serving.artifacts.reference import Reference


def show_manifest(directory: Path, manifest: "Manifest", digest: str) -> None:
    """Print a manifest, one property per line.

    Args:
        directory: the artifact directory.
        manifest: what to print.
        digest: of the manifest, as ``sha256:…``.
    """
    from predictors.serving.artifacts.signature import SIGNATURE

    rows = [("artifact", str(directory)), ("model", f"{manifest.name} version {manifest.version}, for {manifest.kind}")]
    if manifest.description:
        rows.append(("description", manifest.description))
    for entry in manifest.files:
        rows.append(("file", f"{entry.name} ({entry.format}, {entry.size_bytes:,} bytes) sha256 {entry.sha256}"))
    for direction, tensors in (("input", manifest.inputs), ("output", manifest.outputs)):
        rows += [(direction, f"{tensor.name} {tensor.datatype} {list(tensor.shape)}") for tensor in tensors]
    if manifest.feature_names:
        rows.append(("features", ", ".join(manifest.feature_names)))
    if manifest.class_names:
        rows.append(("classes", ", ".join(manifest.class_names)))
    for title, values in (("setting", manifest.settings), ("evaluation", manifest.evaluation)):
        rows += [(title, f"{name} {_rounded(value)}") for name, value in values.items()]
    if manifest.reference is not None:
        rows.append(("reference", _described(manifest.reference)))
    rows += [("golden", f"{len(manifest.golden)} examples"), ("digest", digest)]
    if (directory / SIGNATURE).exists():
        rows.append(("signature", f"{SIGNATURE}; predictors artifact verify --signature_key checks whose it is"))
    output = Console(soft_wrap=True, highlight=False)
    for title, text in rows:
        output.print(f"[dim]{title:<12}[/dim]", end="")
        output.print(text, markup=False)


def _described(reference: "Reference") -> str:
    counted = reference.distributions
    columns = ", ".join(f"{each.name} ({each.side})" for each in counted)
    return f"{max(each.rows for each in counted):,} rows: {reference.made_of}; {columns}"


def show_made(directory: Path, manifest: "Manifest", digest: str) -> None:
    """Say in two lines what was made; `predictors artifact inspect` shows the rest.

    Args:
        directory: the artifact directory.
        manifest: of the artifact.
        digest: of the manifest, as ``sha256:…``.
    """
    output = Console(soft_wrap=True, highlight=False)
    output.print(f"{directory}: {manifest.name} version {manifest.version}, {digest}", markup=False)
    output.print(
        f"predictors artifact inspect {directory} shows what it takes, gives and was measured at", markup=False
    )


def _rounded(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
