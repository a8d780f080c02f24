"""Settings of the fallback."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from predictors.serving.settings import Address, Settings

# Hosts that are reached without leaving the machine or the cluster.
_NEARBY = ("localhost", "127.0.0.1", "::1")
_NEARBY_SUFFIXES = (".svc", ".svc.cluster.local")


class FallbackSettings(Settings):
    """The summarizer's fallback: an endpoint while the model is overloaded, not ready or too slow. Off by default."""

    fallback_url: Address = Field(
        default="",
        description="OpenAI-compatible endpoint that answers while the model cannot: https://api.example.com/v1. What "
        "it is sent leaves this server; personal data that is recognized is replaced before. Empty: off.",
    )
    fallback_model: str = Field(default="", description="Name of the model at that endpoint.")
    fallback_key_file: Path | None = Field(
        default=None, description="File with the key for that endpoint; read again when it changes."
    )
    fallback_requests_per_hour: int = Field(
        default=100, ge=1, le=1_000_000, description="Requests that this process sends to the endpoint in any hour."
    )
    fallback_tokens_per_hour: int | None = Field(
        default=None,
        ge=1,
        description="Tokens that the endpoint reads and writes for this process in any hour, by its own count; once "
        "they are exceeded, none are sent.",
    )
    fallback_max_answer_tokens: int = Field(
        default=1024, ge=1, le=32_768, description="Maximum length of an answer of the endpoint, tokens."
    )
    fallback_max_concurrent: int = Field(
        default=4, ge=1, le=64, description="Requests that are answered by the fallback at once."
    )

    @field_validator("fallback_url")
    @classmethod
    def _usable(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("it is not a URL") from None
        if parts.scheme not in ("https", "http") or not host:
            raise ValueError("a URL that begins with https:// is expected")
        if parts.query or parts.fragment:
            raise ValueError("a URL without a query or a fragment is expected; the key goes into a file")
        if parts.scheme == "http" and host not in _NEARBY and not host.endswith(_NEARBY_SUFFIXES):
            raise ValueError("http:// is for this machine and for Services of the cluster (….svc); use https://")
        if parts.path.rstrip("/").endswith("/chat/completions"):
            raise ValueError("leave out /chat/completions, which is added")
        return value.rstrip("/")
