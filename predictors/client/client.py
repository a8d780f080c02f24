"""The client for threads."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from types import TracebackType
from typing import Any, Self, TypeVar

from predictors.client import answers
from predictors.client.answers import IntentAnswer, IrisAnswer, Question, Summary
from predictors.client.driving import drive
from predictors.client.errors import Unsupported
from predictors.client.operations import (
    AskReady,
    GetMetadata,
    Infer,
    Inference,
    Metadata,
    Operation,
    Predict,
    Prediction,
)
from predictors.client.policy.settings import Policy
from predictors.client.setup import Origin, Setup
from predictors.client.target import Connections, Tls, Token
from predictors.client.tensors import Inputs, Parameters, as_tensor
from predictors.client.trace import Trace
from predictors.client.transports.http_sync import Bounds, HttpTransport
from predictors.client.wire import summary_stream
from predictors.client.wire.messages import HttpRequest
from predictors.client.wire.summary_stream import Part, SummaryReader

T = TypeVar("T")


class Client:
    """Calls a server of predictors; any number of threads may use it.

    Make one for each server and keep it: it holds the connections, and what it has learned of the server. Make it
    after a process forks, since connections cannot be shared.

    Args:
        url: ``http://``, ``https://``, ``grpc://`` or ``grpcs://`` with a host, a port and, for HTTP, a base path.
        token: says who calls: a text, a file that is read again when it changes, or a function.
        policy: deadlines, retries, hedging, breaker.
        tls: what is trusted and shown.
        connections: how to connect.
        trace: puts the caller's trace into headers, asked once for each call; OpenTelemetry's `inject` does.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(
        self,
        url: str,
        token: Token | None = None,
        *,
        policy: Policy | None = None,
        tls: Tls | None = None,
        connections: Connections | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._trace = trace
        self._setup = setup = Setup(url, token, policy, tls, connections)
        self._transport = _transport(setup)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def iris(
        self,
        rows: Sequence[Sequence[float]],
        *,
        model: str = "iris",
        timeout: float | None = None,
        request_id: str = "",
    ) -> IrisAnswer:
        """Ask for the species of flowers.

        Args:
            rows: sepal length, sepal width, petal length and petal width of each, cm; lists or an array.
            model: the name it is served under.
            timeout: for the whole call, seconds; the policy's by default.
            request_id: by which logs have it; a new one by default.

        Raises:
            ClientError: there is no answer.
        """
        return self._ask(answers.iris(rows, model), timeout, request_id)

    def intent(
        self, texts: Sequence[str], *, model: str = "intent", timeout: float | None = None, request_id: str = ""
    ) -> IntentAnswer:
        """Ask for the intents of texts; the arguments are as for `iris`.

        Raises:
            ClientError: there is no answer.
        """
        return self._ask(answers.intent(texts, model), timeout, request_id)

    def summarize(
        self,
        document: str,
        parameters: Parameters | None = None,
        *,
        model: str = "summarizer",
        timeout: float | None = None,
        request_id: str = "",
    ) -> Summary:
        """Ask for the summary of a document.

        Args:
            document: its text, or a file as base64 where the parameter ``content_type`` says so.
            parameters: such as ``mode`` and ``max_tokens``.
            model, timeout, request_id: as for `iris`.

        Raises:
            ClientError: there is no answer.
        """
        return self._ask(answers.summary(document, model, parameters or {}), timeout, request_id)

    @contextmanager
    def stream_summary(
        self,
        document: str,
        parameters: Parameters | None = None,
        *,
        model: str = "summarizer",
        timeout: float | None = None,
        request_id: str = "",
    ) -> Iterator[Iterator[Part]]:
        """Ask for the summary of a document, and see it come; over HTTP only.

        Inside the block, iterate over `Progress`, `Point` and at last `Summary`. Failures before the first part are
        retried; later ones are raised where the next part would come. Leaving the block early stops the server's work.

        Args:
            document, parameters, model, timeout, request_id: as for `summarize`.

        Raises:
            ClientError: there is no answer, or no more of it.
        """
        origin = Origin.of(request_id, self._trace)
        request = summary_stream.request(document, model, parameters or {})

        def attempt(seconds: float, bounds: Bounds) -> tuple[Iterator[Part], ExitStack]:
            return self._open(request, seconds, bounds, origin)

        course = self._setup.stream_course(timeout, origin.request_id)
        parts, opened = drive(course, attempt, self._setup.policy.idle_timeout)
        with opened:
            yield parts

    def infer(
        self,
        model: str,
        inputs: Inputs,
        parameters: Parameters | None = None,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Inference:
        """Ask any model, by V2.

        Args:
            model: the name it is served under.
            inputs: names, and tensors, nested lists or arrays.
            parameters: of the request.
            timeout, request_id: as for `iris`.

        Raises:
            ClientError: there is no answer.
        """
        tensors = {name: as_tensor(values) for name, values in inputs.items()}
        answer: Inference = self._call(Infer(model, tensors, parameters or {}), timeout, request_id)
        return answer

    def predict(
        self,
        model: str,
        instances: Sequence[Any],
        parameters: Parameters | None = None,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Prediction:
        """Ask any model, by V1, whose rows may be objects with named columns; over HTTP only.

        Args:
            model: the name it is served under.
            instances: the rows.
            parameters: of the request.
            timeout, request_id: as for `iris`.

        Raises:
            ClientError: there is no answer.
        """
        answer: Prediction = self._call(Predict(model, tuple(instances), parameters or {}), timeout, request_id)
        return answer

    def metadata(self, model: str, *, timeout: float | None = None) -> Metadata:
        """Ask what a model takes and gives.

        Raises:
            ClientError: there is no answer.
        """
        answer: Metadata = self._call(GetMetadata(model), timeout, "")
        return answer

    def ready(self, model: str = "", *, timeout: float | None = None) -> bool:
        """Whether a model can answer; all of them if none is named.

        Raises:
            ClientError: there is no answer.
        """
        answer: bool = self._call(AskReady(model), timeout, "")
        return answer

    def _ask(self, question: Question[T], timeout: float | None, request_id: str) -> T:
        return answers.read(question, self._call(question.infer, timeout, request_id))

    def _call(self, operation: Operation, timeout: float | None, request_id: str) -> Any:
        origin = Origin.of(request_id, self._trace)
        request = self._transport.prepare(operation)

        def attempt(seconds: float, bounds: Bounds) -> Any:
            return self._transport.call(operation, request, self._setup.attempt(seconds, origin), bounds)

        return drive(self._setup.course(timeout, origin.request_id), attempt, float("inf"))

    def _open(
        self, request: HttpRequest, seconds: float, bounds: Bounds, origin: Origin
    ) -> tuple[Iterator[Part], ExitStack]:
        """Open a stream, and wait for its first part."""
        transport = self._transport
        if not isinstance(transport, HttpTransport):
            raise Unsupported("streams do not exist over gRPC")
        attempt = self._setup.attempt(seconds, origin)
        with ExitStack() as stack:
            head, pieces = stack.enter_context(transport.stream(request, attempt, bounds))
            if not summary_stream.is_stream(head):
                raise summary_stream.no_stream(head, transport.line.join(pieces), time.time())
            parts = _parts(pieces, SummaryReader(head.headers.get("x-request-id", ""), transport.line.most_bytes))
            return chain([next(parts)], parts), stack.pop_all()


def _parts(pieces: Iterator[bytes], reader: SummaryReader) -> Iterator[Part]:
    for piece in pieces:
        yield from reader.feed(piece)
        if reader.complete:
            return
    reader.end()


def _transport(setup: Setup) -> Any:
    """What carries the calls."""
    if setup.target.scheme.startswith("grpc"):
        from predictors.client.transports.grpc_sync import GrpcTransport

        return GrpcTransport(setup.target, setup.tls, setup.connections)
    return HttpTransport(setup.target, setup.tls, setup.connections, setup.policy.connect_timeout)
