"""Answers of OpenAI's API, whole or in chunks, and errors."""

import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

from predictors.serving.model.types import Outputs

Object: TypeAlias = dict[str, Any]

# Status → type and code. OpenAI's clients choose the exception by the status and show these.
_KINDS = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", "model_not_allowed"),
    404: ("not_found_error", "model_not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}


def unrouted_body(message: str, status: int, field: str) -> Object:
    """The body of an error for a path that is not there, or not for this method."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": field or None, "code": None}}


def error_body(message: str, status: int, field: str) -> Object:
    """The body of an error; the only thing that these paths can fail to find is a model."""
    kind, code = _KINDS.get(status, ("invalid_request_error" if status < 500 else "server_error", None))
    param = "model" if status == 404 else field or None
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def model_object(name: str, created: int, owner: str) -> Object:
    """A model, as the list of models shows it.

    Args:
        name: what requests call it.
        created: seconds since 1970.
        owner: who serves it.
    """
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


class AnswerWriter(ABC):
    """Writes the answer to one request.

    Args:
        request_id: the id of the request.
        model: the name of the model.
        version: the version of the model, shown as ``system_fingerprint``.
        include_usage: whether the last chunk gives the token counts.
    """

    prefix: ClassVar[str]
    whole_object: ClassVar[str]
    chunk_object: ClassVar[str]

    def __init__(self, request_id: str, model: str, version: str, include_usage: bool) -> None:
        self._head = {
            "id": f"{self.prefix}-{request_id}",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": version,
        }
        self._include_usage = include_usage

    def whole(self, outputs: Outputs) -> Object:
        """The answer in one piece.

        Args:
            outputs: one row, with the columns ``text``, ``finish_reason`` and the token counts.
        """
        choice = self._choice(self._content(outputs["text"][0]), outputs["finish_reason"][0])
        return {"object": self.whole_object, **self._head, "choices": [choice], "usage": _usage(outputs)}

    def opening(self) -> list[Object]:
        """The chunks before the first text."""
        return []

    def piece(self, text: str) -> Object:
        """The chunk with the next piece of the text."""
        return self._chunk(self._delta(text), None)

    def ending(self, outputs: Outputs) -> list[Object]:
        """The chunks after the last text."""
        chunks = [self._chunk(self._delta(""), outputs["finish_reason"][0])]
        if self._include_usage:
            chunks.append({"object": self.chunk_object, **self._head, "choices": [], "usage": _usage(outputs)})
        return chunks

    @abstractmethod
    def _content(self, text: str) -> Object:
        """The fields of a choice in a whole answer."""

    @abstractmethod
    def _delta(self, text: str) -> Object:
        """The fields of a choice in a chunk; the text is empty in the last one."""

    def _chunk(self, fields: Object, finish_reason: str | None) -> Object:
        chunk = {"object": self.chunk_object, **self._head, "choices": [self._choice(fields, finish_reason)]}
        return {**chunk, "usage": None} if self._include_usage else chunk

    def _choice(self, fields: Object, finish_reason: str | None) -> Object:
        reason = "length" if finish_reason == "deadline" else finish_reason  # OpenAI's clients know no other
        return {"index": 0, **fields, "logprobs": None, "finish_reason": reason}


class ChatCompletionWriter(AnswerWriter):
    """Writes the next turn of a chat."""

    prefix = "chatcmpl"
    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def opening(self) -> list[Object]:
        """The chunk that says whose turn it is."""
        return [self._chunk({"delta": {"role": "assistant", "content": ""}}, None)]

    def _content(self, text: str) -> Object:
        return {"message": {"role": "assistant", "content": text, "refusal": None}}

    def _delta(self, text: str) -> Object:
        return {"delta": {"content": text} if text else {}}


class CompletionWriter(AnswerWriter):
    """Writes the text that continues a prompt."""

    prefix = "cmpl"
    whole_object = chunk_object = "text_completion"

    def _content(self, text: str) -> Object:
        return {"text": text}

    def _delta(self, text: str) -> Object:
        return {"text": text}


def _usage(outputs: Outputs) -> Object:
    names = ("prompt_tokens", "completion_tokens", "cached_tokens")
    prompt, completion, cached = (int(outputs[name][0]) for name in names)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
