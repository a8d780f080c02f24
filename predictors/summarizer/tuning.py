"""What a model was tuned to: its own instructions, examples, chat template, sampling and length of passages.

A fine-tuned model does best with the prompt that it was trained with. The manifest's ``settings`` say what that is, or
the file that ``--instructions_file`` names, which wins. Both have the form of `Tuning`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from predictors.serving.errors import ArtifactError

TEXT_MARK = "{text}"
_MOST_CHARS = 20_000
_MOST_EXAMPLES = 16
_MOST_TEMPLATE_CHARS = 65_536
_MOST_FILE_BYTES = 2**20


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class Instructions(_Strict):
    """The words around a passage; without ``system`` the chat has no such message."""

    system: str = Field(default="", max_length=_MOST_CHARS, description="The system message.")
    task: str = Field(
        default=TEXT_MARK,
        max_length=_MOST_CHARS,
        description=f"The user's message; {TEXT_MARK} stands for the passage, which comes first if it is not there.",
    )

    @model_validator(mode="after")
    def _once(self) -> "Instructions":
        if self.task.count(TEXT_MARK) > 1:
            raise ValueError(f"task names {TEXT_MARK} more than once")
        return self


class Example(_Strict):
    """A passage with the answer that the model should give."""

    text: str = Field(min_length=1, max_length=_MOST_CHARS)
    answer: str = Field(min_length=1, max_length=_MOST_CHARS)


class SamplingDefaults(_Strict):
    """How tokens are chosen where the request does not say; see the request's parameters."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    repeat_penalty: float | None = Field(default=None, ge=0.5, le=2)
    seed: int | None = Field(default=None, ge=0, lt=2**32 - 1)

    @field_validator("temperature", "top_p", "min_p", "repeat_penalty", mode="before")
    @classmethod
    def _whole_numbers_too(cls, value: object) -> object:
        return float(value) if type(value) is int else value

    @property
    def given(self) -> dict[str, Any]:
        """The defaults that are given, by parameter."""
        return self.model_dump(exclude_none=True)


class Tuning(_Strict):
    """What a model was tuned to."""

    reading: Literal["clauses", "chunks"] = Field(
        default="clauses",
        description="What it reads: clauses, or chunks, of which it says in its own words what matters.",
    )
    instructions: Instructions | None = Field(default=None, description="Instead of the built-in instructions.")
    examples: tuple[Example, ...] | None = Field(
        default=None, max_length=_MOST_EXAMPLES, description="Earlier turns of the chat, instead of the built-in ones."
    )
    chat_template: str = Field(
        default="", max_length=_MOST_TEMPLATE_CHARS, description="Jinja template instead of the GGUF file's own."
    )
    sampling: SamplingDefaults = Field(default=SamplingDefaults(), description="Defaults for requests.")
    chunk_tokens: int | None = Field(
        default=None, ge=50, le=1_000_000, description="Maximum length of a chunk; by default what the context allows."
    )

    @field_validator("examples", mode="before")
    @classmethod
    def _list_too(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value


def read_tuning(settings: Mapping[str, Any], where: str) -> Tuning:
    """Validate the ``settings`` of a manifest, or the content of a file of the same form.

    Args:
        settings: what is written there.
        where: what to call the place in errors.

    Raises:
        ArtifactError: naming the setting at fault, and what would be right.
    """
    try:
        return Tuning.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(Tuning.model_fields)
            raise ArtifactError(f'{where} has the unknown setting "{name}"; a summarizer has {known}') from None
        message = first["msg"].removeprefix("Value error, ")
        raise ArtifactError(f'{where} has a wrong setting "{name}": {message}') from None


def read_tuning_file(path: Path) -> dict[str, Any]:
    """Read a JSON file of the form of `Tuning`, without validating its content.

    Raises:
        ArtifactError: it cannot be read, or is not a JSON object.
    """
    try:
        if path.stat().st_size > _MOST_FILE_BYTES:
            raise ArtifactError(f"{path.name} has more than {_MOST_FILE_BYTES} bytes")
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ArtifactError(f"{path.name} cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise ArtifactError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ArtifactError(f"{path.name} is not a JSON object")
    return content
