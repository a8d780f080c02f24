"""gRPC: KServe's GRPCInferenceService, the standard health service and reflection."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from predictors import __version__
from predictors.serving.protocols.grpc import codec as grpc_codec
from predictors.serving.protocols.deadline import HEADER, allowed_seconds
from predictors.serving.app.endpoints import EXTENSIONS, REPOSITORY_OFF, SERVER_NAME
from predictors.serving.errors import (
    DeadlineExceeded,
    InvalidInput,
    ModelNotReady,
    NotFound,
    Overloaded,
    ServingError,
    TooLarge,
)
from predictors.serving.model.kserve_api import pb
from predictors.serving.dispatch.registry import Registry
from predictors.serving.settings import ServerSettings
from predictors.serving.dispatch.served_model import Slot
from predictors.serving.telemetry.call import Call, Telemetry

logger = logging.getLogger(__name__)

GRPC_STATUS: dict[type[ServingError], grpc.StatusCode] = {
    InvalidInput: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    TooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ModelNotReady: grpc.StatusCode.UNAVAILABLE,
    DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
}
INFERENCE_SERVICE = "inference.GRPCInferenceService"
Answer: TypeAlias = Callable[["_Call", Any], Awaitable[Any]]
# A message up to this many times the limit is read, to be refused like any other; gRPC itself refuses what is larger.
_READ_FACTOR = 2
# For the last response to leave, seconds.
_FLUSH_SECONDS = 0.1


class _Call(Call):
    __slots__ = ("deadline",)

    deadline: float  # seconds on the clock of `time.monotonic`


class InferenceService:
    """The V2 protocol's methods.

    They are given the bytes of a message and parse them themselves, so that a message that cannot be parsed, or is too
    large, is answered, logged and counted as any other bad request.

    Args:
        registry: the models.
        settings: for the limits and whether the repository is enabled.
        telemetry: where finished calls go.
    """

    def __init__(self, registry: Registry, settings: ServerSettings, telemetry: Telemetry) -> None:
        self._registry = registry
        self._settings = settings
        self._telemetry = telemetry
        self.active = 0

    def handlers(self) -> Any:
        """What the gRPC server routes this service's methods to."""
        methods: dict[str, tuple[Any, Answer, str, bool]] = {
            "ServerLive": (pb.ServerLiveRequest, self._server_live, "", True),
            "ServerReady": (pb.ServerReadyRequest, self._server_ready, "", True),
            "ServerMetadata": (pb.ServerMetadataRequest, self._server_metadata, "", False),
            "ModelReady": (pb.ModelReadyRequest, self._model_ready, "", True),
            "ModelMetadata": (pb.ModelMetadataRequest, self._model_metadata, "", False),
            "ModelInfer": (pb.ModelInferRequest, self._model_infer, "grpc", False),
            "RepositoryModelLoad": (pb.RepositoryModelLoadRequest, self._load, "", False),
            "RepositoryModelUnload": (pb.RepositoryModelUnloadRequest, self._unload, "", False),
        }
        handlers = {name: self._handler(name, *method) for name, method in methods.items()}
        return grpc.method_handlers_generic_handler(INFERENCE_SERVICE, handlers)

    def _handler(self, name: str, message: Any, answer: Answer, protocol: str, quiet: bool) -> Any:
        async def handle(raw: bytes, context: Any) -> bytes:
            metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            call = _Call(protocol, metadata.get("x-request-id"), "/" + name)
            call.quiet, call.bytes_in = quiet, len(raw)
            call.code = grpc.StatusCode.CANCELLED.name
            self.active += 1
            try:
                call.deadline = self._deadline(call, metadata, context)
                response: bytes = (await answer(call, self._parse(message, raw))).SerializeToString()
                call.code, call.bytes_out = grpc.StatusCode.OK.name, len(response)
            except ServingError as error:
                await _abort(context, call, GRPC_STATUS[type(error)], str(error))
            except Exception:
                logger.exception("request %s failed", call.id)
                await _abort(context, call, grpc.StatusCode.INTERNAL, f"internal error; the request id is {call.id}")
            else:
                context.set_trailing_metadata(_trailers(call))
                return response
            finally:
                self.active -= 1
                self._telemetry.finish(call)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _deadline(self, call: _Call, metadata: dict[str, str], context: Any) -> float:
        seconds = allowed_seconds(self._settings.request_timeout_seconds, metadata.get(HEADER))
        remaining = context.time_remaining()
        return call.started + (seconds if remaining is None else min(seconds, remaining))

    def _parse(self, message: Any, raw: bytes) -> Any:
        if len(raw) > self._settings.max_body_bytes:
            raise TooLarge(f"the message is too large; at most {self._settings.max_body_bytes} bytes are allowed")
        try:
            return message.FromString(raw)
        except DecodeError:
            raise InvalidInput(f"the message is not a valid {message.DESCRIPTOR.full_name}") from None

    async def _server_live(self, call: _Call, request: Any) -> Any:
        return pb.ServerLiveResponse(live=True)

    async def _server_ready(self, call: _Call, request: Any) -> Any:
        return pb.ServerReadyResponse(ready=not self._registry.unready())

    async def _server_metadata(self, call: _Call, request: Any) -> Any:
        return pb.ServerMetadataResponse(name=SERVER_NAME, version=__version__, extensions=EXTENSIONS)

    async def _model_ready(self, call: _Call, request: Any) -> Any:
        slot = self._find(call, request.name, request.version)
        return pb.ModelReadyResponse(ready=not self._registry.model_unready(slot))

    async def _model_metadata(self, call: _Call, request: Any) -> Any:
        slot = self._find(call, request.name, request.version)
        slot.require_ready()
        tensor = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=slot.name,
            versions=[slot.version],
            platform=slot.predictor.platform,
            inputs=[tensor(**entry) for entry in slot.predictor.get_input_types()],
            outputs=[tensor(**entry) for entry in slot.predictor.get_output_types()],
        )

    async def _model_infer(self, call: _Call, request: Any) -> Any:
        slot = self._find(call, request.model_name, request.model_version)
        slot.require_ready()
        predictor = slot.predictor
        begun = time.monotonic()
        batch, wanted = grpc_codec.decode(request, predictor.input, predictor.outputs, slot.limits)
        decoded = time.monotonic()
        outputs = await slot.answer(batch, call.deadline, call)
        predicted = time.monotonic()
        response = grpc_codec.encode(request, outputs, wanted, slot.name, slot.version)
        slot.observe_steps(begun, decoded, predicted, time.monotonic())
        return response

    async def _load(self, call: _Call, request: Any) -> Any:
        slot = self._repository_slot(call, request)
        await self._registry.load(slot)
        return pb.RepositoryModelLoadResponse(model_name=slot.name, isLoaded=True)

    async def _unload(self, call: _Call, request: Any) -> Any:
        slot = self._repository_slot(call, request)
        await self._registry.unload(slot)
        return pb.RepositoryModelUnloadResponse(model_name=slot.name, isUnloaded=True)

    def _find(self, call: _Call, name: str, version: str) -> Slot:
        call.slot = self._registry.find(name, version)
        return call.slot

    def _repository_slot(self, call: _Call, request: Any) -> Slot:
        if not self._settings.enable_repository:
            raise NotFound(REPOSITORY_OFF)
        return self._find(call, grpc_codec.repository_model_name(request), "")


