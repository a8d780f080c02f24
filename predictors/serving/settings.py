"""Settings: one class per component; each field is a flag, an environment variable and, in the chart, a value.

``max_body_bytes`` is the flag ``--max_body_bytes`` and the variable ``PREDICTORS_MAX_BODY_BYTES``; the flag wins.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ENV_PREFIX = "PREDICTORS_"


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


BY_COMMAS = BeforeValidator(_split)
"""Of settings that are lists: their values are separated by commas. `NoDecode` belongs beside it."""


# By these two alone, and not by the parts of an address: a / or # in a password would have it taken for another part.
_USER = re.compile(r":.*@", re.DOTALL)


def _without_user(value: str) -> str:
    if _USER.search(value):
        raise ValueError("it must not hold a user or a password, so no @ (in a path, write %40)")
    return value


Address: TypeAlias = Annotated[str, AfterValidator(_without_user), Field(repr=False)]
"""Of settings that are addresses of servers which take no password by them. Flags are seen by all users of a machine,
and addresses are logged. What else is in them may be secret too, so neither errors nor `repr` show them."""


class Settings(BaseSettings):
    """Base: where values come from."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        frozen=True,
        protected_namespaces=(),
        env_ignore_empty=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,  # it may be a secret; the command line shows those that are none
    )


class ServerSettings(Settings):
    """The server: ports, limits, shutdown, logs."""

    model_config = SettingsConfigDict(populate_by_name=True)

    host: str = Field(
        default="0.0.0.0",  # noqa: S104  # what a container needs; the text warns of it
        description="Address to listen on. The default is open to the network; 127.0.0.1 is this machine only.",
    )
    http_port: int = Field(
        default=8080,
        ge=0,
        le=65535,
        validation_alias=AliasChoices(f"{ENV_PREFIX}HTTP_PORT", "PORT"),
        description="Port for REST (V1, V2) and /metrics; if not given, the variable PORT counts.",
    )
    grpc_port: int = Field(default=8081, ge=0, le=65535, description="Port for gRPC (V2).")
    uds: str = Field(default="", description="Serve REST on a Unix socket at this path, instead of a port.")
    ssl_certfile: Path | None = Field(
        default=None, description="PEM certificate (with its chain) for REST and gRPC; reloaded when it changes."
    )
    ssl_keyfile: Path | None = Field(default=None, description="PEM private key of the certificate.")
    ssl_ca_certfile: Path | None = Field(
        default=None,
        description="PEM certificates of authorities; only clients with a certificate of theirs may connect, by REST "
        "and gRPC. Reloaded when it changes.",
    )
    probe_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port that answers probes and /metrics alone, without TLS, for who cannot show a certificate.",
    )
    enable_grpc: bool = Field(default=True, description="Serve gRPC too.")
    enable_repository: bool = Field(
        default=False,
        description="Let callers load and unload models: anyone who can reach the port or, where tokens are needed, "
        "whoever has the right.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BY_COMMAS] = Field(
        default=(), description="Origins of web pages that may call the server, comma-separated; none by default."
    )
    ui: bool = Field(
        default=False,
        description="Serve a page for people at /ui, and lead browsers there from /: documents are summarized, and "
        "iris and intent tried.",
    )
    ui_fetch: bool = Field(
        default=True,
        description="Let callers of the page name the address of a document, which the server then fetches from the "
        "public internet, and from nowhere else.",
    )
    max_body_bytes: int = Field(default=4 * 2**20, ge=1024, description="Maximum size of a request body, bytes.")
    max_held_bytes: int = Field(
        default=256 * 2**20,
        ge=1024,
        description="Maximum size of all request bodies in memory, bytes; further requests get 429.",
    )
    max_connections: int = Field(
        default=10_000,
        ge=1,
        description="Maximum number of HTTP connections; a new one replaces an idle one, or gets 503 if none is idle.",
    )
    max_rows: int | None = Field(
        default=None, ge=1, description="Maximum rows in one request; each model has its own default."
    )
    max_text_chars: int | None = Field(
        default=None, ge=1, description="Maximum length of a text, characters; each model has its own default."
    )
    max_queue: int | None = Field(
        default=None,
        ge=1,
        description="Maximum requests running and waiting per model; further ones get 429. "
        "Each model has its own default.",
    )
    micro_batching: Literal["auto", "off"] = Field(
        default="auto", description="Compute concurrent requests together: auto (where that is faster), or off."
    )
    cache: Literal["auto", "all", "off"] = Field(
        default="auto", description="Which models' answers are cached: auto (models that take seconds), all, or off."
    )
    cache_ttl_seconds: int = Field(default=3600, ge=1, description="How long an answer is cached, seconds.")
    cache_max_bytes: int = Field(
        default=64 * 2**20,
        ge=1024,
        description="Maximum size of the cached answers in this process, bytes; the least recently used are evicted.",
    )
    cache_url: str = Field(
        default="",
        repr=False,
        description="Share cached answers with other replicas through this Redis or Valkey: redis://host:6379/0.",
    )
    request_timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Maximum time for one request, seconds; the caller's x-request-timeout-ms may shorten it.",
    )
    drain_seconds: float = Field(
        default=5.0, ge=0, description="After SIGTERM: report not ready but keep accepting for this long, seconds."
    )
    grace_seconds: float = Field(
        default=60.0, ge=0, description="After draining: wait this long for requests in flight, seconds."
    )
    keep_alive_seconds: int = Field(default=75, ge=1, description="Close an idle connection after this long, seconds.")
    head_timeout_seconds: float = Field(
        default=10.0, gt=0, description="Maximum time for a request's head to arrive, seconds."
    )
    write_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Disconnect a client that reads none of its answer for this long, seconds."
    )
    shadow_file: str = Field(
        default="",
        description="JSON file that names canaries and the share of the requests that they get copies of; it may "
        "appear, change and vanish at any time. Empty: off.",
    )
    shadow_token_file: Path | None = Field(
        default=None, description="File with the token that copies of requests carry, where canaries ask for one."
    )
    shadow_max_difference: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="A canary's answer agrees if each class's probability differs by at most this much.",
    )
    shadow_min_overlap: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A canary's summary agrees if the F1 of both summaries' words is at least this.",
    )
    otlp_endpoint: Address = Field(
        default="",
        validation_alias=AliasChoices(f"{ENV_PREFIX}OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Send traces to this OpenTelemetry collector, over OTLP and HTTP: http://collector:4318; if not "
        "given, the variable OTEL_EXPORTER_OTLP_ENDPOINT counts. Empty: no traces.",
    )
    trace_sample_ratio: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the requests that begin a trace. One that comes with a traceparent is traced if that "
        "says so.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="Log lines: json, text, or auto (text on a terminal)."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log lines to show."
    )


