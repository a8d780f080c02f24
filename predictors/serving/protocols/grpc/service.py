"""KServe's GRPCInferenceService over a data plane."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, NamedTuple, NoReturn, TypeAlias
from urllib.parse import unquote

import grpc
from google.protobuf.message import DecodeError

from predictors.serving import errors
from predictors.serving.access.addresses import UNIX
from predictors.serving.access.caller import Caller
from predictors.serving.access.door import Door
from predictors.serving.dataplane import DataPlane
from predictors.serving.dispatch.decoding import LARGE_BYTES
from predictors.serving.model.kserve_api import pb
from predictors.serving.protocols.consent import NO_FALLBACK, keeps_here
from predictors.serving.protocols.deadline import HEADER, allowed_seconds
from predictors.serving.protocols.grpc import codec, wire
from predictors.serving.protocols.grpc.triton import ModelConfigResponse
from predictors.serving.protocols.model_config import model_config
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry.access_log import AccessLog
from predictors.serving.telemetry.call import Call, RequestIds
from predictors.serving.telemetry.metrics import Metrics
from predictors.serving.telemetry.trace import CURRENT
from predictors.serving.telemetry.tracing import Tracing

logger = logging.getLogger(__name__)

NAME = "inference.GRPCInferenceService"
GRPC_STATUS: dict[type[errors.ServingError], grpc.StatusCode] = {
    errors.InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.TooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.RateLimited: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.ModelNotReady: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
}
Answer: TypeAlias = Callable[[Call, Any], Awaitable[Any]]


class _Method(NamedTuple):
    message: Any
    answer: Answer
    protocol: str = ""
    quiet: bool = False
    probe: bool = False
    """Whether it needs no token."""


class InferenceService:
    """The methods of V2.

    They receive a message as bytes and parse it themselves, so that one that is malformed or too large is answered,
    logged and counted like any other bad request.

    Args:
        plane: the data plane.
        settings: for the limits.
        metrics: where calls are counted.
        access_log: where they are logged.
        ids: makes their request ids.
        door: finds out who calls; without one, everyone may.
    """

    def __init__(
        self,
        plane: DataPlane,
        settings: ServerSettings,
        metrics: Metrics,
        access_log: AccessLog,
        ids: RequestIds,
        door: Door | None = None,
    ) -> None:
        self._plane = plane
        self._door = door
        self._settings = settings
        self._metrics = metrics
        self._access_log = access_log
        self._ids = ids
        self.tracing: Tracing | None = None
        """Traces the calls, if they are traced."""
        self.active = 0
        """Calls in progress."""

    def handlers(self) -> Any:
        """Return what a gRPC server routes this service's methods to."""
        methods = {
            "ServerLive": _Method(pb.ServerLiveRequest, self._server_live, quiet=True, probe=True),
            "ServerReady": _Method(pb.ServerReadyRequest, self._server_ready, quiet=True, probe=True),
            "ServerMetadata": _Method(pb.ServerMetadataRequest, self._server_metadata),
            "ModelReady": _Method(pb.ModelReadyRequest, self._model_ready, quiet=True),
            "ModelMetadata": _Method(pb.ModelMetadataRequest, self._model_metadata),
            "ModelConfig": _Method(pb.ModelMetadataRequest, self._model_config),  # as Triton's request, field by field
            "ModelInfer": _Method(pb.ModelInferRequest, self._model_infer, "grpc"),
            "RepositoryModelLoad": _Method(pb.RepositoryModelLoadRequest, self._load),
            "RepositoryModelUnload": _Method(pb.RepositoryModelUnloadRequest, self._unload),
        }
        handlers = {name: self._handler(name, method) for name, method in methods.items()}
        return grpc.method_handlers_generic_handler(NAME, handlers)

    def _handler(self, name: str, method: _Method) -> Any:
        path = f"/{name}"

        async def handle(raw: bytes, context: Any) -> bytes:
            metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            call = Call(self._ids.choose(metadata.get("x-request-id")), path, method.protocol)
            call.stays_here = keeps_here(metadata.get(NO_FALLBACK))
            call.quiet, call.bytes_in = method.quiet, len(raw)
            call.code = grpc.StatusCode.CANCELLED.name
            if self.tracing is not None:
                call.trace = self.tracing.begin(metadata.get("traceparent"))
                CURRENT.set(call.trace)  # each call has a task of its own
            self.active += 1
            try:
                if self._door is not None and not method.probe:
                    call.caller = await _caller(self._door, context)
                call.deadline = self._deadline(call, metadata, context)
                request = await self._plane.parse(call, self._parse, method.message, raw)
                response: bytes = (await method.answer(call, request)).SerializeToString()
                call.code, call.bytes_out = grpc.StatusCode.OK.name, len(response)
            except errors.ServingError as error:
                await _abort(context, call, GRPC_STATUS[type(error)], str(error), _retry_after(error))
            except Exception:
                logger.exception("request %s failed", call.id)
                await _abort(context, call, grpc.StatusCode.INTERNAL, f"internal error; the request id is {call.id}")
            else:
                context.set_trailing_metadata(_trailers(call))
                return response
            finally:
                self.active -= 1
                self._metrics.count_request(call)
                self._access_log.write(call)
                if self.tracing is not None:
                    self.tracing.end(call)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _deadline(self, call: Call, metadata: dict[str, str], context: Any) -> float:
        seconds = allowed_seconds(self._settings.request_timeout_seconds, metadata.get(HEADER))
        remaining = context.time_remaining()
        return call.started + (seconds if remaining is None else min(seconds, remaining))

    def _parse(self, message: Any, raw: bytes) -> Any:
        limit = self._settings.max_body_bytes
        if len(raw) > limit:
            raise errors.TooLarge(f"the message is too large; at most {limit} bytes are allowed")
        if len(raw) > LARGE_BYTES:
            wire.check_fields(raw)
        try:
            return message.FromString(raw)
        except DecodeError:
            raise errors.InvalidInput(f"the message is not a valid {message.DESCRIPTOR.full_name}") from None

    async def _server_live(self, call: Call, request: Any) -> Any:
        return pb.ServerLiveResponse(live=True)

    async def _server_ready(self, call: Call, request: Any) -> Any:
        return pb.ServerReadyResponse(ready=not self._plane.unready())

    async def _server_metadata(self, call: Call, request: Any) -> Any:
        return pb.ServerMetadataResponse(**self._plane.metadata()._asdict())

    async def _model_ready(self, call: Call, request: Any) -> Any:
        model = self._plane.find(call, request.name, request.version)
        return pb.ModelReadyResponse(ready=not self._plane.model_unready(model))

    async def _model_metadata(self, call: Call, request: Any) -> Any:
        metadata = await self._plane.model_metadata(call, request.name, request.version)
        tensors = {"inputs": [*map(asdict, metadata.inputs)], "outputs": [*map(asdict, metadata.outputs)]}
        return pb.ModelMetadataResponse(**{**metadata.v2(), **tensors})

    async def _model_config(self, call: Call, request: Any) -> Any:
        metadata = await self._plane.model_metadata(call, request.name, request.version)
        return ModelConfigResponse.of(model_config(metadata))

    async def _model_infer(self, call: Call, request: Any) -> Any:
        inference = await self._plane.open(call, request.model_name, request.model_version)
        model = inference.model
        predictor = model.predictor
        batch, wanted = await inference.decode(codec.decode, request, predictor.input, predictor.outputs, model.limits)
        outputs = await inference.answer(batch)
        return inference.encode(codec.encode, request, outputs, wanted, model.name, call.version)

    async def _load(self, call: Call, request: Any) -> Any:
        model = await self._plane.load(call, *codec.repository_model(request))
        return pb.RepositoryModelLoadResponse(model_name=model.name, isLoaded=True)

    async def _unload(self, call: Call, request: Any) -> Any:
        model = await self._plane.unload(call, *codec.repository_model(request))
        return pb.RepositoryModelUnloadResponse(model_name=model.name, isUnloaded=True)


