"""The settings of the door."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from pydantic_settings import NoDecode

from predictors.serving.settings import BY_COMMAS, Address, Settings

Algorithm: TypeAlias = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""How a JWT may be signed: only ways in which who checks tokens cannot make them."""


class AccessSettings(Settings):
    """Who may call, and how much: tokens and rate limits. All of it is off by default."""

    token_digests_file: Path | None = Field(
        default=None,
        description="File with the digests of the tokens that may call, and what each allows (`predictors token`); "
        "read again when it changes.",
    )
    metrics_token_digests_file: Path | None = Field(
        default=None,
        description="File of the same form with the tokens that may read /metrics. Without it, everyone may.",
    )
    jwt_issuer: str = Field(default="", description="Accept JWTs of this issuer (their claim iss).")
    jwt_audience: str = Field(default="", description="Accept only JWTs that are for this audience (their claim aud).")
    jwt_keys: Address = Field(
        default="", description="The issuer's public keys, a JWKS: a file, or an address that begins with https://."
    )
    jwt_algorithms: Annotated[tuple[Algorithm, ...], NoDecode, BY_COMMAS] = Field(
        default=("RS256", "ES256", "EdDSA"), min_length=1, description="How JWTs may be signed, comma-separated."
    )
    jwt_leeway_seconds: float = Field(
        default=30.0, ge=0, le=600, description="Allow clocks to differ by this much in the times of JWTs, seconds."
    )
    jwt_models_claim: str = Field(
        default="",
        description="Claim of JWTs that lists the models that its holder may use, * for all. Without this setting, "
        "all models.",
    )
    client_requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Requests that each client may send to each model. A client is a token's name, a JWT's subject "
        "or, without tokens, an address.",
    )
    client_tokens_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Tokens that each client may have each model that generates text read and write.",
    )
    model_requests_per_minute: int | None = Field(
        default=None, ge=1, description="Requests to each model, of all clients together."
    )
    limits_url: str = Field(
        default="",
        repr=False,
        description="Count requests and tokens together with other replicas, in this Redis or Valkey: "
        "redis://host:6379/0. Without it, each process counts its own.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BY_COMMAS] = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For is believed, comma-separated; unix is the "
        "Unix socket.",
    )

    @property
    def limits(self) -> bool:
        """Whether there is a limit."""
        return bool(self.client_requests_per_minute or self.client_tokens_per_minute or self.model_requests_per_minute)