class ArtifactSettings(Settings):
    """Which artifacts are served, under which names, and which of them are trusted."""

    artifacts_dir: Path = Field(
        default=Path("artifacts"), description="Directory with one artifact directory per model."
    )
    model_dir: Path | None = Field(
        default=None, description="Artifact directory, when one model is served; instead of --artifacts_dir."
    )
    model_name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="Name to serve under, when one model is served.",
    )
    artifact_digest: str = Field(
        default="", description="Pin the artifact, when one model is served: sha256:… over its manifest.json."
    )
    trust_artifact: bool = Field(
        default=False, description="Load files that run code (joblib) without a pinned digest."
    )
    signature_key: str | None = Field(
        default=None,
        min_length=1,
        description="Load only artifacts that are signed (predictors artifact sign): PEM file, or the PEM itself, with "
        "the public keys, or certificates of authorities, whose signatures count.",
    )


class Source(NamedTuple):
    """Where one model comes from.

    Args:
        directory: the artifact's.
        digest: the pinned ``sha256:…`` of its manifest, or empty.
        trusted: whether files that run code are loaded without a pinned digest.
        signature_key: who must have signed it: PEM, or a PEM file's path; None for nobody.
        version: that it is served as, whatever its manifest says; empty for the manifest's.
    """

    directory: Path
    digest: str = ""
    trusted: bool = False
    signature_key: str | None = None
    version: str = ""
