"""Settings classes as command-line flags: same names, same defaults, same texts; each class is a panel of `--help`."""

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from predictors.serving.settings import ENV_PREFIX, Settings

SettingsT = TypeVar("SettingsT", bound=Settings)

_BOOLEANS = {"true", "false", "1", "0", "yes", "no", "on", "off"}


def parameters(classes: Sequence[type[Settings]]) -> list[inspect.Parameter]:
    """One optional string parameter a field; the settings classes parse and check the values."""
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None, _option(name, field, panel=(cls.__doc__ or "").partition(":")[0].rstrip("."))
            ],
        )
        for cls in classes
        for name, field in cls.model_fields.items()
    ]


def _option(name: str, field: FieldInfo, panel: str) -> Any:
    default = field.get_default()
    return typer.Option(
        f"--{name}",
        help=f"{field.description} [dim]{ENV_PREFIX}{name.upper()}[/dim]",
        metavar=_metavar(field),
        show_default=_shown(default),
        rich_help_panel=panel,
    )


def _shown(default: object) -> str | bool:
    if default in (None, "", ()):
        return False
    return str(default).lower() if isinstance(default, bool) else str(default)


def _metavar(field: FieldInfo) -> str:
    text = str(field.annotation)
    for found, shown in (("bool", "BOOL"), ("int", "INT"), ("float", "NUMBER"), ("Path", "PATH")):
        if found in text:
            return shown
    return "TEXT"


def normalize(arguments: Sequence[str], classes: Sequence[type[Settings]]) -> list[str]:
    """Let flags be written with dashes, and a boolean flag stand alone for true, as KServe's users write them."""
    names = {name for cls in classes for name in cls.model_fields}
    booleans = {name for cls in classes for name, field in cls.model_fields.items() if field.annotation is bool}
    normalized = []
    for i, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        name = flag[2:].replace("-", "_")
        if not flag.startswith("--") or name not in names:
            normalized.append(argument)
            continue
        following = arguments[i + 1].lower() if i + 1 < len(arguments) else ""
        if name in booleans and not equals and following not in _BOOLEANS:
            equals, value = "=", "true"
        normalized.append(f"--{name}{equals}{value}")
    return normalized


def build(cls: type[SettingsT], given: dict[str, Any]) -> SettingsT:
    """Make settings from flags; fields without one come from the environment, or have their default.

    Raises:
        typer.BadParameter: naming the flag or the variable at fault.
    """
    values = {name: given[name] for name in cls.model_fields if given.get(name) is not None}
    try:
        return cls(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        where = f"--{name}" if name in values else f"{ENV_PREFIX}{name.upper()}"
        raise typer.BadParameter(f"{where}: {first['msg']} (given: {first['input']!r})") from None
