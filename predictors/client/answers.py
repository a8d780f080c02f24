"""Answers of the predictors' own models, as types, and how each is asked for and read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from predictors.client.errors import BadAnswer
from predictors.client.operations import Infer, Inference
from predictors.client.tensors import Parameters, Tensor

T = TypeVar("T")

_USAGE_TEXTS = ("finish_reason", "mode", "more", "language", "warning")
_USAGE_COUNTS = ("prompt_tokens", "cached_tokens", "completion_tokens")


class Question(NamedTuple, Generic[T]):
    """An inference, and how its answer is read.

    Args:
        infer: what is sent.
        read: makes the typed answer; a KeyError, TypeError or the like means that the answer is none of this model.
    """

    infer: Infer
    read: Callable[[Inference], T]


@dataclass(frozen=True, slots=True)
class Flower:
    """What `iris` says of one row.

    Args:
        label: the species.
        class_id: its number, from 0.
        probabilities: of each class.
    """

    label: str
    class_id: int
    probabilities: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """The highest probability."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class IrisAnswer:
    """An answer of `iris`, one flower a row."""

    rows: tuple[Flower, ...]
    model_version: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What `intent` says of one text.

    Args:
        intent: its name; ``unknown`` if no probability is high enough.
        probabilities: of each intent that the model knows, in its order.
    """

    intent: str
    probabilities: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """The highest probability."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class IntentAnswer:
    """An answer of `intent`, one intent a text."""

    texts: tuple[Intent, ...]
    model_version: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a point's words stand.

    Args:
        start, end: characters (Unicode code points) of the document's text.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a summary.

    Args:
        topic: such as ``cost``.
        gloss: a line in plain English that holds for it.
        text: the point itself.
        citations: where its words are, in the order of the document.
        support: 0 to 1; 1 for the document's own words.
        quoted: whether nothing is left out of these.
        quote: the cited words, for a point in a model's own words; empty otherwise.
    """

    topic: str
    gloss: str
    text: str
    citations: tuple[Citation, ...]
    support: float
    quoted: bool
    quote: str

    @classmethod
    def of(cls, point: Mapping[str, Any]) -> "Point":
        """Read a point of an answer's JSON."""
        return cls(
            topic=_text(point["topic"]),
            gloss=_text(point["gloss"]),
            text=_text(point["text"]),
            citations=tuple(Citation(_whole(each["start"]), _whole(each["end"])) for each in point["citations"]),
            support=_real(point["support"]),
            quoted=bool(point["quoted"]),
            quote=_text(point.get("quote", "")),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What a summary cost, and how complete it is.

    Args:
        prompt_tokens: that the model read.
        cached_tokens: the part of them that it did not have to read again.
        completion_tokens: that it wrote.
        finish_reason: ``stop``; ``length`` if ``max_tokens`` left points out; ``deadline`` if the time did.
        mode: ``fast`` or ``full``.
        read: share of the document that was read, 0 to 1.
        more: how to get what is missing; empty if nothing is.
        language: of the document, such as ``en``.
        warning: what to know before relying on it; usually empty.
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    finish_reason: str
    mode: str
    read: float
    more: str
    language: str
    warning: str

    @classmethod
    def of(cls, usage: Mapping[str, Any]) -> "Usage":
        """Read the usage of an answer's JSON."""
        prompt, cached, completion = (_whole(usage[name]) for name in _USAGE_COUNTS)
        reason, mode, more, language, warning = (_text(usage[name]) for name in _USAGE_TEXTS)
        return cls(prompt, cached, completion, reason, mode, _real(usage["read"]), more, language, warning)


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of a document.

    Args:
        points: by topic.
        text: all of them as text.
        usage: what it cost, and how complete it is.
        document: the text that citations refer to; empty unless ``return_text`` asked for it.
        model_version: of the model.
        request_id: of the call.
        body: V1's whole answer, as the server sent it, where it came as a stream; otherwise empty.
    """

    points: tuple[Point, ...]
    text: str
    usage: Usage
    document: str
    model_version: str
    request_id: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def complete(self) -> bool:
        """Whether neither the deadline nor ``max_tokens`` cut it short."""
        return self.usage.finish_reason == "stop"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a streamed summary is.

    Args:
        done, total: parts of the document.
        mode: ``fast`` or ``full``.
    """

    done: int
    total: int
    mode: str


def iris(rows: Sequence[Sequence[float]], model: str) -> Question[IrisAnswer]:
    """Ask for the species of flowers.

    Args:
        rows: sepal length, sepal width, petal length and petal width of each, cm.
        model: the name it is served under.
    """

    def read(answer: Inference) -> IrisAnswer:
        columns = (answer["label"].data, answer["predict"].data, answer["predict_proba"].rows())
        flowers = tuple(
            Flower(_text(label), _whole(number), _reals(row)) for label, number, row in zip(*columns, strict=True)
        )
        return IrisAnswer(flowers, answer.model_version, answer.request_id)

    return Question(Infer(model, {"features": Tensor.of(_lists(rows), "FP64")}), read)


def intent(texts: Sequence[str], model: str) -> Question[IntentAnswer]:
    """Ask for the intents of texts."""

    def read(answer: Inference) -> IntentAnswer:
        columns = (answer["predict"].data, answer["predict_proba"].rows())
        found = tuple(Intent(_text(name), _reals(row)) for name, row in zip(*columns, strict=True))
        return IntentAnswer(found, answer.model_version, answer.request_id)

    return Question(Infer(model, {"text": _texts(texts)}), read)


def summary(document: str, model: str, parameters: Parameters) -> Question[Summary]:
    """Ask for the summary of a document."""

    def read(answer: Inference) -> Summary:
        (points,), (text,), (sent,) = (answer[name].data for name in ("bullets", "summary", "text"))
        usage = {name: answer[name].data[0] for name in (*_USAGE_COUNTS, *_USAGE_TEXTS, "read")}
        return Summary(
            tuple(map(Point.of, json.loads(points))),
            _text(text),
            Usage.of(usage),
            _text(sent),
            answer.model_version,
            answer.request_id,
        )

    return Question(Infer(model, {"text": _texts([document])}, parameters), read)


def streamed_summary(done: Mapping[str, Any], request_id: str) -> Summary:
    """Read the event that ends a stream: V1's answer."""
    (points,), (text,), (sent,), (usage,) = (done[name] for name in ("bullets", "predictions", "texts", "usage"))
    version = _text(done["model_version"])
    return Summary(tuple(map(Point.of, points)), _text(text), Usage.of(usage), _text(sent), version, request_id, done)


def _lists(rows: Any) -> Any:
    return rows.tolist() if hasattr(rows, "tolist") else [list(row) for row in rows]


def _texts(texts: Sequence[str]) -> Tensor:
    texts = (texts,) if isinstance(texts, str) else tuple(texts)
    return Tensor("BYTES", (len(texts),), texts)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _real(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError("a number was expected")
    return float(value)


def _reals(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(map(_real, values))


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("a whole number was expected")
    return value


def read(question: Question[T], answer: Inference) -> T:
    """Read the typed answer.

    Raises:
        BadAnswer: it is none of such a model.
    """
    try:
        return question.read(answer)
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        named = ", ".join(answer.outputs) or "none"
        message = f'model "{answer.model}" answered with other outputs than expected ({named[:200]})'
        raise BadAnswer(message, request_id=answer.request_id) from None
