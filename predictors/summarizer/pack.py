"""Make an artifact of a GGUF file."""

from collections.abc import Callable
from importlib.metadata import version as library_version
from pathlib import Path

from pydantic import ValidationError

from predictors.serving.artifacts.artifact import Artifact, FileEntry, Golden, Manifest, file_entry
from predictors.serving.artifacts.writing import copy_files, replacing, write_manifest
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import Trained, tensor_entries
from predictors.summarizer.llama.model import LlamaModel, Message
from predictors.summarizer.model import SummarizerPredictor

EXAMPLE = "The customer pays 5 euros a month. Either side may end this contract with 30 days' notice."


def pack(file: Path, directory: Path, version: str, name: str, advance: Callable[[int], None]) -> Trained:
    """Check a GGUF file, copy it into a directory, and write its manifest.

    Args:
        file: a model with a chat template.
        directory: the artifact's; what it holds so far stays in place until the new artifact is complete.
        version: of the artifact.
        name: of the model; the file's own if empty.
        advance: called with the number of bytes copied, again and again.

    Raises:
        ArtifactError: the file cannot be served, or changed while it was copied.
        OSError: the file cannot be read, or the directory cannot be written.
    """
    manifest = describe(file, version, name)
    with replacing(directory) as staging:
        copy_files(Artifact(file.parent, manifest), staging, advance)
        return Trained(directory, manifest, write_manifest(staging, manifest))


def describe(file: Path, version: str, name: str = "") -> Manifest:
    """Load a GGUF file, and describe it with a golden example: how many tokens a prompt has.

    Raises:
        ArtifactError: it cannot be served, or llama-cpp-python is not installed.
        OSError: it cannot be read.
    """
    tokens = _prompt_tokens(file)
    return Manifest(
        name=name or file.stem,
        version=version,
        kind=SummarizerPredictor.kind,
        files=(_entry(file),),
        inputs=tensor_entries(SummarizerPredictor.input.specs()),
        outputs=tensor_entries(SummarizerPredictor.outputs),
        library_versions={"llama-cpp-python": library_version("llama-cpp-python")},
        golden=(Golden(input=EXAMPLE, output={"prompt_tokens": tokens}),),
    )


def _entry(file: Path) -> FileEntry:
    try:
        return file_entry(file, "gguf")
    except ValidationError:
        raise ArtifactError(f"{file.name} is not a name that a file of an artifact may have") from None


def _prompt_tokens(path: Path) -> int:
    model = LlamaModel(path, path.name)
    try:
        return len(model.chat([Message("user", EXAMPLE)]))
    finally:
        model.close()
