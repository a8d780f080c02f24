"""What a request sends as a document → the text that is summarized."""

import base64
import binascii
from collections.abc import Callable, Sequence

from predictors.extraction.content_types import BINARY_TYPES, ContentType
from predictors.extraction.errors import Unreadable
from predictors.extraction.extract import extract
from predictors.serving.errors import InvalidInput, TooLarge
from predictors.serving.model.types import Job
from predictors.summarizer.engine.types import Stopped


def read_input(sent: str, content_type: ContentType, most_chars: int, check: Callable[[], None]) -> str:
    """Extract the text of a document. This may take seconds; it belongs into a worker.

    Args:
        sent: the document; base64 if its type is binary.
        content_type: what it is.
        most_chars: characters that its text may have.
        check: called again and again; raises to stop.

    Raises:
        InvalidInput: it cannot be read.
        TooLarge: its text is too long.
    """
    if content_type == "text/plain":
        return sent
    data = _decoded(sent, content_type) if content_type in BINARY_TYPES else sent.encode(errors="replace")
    try:
        text = extract(data, f"{content_type}; charset=utf-8", check=check).text
    except Unreadable as error:
        raise InvalidInput(f"the document cannot be read as {content_type}: {error}") from None
    if len(text) > most_chars:
        raise TooLarge(f"the document's text has {len(text)} characters; at most {most_chars} are allowed")
    return text


def read_inputs(sent: Sequence[str], content_type: ContentType, most_chars: int, job: Job) -> list[str]:
    """Extract the texts of a request's documents; see `read_input`.

    Raises:
        Stopped: the job was stopped.
    """

    def check() -> None:
        if job.stopped():
            raise Stopped

    return [read_input(document, content_type, most_chars, check) for document in sent]


def _decoded(sent: str, content_type: str) -> bytes:
    try:
        return base64.b64decode("".join(sent.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(f"a document of the type {content_type} is sent as base64, and this is none") from None
