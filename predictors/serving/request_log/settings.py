"""The settings of the request log."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import NoDecode

from predictors.serving.settings import BY_COMMAS, Address, Settings

# What KServe's names look like. They become headers, and must not end one.
_NAME = r"^[A-Za-z0-9._-]{0,253}$"


class RequestLogSettings(Settings):
    """The request log: what was asked and answered, sent to a sink or written to files. Off by default."""

    request_log_url: Address = Field(
        default="",
        description="Send each request and answer as a CloudEvent to this address, as KServe's logger does: "
        "http://broker/default. Empty: none is sent.",
    )
    request_log_file: str = Field(
        default="",
        description="Write each request and answer as a line of this file, a CloudEvent in JSON; {host} stands for "
        "the machine's name. Empty: none is written.",
    )
    request_log_sample_ratio: float = Field(
        default=1.0, ge=0, le=1, description="Share of the requests that are logged, chosen at random."
    )
    request_log_redact: Annotated[tuple[str, ...], NoDecode, BY_COMMAS] = Field(
        default=(),
        description="Features, inputs and outputs whose values are never logged, by name, comma-separated.",
    )
    request_log_documents: bool = Field(
        default=False,
        description="Log texts too: documents, prompts, what the intent model reads, and texts that were generated. "
        "Without it, only their lengths.",
    )
    request_log_event_bytes: int = Field(
        default=256 * 2**10,
        ge=1024,
        description="Maximum size of the data of one event, bytes; the values of larger ones are left out.",
    )
    request_log_file_bytes: int = Field(
        default=64 * 2**20,
        ge=2**20,
        description="Size of the file, bytes, from which on it is renamed and a new one begun.",
    )
    request_log_kept_files: int = Field(
        default=4, ge=1, le=1000, description="How many files are kept, the one that is written included."
    )
    request_log_service: str = Field(
        default="",
        pattern=_NAME,
        description="The InferenceService that events name; if not given, the model's name counts.",
    )
    request_log_namespace: str = Field(
        default="", pattern=_NAME, description="The namespace that events name. Empty: none."
    )

    @property
    def has_sink(self) -> bool:
        """Whether anything is logged."""
        return bool(self.request_log_url or self.request_log_file)