async def _caller(door: Door, context: Any) -> Caller:
    metadata = [(key, str(value)) for key, value in context.invocation_metadata() or ()]
    credentials, forwarded = (
        [value for key, value in metadata if key == name] for name in ("authorization", "x-forwarded-for")
    )
    kind, _, address = unquote(context.peer()).partition(":")
    return await door.admit(credentials, UNIX if kind == UNIX else address, forwarded)


async def _abort(
    context: Any, call: Call, code: grpc.StatusCode, message: str, trailers: tuple[tuple[str, str], ...] = ()
) -> NoReturn:
    call.code = code.name
    await context.abort(code, message, trailing_metadata=(*_trailers(call), *trailers))
    raise AssertionError("abort raises")


def _retry_after(error: errors.ServingError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, (errors.Overloaded, errors.RateLimited)):
        return (("retry-after", str(error.retry_after_seconds)),)
    return ()


def _trailers(call: Call) -> tuple[tuple[str, str], ...]:
    trailers = [("x-request-id", call.id)]
    if call.version:
        trailers.append(("x-model-version", call.version))
    if call.cache:
        trailers.append(("x-cache", call.cache))
    if call.served_by:
        trailers.append(("x-served-by", call.served_by))
    if call.standing is not None:
        trailers += [("ratelimit-policy", call.standing.policy), ("ratelimit", call.standing.left)]
    if call.trace is not None:
        trailers.append(("traceresponse", call.trace.traceparent))
    return tuple(trailers)