async def _abort(context: Any, call: Call, code: grpc.StatusCode, message: str) -> NoReturn:
    call.code = code.name
    call.quiet = False
    await context.abort(code, message, trailing_metadata=_trailers(call))
    raise AssertionError("abort raises")


def _trailers(call: Call) -> tuple[tuple[str, str], ...]:
    trailers = [("x-request-id", call.id)]
    if call.slot is not None and call.slot.version:
        trailers.append(("x-model-version", call.slot.version))
    if call.cache:
        trailers.append(("x-cache", call.cache))
    return tuple(trailers)


class GrpcServer:
    """The gRPC server.

    Args:
        registry: the models.
        settings: for the port and the limits.
        telemetry: where finished calls go.
    """

    def __init__(self, registry: Registry, settings: ServerSettings, telemetry: Telemetry) -> None:
        self._registry = registry
        self._settings = settings
        self._service = InferenceService(registry, settings, telemetry)
        self._health = health.aio.HealthServicer()

    async def start(self) -> int:
        """Open the port; gives its number.

        Raises:
            OSError: it cannot be opened.
        """
        # One process a port: SO_REUSEPORT would let a second server take half of the calls without a word.
        options = [
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", _READ_FACTOR * self._settings.max_body_bytes),
            ("grpc.max_send_message_length", -1),
        ]
        self._server = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers((self._service.handlers(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (INFERENCE_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        try:
            port: int = self._server.add_insecure_port(f"{host}:{self._settings.grpc_port}")
        except RuntimeError as error:
            raise OSError(
                f"cannot listen on {host} port {self._settings.grpc_port} for gRPC; choose another with --grpc_port"
            ) from error
        self._registry.on_change(self._report_health)
        await self._report_health()
        await self._server.start()
        return port

    async def _report_health(self) -> None:
        status = health_pb2.HealthCheckResponse
        server = status.NOT_SERVING if self._registry.unready() else status.SERVING
        await self._health.set("", server)
        await self._health.set(INFERENCE_SERVICE, server)
        for slot in self._registry.slots.values():
            unready = self._registry.model_unready(slot)
            await self._health.set(slot.name, status.NOT_SERVING if unready else status.SERVING)

    async def stop(self, grace_seconds: float, hurry: Callable[[], bool]) -> None:
        """Take no more calls, wait for the inference service's, and end what else is open (watched health, say).

        Args:
            grace_seconds: how long to wait at the most.
            hurry: asked again and again whether to wait no longer.
        """
        stopping = asyncio.create_task(self._server.stop(grace_seconds))
        while self._service.active and not stopping.done() and not hurry():
            await asyncio.sleep(_FLUSH_SECONDS)
        await asyncio.sleep(_FLUSH_SECONDS)
        await self._server.stop(0)
        await stopping
