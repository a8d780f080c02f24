"""`predictors call`: send one V1 request to a served model."""

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand

from predictors.cli.client import DEFAULT_TIMEOUT_SECONDS, DEFAULT_URL, AsJson, TokenFile, Url, connect, once
from predictors.cli.console import errors, fail, print_json, printable

if TYPE_CHECKING:
    from predictors.client import TensorSpec

_MATRIX = 2  # dimensions of a tensor that holds rows of numbers
_NEGATIVE = re.compile(r"-\.?\d")
_TEXT_SUFFIXES = {".txt", ".md", ".html", ".rst", ".text"}
_SHOWN_INPUT_CHARS = 60


class CallCommand(TyperCommand):
    """A command whose arguments may be negative numbers."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep negative numbers from being taken for options: a space before them changes no number."""
        return super().parse_args(ctx, [f" {given}" if _NEGATIVE.match(given) else given for given in args])


def call(
    model: Annotated[str, typer.Argument(help="Name of a served model.")],
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Numbers, or rows of named columns as JSON; for other models texts, files, or - for standard input."
        ),
    ],
    url: Url = DEFAULT_URL,
    parameters: Annotated[str, typer.Option(help="Request parameters, a JSON object.")] = "{}",
    token_file: TokenFile = None,
    as_json: AsJson = False,
    timeout_seconds: Annotated[
        float, typer.Option("--timeout_seconds", min=0.001, help="Maximum time to wait for the response, seconds.")
    ] = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Call a served model.

    predictors call iris 5.1 3.5 1.4 0.2
    predictors call intent "where is my parcel"
    predictors call summarizer terms.txt --parameters '{"max_tokens": 100}'
    """
    given = _parse_parameters(parameters)
    with errors.status(f"waiting for {model}…"), connect(url, once(timeout_seconds), token_file) as client:
        instances = _instances(client.metadata(model).inputs, inputs)
        answer = client.predict(model, instances, given).body
    shown = None if as_json else _readable(instances, answer)
    if shown is None:
        print_json(answer)
    else:
        Console().print(shown)


def _parse_parameters(text: str) -> dict[str, Any]:
    import orjson

    try:
        given = orjson.loads(text)  # refuses NaN and infinity, as the server does
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise typer.BadParameter("--parameters must be a JSON object")
    return given


def _instances(tensors: Sequence["TensorSpec"], inputs: Sequence[str]) -> list[Any]:
    """Turn arguments into V1 instances, as the model's metadata describes them."""
    if not tensors:
        fail("the model's metadata names no inputs, so it is unknown what to send; is this a server of predictors?")
    if len(tensors) > 1 or (tensors[0].datatype != "BYTES" and len(tensors[0].shape) < _MATRIX):
        return [_row(given, [tensor.name for tensor in tensors]) for given in inputs]
    if tensors[0].datatype == "BYTES":
        return [_text(given) for given in inputs]
    return _numbers(tensors[0].shape[-1], inputs)


def _row(given: str, columns: Sequence[str]) -> Any:
    """A row of named columns, as JSON."""
    try:
        row = json.loads(given)
    except ValueError:
        row = None
    if not isinstance(row, (dict, list)):
        names = ", ".join(columns)
        fail(f"this model takes rows with the columns {names}; give each as JSON, such as '{{\"{columns[0]}\": …}}'")
    return row


def _numbers(width: int, inputs: Sequence[str]) -> list[list[float]]:
    words = [word.strip(",") for given in inputs for word in given.split()]
    if words and width < 1:  # any: rows are as long as the first
        width = words[0].count(",") + 1 if "," in words[0] else len(words)
    if any("," in word and word.count(",") + 1 != width for word in words) and len(words) > 1:
        fail("a comma separates numbers; write decimals with a point, such as 5.1 3.5, or a row as 5.1,3.5")
    try:
        numbers = [float(part) for word in words for part in word.split(",") if part]
    except ValueError as error:
        fail(f"this model takes numbers: {error}")
    if not all(map(math.isfinite, numbers)):
        fail("this model takes finite numbers")
    if not numbers or len(numbers) % width:
        fail(f"this model takes {width} numbers per row; {len(numbers)} were given")
    return [numbers[i : i + width] for i in range(0, len(numbers), width)]


def _text(given: str) -> str:
    try:
        given = given.removeprefix(" ") if _NEGATIVE.match(given[1:]) else given
        if given == "-":
            return sys.stdin.buffer.read().decode()
        if _is_file(given):
            return Path(given).read_text("utf-8")
        given.encode()  # an argument that is not UTF-8 cannot be sent
    except UnicodeError:
        fail(f"{given!a} is not UTF-8 text")
    except OSError as error:
        fail(f"{given} cannot be read: {error.strerror}")
    if Path(given).suffix in _TEXT_SUFFIXES and not any(map(str.isspace, given)):
        fail(f"there is no file {given}")
    return given


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):  # not a valid path, so it is text
        return False


def _readable(instances: list[Any], answer: Mapping[str, Any]) -> Text | Table | None:
    """An answer for people to read; None if it is not of the form that these servers' have."""
    try:
        return _summaries(answer) if "usage" in answer else _predictions(instances, answer)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _summaries(answer: Mapping[str, Any]) -> Text:
    shown = Text()
    for text, usage in zip(answer["predictions"], answer["usage"], strict=True):
        line = (
            f"{usage['prompt_tokens']} tokens read, {usage['completion_tokens']} written, "
            f"ended by {usage['finish_reason']}; model version {answer['model_version']}"
        )
        shown.append("\n".join(map(printable, text.split("\n")))).append(f"\n\n{printable(line)}\n", "dim")
    shown.rstrip()
    return shown


def _predictions(instances: list[Any], answer: Mapping[str, Any]) -> Table:
    version = answer.get("model_version")
    caption = None if version is None else Text(printable(f"model version {version}"))
    table = Table("input", "prediction", "confidence", caption=caption)
    labels = answer.get("labels", answer["predictions"])
    confidences = [f"{max(row):.3f}" for row in answer.get("probabilities", ())] or [""] * len(instances)
    for instance, label, confidence in zip(instances, labels, confidences, strict=True):
        table.add_row(*(Text(printable(each)) for each in (_brief(instance), str(label), confidence)))
    return table


def _brief(instance: Any) -> str:
    text = " ".join(str(value) for value in instance) if isinstance(instance, list) else str(instance)
    return text if len(text) <= _SHOWN_INPUT_CHARS else text[: _SHOWN_INPUT_CHARS - 1] + "…"
