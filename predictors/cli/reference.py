"""The reference for drift in an artifact that is packed: rows in a file, and what the model answers to them."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictors.cli.console import fail
from predictors.cli.loaded import load_predictor
from predictors.cli.writing import writing

if TYPE_CHECKING:
    from predictors.serving.model.training import Trained


def with_reference(pack: "Callable[[Path], Trained]", out: Path, file: Path) -> "Trained":
    """Pack a model, load it as a server would, and keep in its manifest how it answers the rows of a file.

    Args:
        pack: writes the artifact into a directory.
        out: where the artifact goes once it is complete.
        file: JSON lines, a row each, as V1 takes it.

    Raises:
        ArtifactError: the model cannot be packed, or does not take the rows, or they are too few.
    """
    from predictors.serving.artifacts.writing import replacing, write_manifest
    from predictors.serving.drift.rows import reference_of_rows
    from predictors.serving.model.training import Trained

    rows = _rows(file)
    with tempfile.TemporaryDirectory() as folder:
        packed = pack(Path(folder) / "artifact")
        predictor = load_predictor(packed.directory, trusted=True)
        reference = reference_of_rows(predictor, rows, f"{len(rows)} rows that were given")
        manifest = packed.manifest.model_copy(update={"reference": reference})
        with writing(out), replacing(out) as staging:
            for entry in manifest.files:
                shutil.copyfile(packed.directory / entry.name, staging / entry.name)
            return Trained(out, manifest, write_manifest(staging, manifest))


def _rows(file: Path) -> list[Any]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}")
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError:
                fail(f"{file}: line {number} is not JSON; each line holds one row, as V1 takes it")
    return rows
