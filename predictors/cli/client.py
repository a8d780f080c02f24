"""How `predictors call` and `predictors summarize` use the client: its flags, and its errors in plain words."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from predictors.cli.console import fail

if TYPE_CHECKING:
    from predictors.client import Client, ClientError, Policy

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

_CLIENT_ERROR = 400


@contextmanager
def connect(url: str, policy: "Policy", token_file: Path | None = None) -> Iterator["Client"]:
    """Open a client; a call that fails ends the command with a sentence.

    Args:
        url: the server's base URL.
        policy: how long calls may take.
        token_file: holds the token to send.
    """
    from predictors.client import Client, ClientError

    try:
        with Client(url, _token(token_file) or None, policy=policy) as client:
            yield client
    except ClientError as error:
        fail(_explain(error, url))


def once(timeout_seconds: float) -> "Policy":
    """For a person who waits for one answer: nothing is sent twice."""
    from predictors.client import Policy

    return Policy(timeout=timeout_seconds, connect_timeout=timeout_seconds, attempts=1)


def while_it_comes(timeout_seconds: float) -> "Policy":
    """For an answer that may take any time, as long as some of it comes."""
    from predictors.client import Policy

    return Policy(timeout=math.inf, connect_timeout=timeout_seconds, idle_timeout=timeout_seconds, attempts=1)


def _explain(error: "ClientError", url: str) -> str:
    """What happened, with the flag that helps."""
    from predictors.client import ConnectionLost, DeadlineExceeded, Unreachable

    if error.status >= _CLIENT_ERROR:
        return f"status {error.status}: {error.message}"
    if isinstance(error, DeadlineExceeded):
        return "no response in time; allow more with --timeout_seconds"
    if isinstance(error, ConnectionLost):
        return f"{error.message}; is {url} a server of predictors? name it with --url"
    if isinstance(error, Unreachable):
        return f"cannot reach {url} ({error.message}); is the server running? name it with --url"
    return error.message


def _token(file: Path | None) -> str:
    """The token to send; it is no flag, since everyone on a machine can read the arguments of its processes."""
    try:
        token = os.environ.get("PREDICTORS_TOKEN", "") if file is None else file.read_text("ascii")
    except (OSError, UnicodeError) as error:
        fail(f"--token_file {file} cannot be read: {error}")
    return token.strip()
