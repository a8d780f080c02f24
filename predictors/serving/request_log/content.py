"""What is logged of a request and of its answer: V2's JSON, whatever the protocol was, without what must not be logged.

A tensor whose values are left out keeps its name, datatype and shape, and its parameter ``left_out`` says why. In place
of texts there are their lengths, as a tensor of another name.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from predictors.serving.model.predictor import Predictor
from predictors.serving.model.types import (
    Column,
    ColumnBatch,
    FeatureBatch,
    FeatureInput,
    FloatArray,
    PromptBatch,
)
from predictors.serving.protocols.json_tensor import json_tensor, tensor_head
from predictors.serving.request_log.entry import Entry, column_bytes
from predictors.serving.request_log.settings import RequestLogSettings

REDACTED, TOO_LARGE = "redacted", "size"
"""Why values are left out."""
# The tensors of a prompt, for which V2 has no form: a chat's turns, or a text to complete.
_ROLE, _CONTENT, _PROMPT = "role", "content", "prompt"


class _Field(NamedTuple):
    """A tensor to be logged.

    Args:
        name, column: the tensor.
        private: whether it holds texts, which are logged by consent alone.
        left_out: why its values are not logged; empty if they are.
        redacted: the features among its values that are null because they are redacted.
    """

    name: str
    column: Column
    private: bool = False
    left_out: str = ""
    redacted: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        if self.left_out:
            return {**tensor_head(self.name, self.column), "parameters": {"left_out": self.left_out}}
        tensor = json_tensor(self.name, self.column)
        return {**tensor, "parameters": {"redacted": self.redacted}} if self.redacted else tensor


class UnknownNameError(Exception):
    """A name that is to be redacted is no model's, so what it was meant for would be logged; says so."""


class Content:
    """Writes the data of events.

    Args:
        settings: what must not be logged.
        predictors: all models.
    """

    def __init__(self, settings: RequestLogSettings, predictors: Sequence[Predictor[Any]]) -> None:
        self._redact = frozenset(settings.request_log_redact)
        self._documents = settings.request_log_documents
        self._max_bytes = settings.request_log_event_bytes
        self._predictors = predictors

    def require_known_names(self) -> None:
        """Pass only if models have all names that are to be redacted.

        Raises:
            UnknownNameError: one is spelt wrongly, or is one of a model that is not loaded.
        """
        if self._redact and (unknown := self._redact.difference(*map(_names, self._predictors))):
            names = ", ".join(sorted(unknown))
            raise UnknownNameError(f"--request_log_redact names {names}, which no model that is loaded has")

    def request(self, entry: Entry) -> bytes:
        """The data of the event about the request."""
        return self._write({"model_name": entry.model, "id": entry.id}, "inputs", self._inputs(entry))

    def response(self, entry: Entry) -> bytes:
        """The data of the event about the answer."""
        head = {"model_name": entry.model, "model_version": entry.version, "id": entry.id}
        outputs = [
            _Field(name, column, private=entry.generates and isinstance(column, list))
            for name, column in entry.outputs.items()
        ]
        return self._write(head, "outputs", outputs)

    def _inputs(self, entry: Entry) -> list[_Field]:
        batch, kind = entry.batch, entry.input
        if isinstance(batch, ColumnBatch):
            return [_Field(name, column) for name, column in batch.columns.items()]
        if isinstance(batch, PromptBatch):
            return _prompt(batch)
        name = kind.specs()[0].name
        if isinstance(batch, FeatureBatch):
            assert isinstance(kind, FeatureInput)  # noqa: S101  # the batch was made for it
            return [self._features(name, batch.features, kind.names)]
        return [_Field(name, batch.texts, private=True)]

    def _features(self, name: str, features: FloatArray, names: tuple[str, ...]) -> _Field:
        """The features, float64 ``[N, F]``; NaN, which JSON writes as null, for those that are redacted."""
        hidden = [place for place, each in enumerate(names) if each in self._redact]
        if not hidden:
            return _Field(name, features)
        shown = features.copy()
        shown[:, hidden] = np.nan
        return _Field(name, shown, redacted=tuple(names[place] for place in hidden))

    def _write(self, head: dict[str, str], key: str, fields: list[_Field]) -> bytes:
        fields = list(map(self._seen, fields))
        if sum(column_bytes(field.column) for field in fields if not field.left_out) <= self._max_bytes:
            body = _dump(head, key, fields)
            if len(body) <= self._max_bytes:
                return body
        return _dump(head, key, [field if field.left_out else field._replace(left_out=TOO_LARGE) for field in fields])

    def _seen(self, field: _Field) -> _Field:
        """As much of a tensor as may be logged."""
        if field.name in self._redact:
            return field._replace(left_out=REDACTED)
        return _lengths(field) if field.private and not self._documents else field


def _dump(head: dict[str, str], key: str, fields: Iterable[_Field]) -> bytes:
    return orjson.dumps({**head, key: [field.json() for field in fields]}, option=orjson.OPT_SERIALIZE_NUMPY)


def _lengths(field: _Field) -> _Field:
    """The lengths of texts, in characters."""
    return _Field(f"{field.name}_length", np.array(list(map(len, field.column)), dtype=np.int64))


def _prompt(batch: PromptBatch) -> list[_Field]:
    if not batch.messages:
        return [_Field(_PROMPT, [batch.text], private=True)]
    roles, contents = zip(*batch.messages, strict=True)
    return [_Field(_ROLE, list(roles)), _Field(_CONTENT, list(contents), private=True)]


def _names(predictor: Predictor[Any]) -> set[str]:
    """All names that a model's values have."""
    kind = predictor.input
    names = {spec.name for spec in (*kind.specs(), *predictor.outputs)}
    if isinstance(kind, FeatureInput):
        names.update(kind.names)
    return names | {_ROLE, _CONTENT, _PROMPT} if predictor.generates else names
