"""Make an artifact of a GGUF file."""

from collections.abc import Callable
from importlib.metadata import version as library_version
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from predictors.serving.artifacts.artifact import Artifact
from predictors.serving.artifacts.files import FileEntry, file_entry
from predictors.serving.artifacts.manifest import Golden, Manifest
from predictors.serving.artifacts.writing import copy_files, replacing, write_manifest
from predictors.serving.errors import ArtifactError
from predictors.serving.model.training import Trained, tensor_entries
from predictors.summarizer.llama.model import LlamaModel, Message
from predictors.summarizer.model import SummarizerPredictor
from predictors.summarizer.readers import new_reader
from predictors.summarizer.tuning import Tuning, read_tuning, read_tuning_file

EXAMPLE = "The customer pays 5 euros a month. Either side may end this contract with 30 days' notice."


class Naming(NamedTuple):
    """What a packed model is called, and its own prompt.

    Args:
        version: of the artifact.
        name: of the model; the file's own if empty.
        instructions_file: JSON of the form of `tuning.Tuning`, for the manifest's settings.
    """

    version: str
    name: str = ""
    instructions_file: Path | None = None


def pack(file: Path, directory: Path, naming: Naming, advance: Callable[[int], None]) -> Trained:
    """Check a GGUF file, copy it into a directory, and write its manifest.

    Args:
        file: a model with a chat template.
        directory: the artifact's; what it holds so far stays in place until the new artifact is complete.
        naming: version, name, and the model's own prompt.
        advance: called with the number of bytes copied, again and again.

    Raises:
        ArtifactError: the file cannot be served, or changed while it was copied.
        OSError: the file cannot be read, or the directory cannot be written.
    """
    manifest = describe(file, naming)
    with replacing(directory) as staging:
        copy_files(Artifact(file.parent, manifest), staging, advance)
        return Trained(directory, manifest, write_manifest(staging, manifest))


def describe(file: Path, naming: Naming) -> Manifest:
    """Load a GGUF file, and describe it with a golden example: how many tokens a prompt has.

    Raises:
        ArtifactError: it cannot be served with its prompt, or llama-cpp-python is not installed.
        OSError: it cannot be read.
    """
    path = naming.instructions_file
    settings = {} if path is None else read_tuning_file(path)
    tuning = read_tuning(settings, path.name if path else "")
    tokens = _prompt_tokens(file, tuning)
    return Manifest(
        name=naming.name or file.stem,
        version=naming.version,
        kind=SummarizerPredictor.kind,
        files=(_entry(file),),
        inputs=tensor_entries(SummarizerPredictor.input.specs()),
        outputs=tensor_entries(SummarizerPredictor.outputs),
        settings=settings,
        library_versions={"llama-cpp-python": library_version("llama-cpp-python")},
        golden=(Golden(input=EXAMPLE, output={"prompt_tokens": tokens}),),
    )


def _entry(file: Path) -> FileEntry:
    try:
        return file_entry(file, "gguf")
    except ValidationError:
        raise ArtifactError(f"{file.name} is not a name that a file of an artifact may have") from None


def _prompt_tokens(path: Path, tuning: Tuning) -> int:
    model = LlamaModel(path, path.name, tuning.chat_template)
    try:
        new_reader(
            model, tuning, unsupported="quote", fast_tokens=1
        )  # refuses a prompt that the template does not take
        return len(model.chat([Message("user", EXAMPLE)]))
    except ValueError as error:
        raise ArtifactError(f"{path.name}: {error}, as its instructions and examples need") from None
    finally:
        model.close()
