"""Request parameters of summaries, and of prompts that come over OpenAI's API."""

import os
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from predictors.extraction.content_types import CONTENT_TYPES, ContentType, known_type
from predictors.serving.errors import InvalidInput
from predictors.serving.model.parameters import own_parameters
from predictors.summarizer.engine.types import Constraint, Sampling

_MOST_STOPS, _LONGEST_STOP = 8, 200


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is expected, not a boolean")  # pydantic reports ValueError
    return value


Integer = Annotated[int, BeforeValidator(_no_boolean)]
Number = Annotated[float, BeforeValidator(_no_boolean)]


class SamplingParameters(BaseModel):
    """How tokens are chosen. Numbers may be strings, because KServe's gRPC parameters have no floating-point type."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    temperature: Number = Field(default=0.0, ge=0, le=2, description="0 takes the most likely token each time.")
    top_p: Number = Field(
        default=1.0, gt=0, le=1, description="Choose among the most likely tokens that together have this probability."
    )
    min_p: Number = Field(
        default=0.0, ge=0, le=1, description="Choose among tokens at least this likely, relative to the most likely."
    )
    repeat_penalty: Number = Field(
        default=1.0, ge=0.5, le=2, description="Above 1, tokens that were just generated become less likely."
    )
    seed: Integer | None = Field(
        default=None, ge=0, lt=2**32 - 1, description="Seed of the random choice; random by default."
    )
    stop: list[str] = Field(
        default=[], max_length=_MOST_STOPS, description=f"Texts that end the answer, at most {_MOST_STOPS}."
    )

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("stop")
    @classmethod
    def _not_empty(cls, value: list[str]) -> list[str]:
        if any(not 0 < len(text) <= _LONGEST_STOP for text in value):
            raise ValueError(f"each text needs 1 to {_LONGEST_STOP} characters")
        return value

    @property
    def deterministic(self) -> bool:
        """Whether the same request gets the same answer."""
        return self.temperature == 0 or self.seed is not None

    def sampling(self, max_tokens: int, constraint: Constraint | None = None) -> Sampling:
        """The parameters as the engine takes them.

        Args:
            max_tokens: maximum number of tokens to generate.
            constraint: what the answer must follow.
        """
        seed = int.from_bytes(os.urandom(4), "little") >> 1 if self.seed is None else self.seed
        return Sampling(
            max_tokens=max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            min_p=self.min_p,
            seed=seed,
            stop=tuple(self.stop),
            repeat_penalty=self.repeat_penalty,
            constraint=constraint,
        )


def _known_type(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = known_type(value)  # its ValueError names the types that are known
    if found is None:
        raise ValueError(f"one of {', '.join(CONTENT_TYPES)} is expected")
    return found


class SummaryParameters(SamplingParameters):
    """Parameters of a summary."""

    mode: Literal["auto", "fast", "full"] = Field(
        default="auto",
        description="fast: what a consumer must know; full: also what matters less; auto: full if there is enough "
        "time.",
    )
    max_tokens: Integer | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Maximum length of the summary, tokens; by default what suits the length of the document.",
    )
    content_type: Annotated[ContentType, BeforeValidator(_known_type)] = Field(
        default="text/plain",
        description="What the documents are. PDF and Word documents are sent as base64.",
    )
    return_text: bool = Field(
        default=False,
        description="Answer with the text of each document, too, to which the citations' offsets refer.",
    )


class PromptParameters(SamplingParameters):
    """Parameters of a chat or a completion."""

    repeat_penalty: Number = Field(
        default=1.1, ge=0.5, le=2, description="Above 1, tokens that were just generated become less likely."
    )

    max_tokens: Integer | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Maximum number of tokens to generate; by default as many as fit the context.",
    )
    json_schema: dict[str, Any] | None = Field(default=None, description="JSON schema that the answer must follow.")


ParametersT = TypeVar("ParametersT", bound=SamplingParameters)


def parse_parameters(kind: type[ParametersT], given: dict[str, Any]) -> ParametersT:
    """Validate request parameters.

    Raises:
        InvalidInput: names the first invalid one.
    """
    try:
        return kind.model_validate(own_parameters(given, kind.model_fields))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])[:64]
        raise InvalidInput(f'the parameter "{name}" is wrong: {first["msg"].removeprefix("Value error, ")}') from None
