"""The flags of `predictors serve`: one for each field of the settings classes, with its name, default and description.

The settings classes parse and check the values. This module tells flags from models, describes them for `--help`, and
refuses combinations that make no sense, all before anything heavy is imported.
"""

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeAlias, TypeVar

import typer
from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from predictors.cli.kind import Kind
from predictors.intent.settings import IntentSettings
from predictors.serving.access.settings import AccessSettings
from predictors.serving.drift.settings import DriftSettings
from predictors.serving.request_log.settings import RequestLogSettings
from predictors.serving.settings import ENV_PREFIX, ArtifactSettings, ServerSettings, Settings
from predictors.serving.store.settings import StoreSettings
from predictors.summarizer.fallback.settings import FallbackSettings
from predictors.summarizer.settings import SummarizerSettings

SettingsClasses: TypeAlias = tuple[type[Settings], ...]
SettingsT = TypeVar("SettingsT", bound=Settings)

PREDICTOR_SETTINGS: Mapping[str, SettingsClasses] = {
    "intent": (IntentSettings,),
    "summarizer": (SummarizerSettings, FallbackSettings),
}
SERVE_SETTINGS: SettingsClasses = (
    ServerSettings,
    AccessSettings,
    RequestLogSettings,
    ArtifactSettings,
    StoreSettings,
    DriftSettings,
    *(cls for classes in PREDICTOR_SETTINGS.values() for cls in classes),
)
# What says where one artifact is.
_ONE_ARTIFACT = ("artifacts_dir", "model_dir", "model_name", "artifact_digest")

# What Kubernetes puts into a container's environment for each Service of its namespace: NAME_PORT=tcp://10.0.0.1:80.
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://")
_BOOLEANS = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off"})


class Options(NamedTuple):
    """All settings of a server.

    Args:
        server: of the server itself.
        access: of who may call it.
        request_log: of what is logged of requests.
        artifacts: of what it serves.
        drift: of what is compared with the artifacts' references.
        intent: of the intent predictor, if it is served.
        summarizer: of the summarizer, if it is served.
        fallback: of what answers in its place, if it is served.
        store: of the folder of models, if that is served.
    """

    server: ServerSettings
    access: AccessSettings
    request_log: RequestLogSettings
    artifacts: ArtifactSettings
    drift: DriftSettings
    intent: IntentSettings | None
    summarizer: SummarizerSettings | None
    fallback: FallbackSettings | None
    store: StoreSettings


def normalize(arguments: Sequence[str], classes: SettingsClasses) -> list[str]:
    """Accept flags spelled with dashes, and a boolean flag without a value as true, as KServe's users write them."""
    names = _fields(classes)
    normalized = []
    for i, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        name = flag[2:].replace("-", "_")
        if not flag.startswith("--") or name not in names:
            normalized.append(argument)
            continue
        following = arguments[i + 1].lower() if i + 1 < len(arguments) else ""
        if names[name].annotation is bool and not equals and following not in _BOOLEANS:
            equals, value = "=", "true"
        normalized.append(f"--{name}{equals}{value}")
    return normalized


def split(arguments: Sequence[str], classes: SettingsClasses) -> tuple[dict[str, str], list[str]]:
    """Separate the flags of some settings classes from all other arguments.

    Returns:
        The flags' values by field name, and the other arguments.

    Raises:
        typer.BadParameter: a flag is unknown or lacks its value.
    """
    names = _fields(classes)
    given: dict[str, str] = {}
    others = []
    words = iter(normalize(arguments, classes))
    for word in words:
        flag, equals, value = word.partition("=")
        name = flag[2:]
        if not flag.startswith("--") or flag == "--help":
            others.append(word)
        elif name not in names:
            similar = get_close_matches(flag, [f"--{name}" for name in names], n=1)
            raise typer.BadParameter(f"there is no flag {flag}" + "".join(f"; did you mean {it}?" for it in similar))
        elif (found := value if equals else next(words, None)) is None:
            raise typer.BadParameter(f"{flag} needs a value")
        else:
            given[name] = found
    return given, others


