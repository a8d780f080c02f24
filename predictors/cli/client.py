"""The HTTP client of `predictors call` and `predictors summarize`: its flags, and its errors in plain words."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from predictors.cli.console import fail

if TYPE_CHECKING:
    import httpx

Url = Annotated[str, typer.Option(help="Base URL of the server.", envvar="PREDICTORS_URL")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's response unchanged.")]
DEFAULT_URL = "http://localhost:8080"
DEFAULT_TIMEOUT_SECONDS = 300.0

_SHOWN_BODY_CHARS = 200


@contextmanager
def connect(url: str, timeout_seconds: float) -> Iterator["httpx.Client"]:
    """Open a client; a failed connection, or one that goes silent, ends the command.

    Args:
        url: the server's base URL.
        timeout_seconds: longest time without any data from the server.
    """
    import httpx

    try:
        http = httpx.Client(base_url=url, timeout=timeout_seconds)
    except (ImportError, ValueError) as error:  # of the environment's proxies; SOCKS needs another package
        fail(f"the proxy that the environment names cannot be used: {error}; unset it, or name the host in NO_PROXY")
    try:
        with http:
            yield http
    except httpx.TimeoutException:
        fail("no response in time; allow more with --timeout_seconds")
    except (httpx.TransportError, httpx.InvalidURL) as error:
        fail(f"cannot reach {url} ({error}); is the server running? name it with --url")


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
