"""HTTP requests and answers, as the codecs see them."""

from collections.abc import Mapping
from typing import NamedTuple


class HttpRequest(NamedTuple):
    """What is sent.

    Args:
        method: such as ``POST``.
        path: below the client's URL, with its slash.
        body: JSON; empty if there is none.
    """

    method: str
    path: str
    body: bytes = b""


class HttpAnswer(NamedTuple):
    """What came.

    Args:
        status: of HTTP.
        headers: names in lower case; of several with one name the first counts.
        body: all of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
