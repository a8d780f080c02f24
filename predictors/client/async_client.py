"""The client for asyncio."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from predictors.client import answers
from predictors.client.answers import IntentAnswer, IrisAnswer, Question, Summary
from predictors.client.driving import drive_async
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
from predictors.client.transports.http_async import AsyncHttpTransport
from predictors.client.wire import summary_stream
from predictors.client.wire.messages import HttpRequest
from predictors.client.wire.summary_stream import Part, SummaryReader

T = TypeVar("T")


class AsyncClient:
    """Calls a server of predictors, from one event loop; its methods do what those of `Client` of the same name do.

    Make one for each server and keep it: it holds the connections, and what it has learned of the server. A task that
    is cancelled ends its call, and leaves no connection behind.

    Args:
        url, token, policy, tls, connections, trace: as for `Client`. A function that gives the token must not block.

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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def iris(
        self,
        rows: Sequence[Sequence[float]],
        *,
        model: str = "iris",
        timeout: float | None = None,
        request_id: str = "",
    ) -> IrisAnswer:
        """Ask for the species of flowers.

        Raises:
            ClientError: there is no answer.
        """
        return await self._ask(answers.iris(rows, model), timeout, request_id)

    async def intent(
        self, texts: Sequence[str], *, model: str = "intent", timeout: float | None = None, request_id: str = ""
    ) -> IntentAnswer:
        """Ask for the intents of texts.

        Raises:
            ClientError: there is no answer.
        """
        return await self._ask(answers.intent(texts, model), timeout, request_id)

    async def summarize(
        self,
        document: str,
        parameters: Parameters | None = None,
        *,
        model: str = "summarizer",
        timeout: float | None = None,
        request_id: str = "",
    ) -> Summary:
        """Ask for the summary of a document.

        Raises:
            ClientError: there is no answer.
        """
        return await self._ask(answers.summary(document, model, parameters or {}), timeout, request_id)

    @asynccontextmanager
    async def stream_summary(
        self,
        document: str,
        parameters: Parameters | None = None,
        *,
        model: str = "summarizer",
        timeout: float | None = None,
        request_id: str = "",
    ) -> AsyncIterator[AsyncIterator[Part]]:
        """Ask for the summary of a document, and see it come; over HTTP only.

        Raises:
            ClientError: there is no answer, or no more of it.
        """
        origin = Origin.of(request_id, self._trace)
        request = summary_stream.request(document, model, parameters or {})

        async def attempt(seconds: float) -> tuple[AsyncIterator[Part], AsyncExitStack]:
            return await self._open(request, seconds, origin)

        parts, opened = await drive_async(self._setup.stream_course(timeout, origin.request_id), attempt)
        async with opened:
            yield parts

    async def infer(
        self,
        model: str,
        inputs: Inputs,
        parameters: Parameters | None = None,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Inference:
        """Ask any model, by V2.

        Raises:
            ClientError: there is no answer.
        """
        tensors = {name: as_tensor(values) for name, values in inputs.items()}
        answer: Inference = await self._call(Infer(model, tensors, parameters or {}), timeout, request_id)
        return answer

    async def predict(
        self,
        model: str,
        instances: Sequence[Any],
        parameters: Parameters | None = None,
        *,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Prediction:
        """Ask any model, by V1; over HTTP only.

        Raises:
            ClientError: there is no answer.
        """
        operation = Predict(model, tuple(instances), parameters or {})
        answer: Prediction = await self._call(operation, timeout, request_id)
        return answer

    async def metadata(self, model: str, *, timeout: float | None = None) -> Metadata:
        """Ask what a model takes and gives.

        Raises:
            ClientError: there is no answer.
        """
        answer: Metadata = await self._call(GetMetadata(model), timeout, "")
        return answer

    async def ready(self, model: str = "", *, timeout: float | None = None) -> bool:
        """Whether a model can answer; all of them if none is named.

        Raises:
            ClientError: there is no answer.
        """
        answer: bool = await self._call(AskReady(model), timeout, "")
        return answer

    async def _ask(self, question: Question[T], timeout: float | None, request_id: str) -> T:
        return answers.read(question, await self._call(question.infer, timeout, request_id))

    async def _call(self, operation: Operation, timeout: float | None, request_id: str) -> Any:
        origin = Origin.of(request_id, self._trace)
        request = self._transport.prepare(operation)

        async def attempt(seconds: float) -> Any:
            return await self._transport.call(operation, request, self._setup.attempt(seconds, origin))

        return await drive_async(self._setup.course(timeout, origin.request_id), attempt)

    async def _open(
        self, request: HttpRequest, seconds: float, origin: Origin
    ) -> tuple[AsyncIterator[Part], AsyncExitStack]:
        """Open a stream, and wait for its first part."""
        transport = self._transport
        if not isinstance(transport, AsyncHttpTransport):
            raise Unsupported("streams do not exist over gRPC")
        attempt = self._setup.attempt(seconds, origin)
        async with AsyncExitStack() as stack:
            stream = transport.stream(request, attempt, self._setup.policy.idle_timeout)
            head, pieces = await stack.enter_async_context(stream)
            if not summary_stream.is_stream(head):
                raise summary_stream.no_stream(head, await transport.line.join_async(pieces), time.time())
            reader = SummaryReader(head.headers.get("x-request-id", ""), transport.line.most_bytes)
            parts = _parts(pieces, reader)
            return _with_first(await anext(parts), parts), stack.pop_all()


async def _parts(pieces: AsyncIterator[bytes], reader: SummaryReader) -> AsyncIterator[Part]:
    async for piece in pieces:
        for part in reader.feed(piece):
            yield part
        if reader.complete:
            return
    reader.end()


async def _with_first(first: Part, parts: AsyncIterator[Part]) -> AsyncIterator[Part]:
    yield first
    async for part in parts:
        yield part


def _transport(setup: Setup) -> Any:
    """What carries the calls."""
    if setup.target.scheme.startswith("grpc"):
        from predictors.client.transports.grpc_async import AsyncGrpcTransport

        return AsyncGrpcTransport(setup.target, setup.tls, setup.connections)
    return AsyncHttpTransport(setup.target, setup.tls, setup.connections, setup.policy.connect_timeout)