def parse(kinds: Sequence[str], given: Mapping[str, str]) -> Options:
    """Make the settings of a server.

    Args:
        kinds: the predictors to serve.
        given: flags by field name, with their values as text.

    Raises:
        typer.BadParameter: a flag has a wrong value, or does not go with the others.
    """
    artifacts, store = build(ArtifactSettings, given), build(StoreSettings, given)
    if store.model_store is not None:
        _refuse(given, _ONE_ARTIFACT, "--{} and --model_store exclude each other")
        for name in ("model_dir", "model_name", "artifact_digest"):
            if getattr(artifacts, name):
                variable = _variable_at_fault(ArtifactSettings, name)
                raise typer.BadParameter(f"{variable} and --model_store exclude each other")
        kinds = [*Kind]
    else:
        _refuse(given, tuple(StoreSettings.model_fields), "--{} is for --model_store, which is not given")
    if len(kinds) > 1 and (artifacts.model_dir or artifacts.model_name or artifacts.artifact_digest):
        raise typer.BadParameter("--model_dir, --model_name and --artifact_digest need exactly one model to be named")
    for kind, own in PREDICTOR_SETTINGS.items():
        misplaced = [name for name in _fields(own) if name in given and kind not in kinds]
        if misplaced:
            raise typer.BadParameter(f"--{misplaced[0]} is for {kind}, which is not served")
    if "gguf" in given and artifacts.model_dir:
        raise typer.BadParameter("--gguf and --model_dir exclude each other")
    summarizer = build(SummarizerSettings, given) if "summarizer" in kinds else None
    if summarizer and summarizer.gguf and store.model_store is not None:
        raise typer.BadParameter("--gguf and --model_store exclude each other")
    if summarizer and summarizer.gguf and artifacts.signature_key is not None:
        raise typer.BadParameter(
            "--gguf names a file that no signature covers: make an artifact of it with predictors artifact pack, sign "
            "that, and serve it with --model_dir"
        )
    fallback = build(FallbackSettings, given) if "summarizer" in kinds else None
    if fallback and bool(fallback.fallback_url) is not bool(fallback.fallback_model):
        raise typer.BadParameter("--fallback_url and --fallback_model, the name of the model there, need each other")
    return Options(
        build(ServerSettings, given),
        build(AccessSettings, given),
        _request_log(given),
        artifacts,
        build(DriftSettings, given),
        build(IntentSettings, given) if "intent" in kinds else None,
        summarizer,
        fallback,
        store,
    )


def _request_log(given: Mapping[str, str]) -> RequestLogSettings:
    settings = build(RequestLogSettings, given)
    alone = [name for name in RequestLogSettings.model_fields if name in given]
    if alone and not settings.has_sink:
        raise typer.BadParameter(f"--{alone[0]} needs --request_log_url or --request_log_file, or nothing is logged")
    return settings


def _refuse(given: Mapping[str, str], names: Sequence[str], why: str) -> None:
    """Pass only if none of some flags is given.

    Raises:
        typer.BadParameter: one is; what is wrong with it is why, with its name in it.
    """
    for name in names:
        if name in given:
            raise typer.BadParameter(why.format(name))


def build(cls: type[SettingsT], given: Mapping[str, str]) -> SettingsT:
    """Make settings from flags; other fields come from the environment or have their default.

    Raises:
        typer.BadParameter: naming the flag or variable with a wrong value.
    """
    values: dict[str, Any] = {name: given[name] for name in cls.model_fields if name in given}
    try:
        return cls(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        complaint = _complaint(cls, name, first)
        if name in values:
            raise typer.BadParameter(f"--{name}: {complaint}") from None
        where = _variable_at_fault(cls, name)
        if where.endswith("_PORT") and _SERVICE_LINK.match(str(first["input"])):
            service = where.removesuffix("_PORT").lower().replace("_", "-")
            raise typer.BadParameter(
                f"{where} is {first['input']}, which Kubernetes sets in pods because of the Service {service}; "
                "set enableServiceLinks: false in the pod's specification, or give the Service another name"
            ) from None
        raise typer.BadParameter(f"{where}: {complaint}") from None


def _complaint(cls: type[Settings], name: str, error: ErrorDetails) -> str:
    """What is wrong with a field, and its value unless that may be a secret.

    Args:
        cls: the settings class.
        name: the field's, or that of a variable of its.
        error: pydantic's.
    """
    field = next(field for each, field in cls.model_fields.items() if name in (each, *_variables(cls, each)))
    return error["msg"].removeprefix("Value error, ") + (f" (given: {error['input']!r})" if field.repr else "")


def panel(cls: type[Settings]) -> Panel:
    """Describe the flags of a settings class, in the style of Typer's own help."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, field in cls.model_fields.items():
        default = _shown(field.get_default())
        description = Text.assemble(str(field.description), " ", (_variables(cls, name)[0], "dim"))
        if default:
            description.append(f" [default: {default}]", "dim")
        table.add_row(Text(f"--{name}", "bold cyan", no_wrap=True), Text(_metavar(field), "bold yellow"), description)
    title = (cls.__doc__ or "").partition(":")[0].rstrip(".")
    return Panel(table, title=title, title_align="left", border_style="dim")


def _variables(cls: type[Settings], name: str) -> tuple[str, ...]:
    """The environment variables of a field; the first that is set counts."""
    alias = cls.model_fields[name].validation_alias
    return tuple(map(str, alias.choices)) if isinstance(alias, AliasChoices) else (f"{ENV_PREFIX}{name.upper()}",)


def _variable_at_fault(cls: type[Settings], where: str) -> str:
    """The variable that a wrong value came from; pydantic names the field, or the first of its variables."""
    names = next(names for field in cls.model_fields if where in (field, *(names := _variables(cls, field))))
    return next((name for name in names if os.environ.get(name)), names[0])


def _fields(classes: SettingsClasses) -> dict[str, FieldInfo]:
    return {name: field for cls in classes for name, field in cls.model_fields.items()}


def _shown(default: object) -> str:
    if default in (None, "", ()):
        return ""
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)


def _metavar(field: FieldInfo) -> str:
    text = str(field.annotation)
    for found, shown in (("bool", "BOOL"), ("int", "INT"), ("float", "NUMBER"), ("Path", "PATH")):
        if found in text:
            return shown
    return "TEXT"
