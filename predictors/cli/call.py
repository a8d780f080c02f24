"""The friendly client behind `predictors call`."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

_TEXT_SUFFIXES = {".txt", ".md", ".html", ".rst", ".text"}


class CallError(Exception):
    """The call failed; the text says what to do."""


def call(url: str, model: str, inputs: Sequence[str], parameters: dict[str, Any], timeout_seconds: float) -> Any:
    """Send one V1 request.

    Args:
        url: the server's base URL.
        model: the model's name.
        inputs: numbers for a model of features, as many as it takes or a multiple; texts, files or ``-`` (standard
            input) for a model of texts.
        parameters: request parameters.
        timeout_seconds: longest time to wait.

    Returns:
        The instances that were sent, and the answer.

    Raises:
        CallError: no connection, or the server's own error.
    """
    with httpx.Client(base_url=url, timeout=timeout_seconds) as http:
        metadata = _request(http, "GET", f"/v2/models/{model}")
        instances = _instances(metadata["inputs"][0], inputs)
        body: dict[str, Any] = {"instances": instances}
        if parameters:
            body["parameters"] = parameters
        return instances, _request(http, "POST", f"/v1/models/{model}:predict", json=body)


def _request(http: httpx.Client, method: str, path: str, **options: Any) -> Any:
    try:
        response = http.request(method, path, **options)
    except httpx.TimeoutException:
        raise CallError("no answer in time; wait longer with --timeout_seconds") from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise CallError(f"cannot reach {http.base_url} ({error}); is the server running? name it with --url") from None
    try:
        content = response.json()
    except ValueError:
        raise CallError(f"{http.base_url} answered with status {response.status_code} and no JSON") from None
    if response.is_error:
        raise CallError(f"status {response.status_code}: {content.get('error', content)}")
    return content


def _instances(tensor: dict[str, Any], inputs: Sequence[str]) -> list[Any]:
    if tensor["datatype"] == "BYTES":
        return [_text(given) for given in inputs]
    width = tensor["shape"][-1]
    try:
        numbers = [float(part) for given in inputs for part in given.replace(",", " ").split()]
    except ValueError as error:
        raise CallError(f"this model takes numbers: {error}") from None
    if not all(map(math.isfinite, numbers)):
        raise CallError("this model takes finite numbers")
    if not numbers or len(numbers) % width:
        raise CallError(f"this model takes {width} numbers a row; {len(numbers)} were given")
    return [numbers[i : i + width] for i in range(0, len(numbers), width)]


def _text(given: str) -> str:
    try:
        if given == "-":
            return sys.stdin.buffer.read().decode()
        if _is_file(given):
            return Path(given).read_text("utf-8")
        given.encode()  # an argument that is not UTF-8 cannot be sent
    except UnicodeError:
        raise CallError(f"{given!a} is not UTF-8 text") from None
    except OSError as error:
        raise CallError(f"{given} cannot be read: {error.strerror}") from None
    if Path(given).suffix in _TEXT_SUFFIXES and not any(map(str.isspace, given)):
        raise CallError(f"there is no file {given}")
    return given


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):  # too long or odd for a path: a text then
        return False


def show(console: Console, instances: list[Any], answer: dict[str, Any]) -> None:
    """Print summaries as text, predictions as a table."""
    if "usage" in answer:
        for text, usage in zip(answer["predictions"], answer["usage"], strict=True):
            console.print(text, markup=False)
            console.print(
                f"\n{usage['prompt_tokens']} tokens read, {usage['completion_tokens']} written, "
                f"ended by {usage['finish_reason']}; model version {answer['model_version']}",
                style="dim",
            )
        return
    table = Table("input", "prediction", "confidence", caption=f"model version {answer['model_version']}")
    labels = answer.get("labels", answer["predictions"])
    for instance, label, probabilities in zip(instances, labels, answer["probabilities"], strict=True):
        table.add_row(Text(_brief(instance)), str(label), f"{max(probabilities):.3f}")
    console.print(table)


def _brief(instance: Any) -> str:
    text = " ".join(str(value) for value in instance) if isinstance(instance, list) else str(instance)
    return text if len(text) <= 60 else text[:59] + "…"
