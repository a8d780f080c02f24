"""Request parameters of summaries, and of prompts that come over OpenAI's API."""

import os
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from predictors.serving.errors import InvalidInput
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


class SummaryParameters(SamplingParameters):
    """Parameters of a summary."""

    mode: Literal["auto", "fast", "full"] = Field(
        default="auto",
        description="full: the model reads the whole document; fast: only the most important clauses; auto: full if "
        "there is enough time.",
    )
    max_tokens: Integer = Field(default=800, ge=1, le=100_000, description="Maximum length of the summary, tokens.")


class PromptParameters(SamplingParameters):
    """Parameters of a chat or a completion."""

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
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])[:64]
        if first["type"] == "extra_forbidden":
            raise InvalidInput(f'unknown parameter "{name}"; allowed are {", ".join(kind.model_fields)}') from None
        raise InvalidInput(f'the parameter "{name}" is wrong: {first["msg"].removeprefix("Value error, ")}') from None
