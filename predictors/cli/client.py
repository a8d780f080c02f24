"""The HTTP client of `predictors call` and `predictors summarize`: its flags, and its errors in plain words."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from predictors.cli.console import fail

if TYPE_CHECKING:
    import httpx

Url = Annotated[str, typer.Option(help="Base URL of the server.", envvar="PREDICTORS_URL")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token_file",
        help="File with the token that the server asks for; without it, the variable PREDICTORS_TOKEN counts.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's response unchanged.")]
DEFAULT_URL = "http://localhost:8080"
DEFAULT_TIMEOUT_SECONDS = 300.0

_SHOWN_BODY_CHARS = 200


@contextmanager
def connect(url: str, timeout_seconds: float, token_file: Path | None = None) -> Iterator["httpx.Client"]:
    """Open a client; a failed connection, or one that goes silent, ends the command.

    Args:
        url: the server's base URL.
        timeout_seconds: longest time without any data from the server.
        token_file: holds the token to send.
    """
    import httpx

    token = _token(token_file)
    headers = {"authorization": f"Bearer {token}"} if token else {}

    try:
        http = httpx.Client(base_url=url, timeout=timeout_seconds, headers=headers)
    except (ImportError, ValueError) as error:  # of the environment's proxies; SOCKS needs another package
        fail(f"the proxy that the environment names cannot be used: {error}; unset it, or name the host in NO_PROXY")
    try:
        with http:
            yield http
    except httpx.TimeoutException:
        fail("no response in time; allow more with --timeout_seconds")
    except (httpx.TransportError, httpx.InvalidURL) as error:
        fail(f"cannot reach {url} ({error}); is the server running? name it with --url")


def _token(file: Path | None) -> str:
    """The token to send; it is no flag, since everyone on a machine can read the arguments of its processes."""
    try:
        token = os.environ.get("PREDICTORS_TOKEN", "") if file is None else file.read_text("ascii")
    except (OSError, UnicodeError) as error:
        fail(f"--token_file {file} cannot be read: {error}")
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        fail("the token holds characters that no token has")
    return token


def check_status(response: "httpx.Response") -> None:
    """End the command with the server's own error message, if the response is an error."""
    if not response.is_error:
        return
    body = response.read()
    try:
        message = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        message = body[:_SHOWN_BODY_CHARS].decode("utf-8", "replace")
    fail(f"status {response.status_code}: {message}")
