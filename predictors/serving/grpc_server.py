"""gRPC: KServe's GRPCInferenceService, the standard health service and reflection."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from predictors import __version__
from predictors.serving import grpc_codec
from predictors.serving.endpoints import EXTENSIONS, REPOSITORY_OFF, SERVER_NAME
from predictors.serving.errors import (
    DeadlineExceeded,
    InvalidInput,
    ModelNotReady,
    NotFound,
    Overloaded,
    ServingError,
    TooLarge,
)
from predictors.serving.kserve_api import pb, pb_grpc
from predictors.serving.registry import Registry, Slot, State
from predictors.serving.settings import ServerSettings
from predictors.serving.telemetry import Call, Telemetry, kserve_steps

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


class InferenceServicer(pb_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # kserve is not typed
    """The V2 protocol's service.

    Args:
        registry: the models.
        settings: for the deadline and whether the repository is enabled.
        telemetry: where finished calls go.
    """

    def __init__(self, registry: Registry, settings: ServerSettings, telemetry: Telemetry) -> None:
        self._registry = registry
        self._settings = settings
        self._telemetry = telemetry

    async def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802  # names of the protocol
        """Whether the process answers."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Whether every model can answer."""
        return pb.ServerReadyResponse(ready=not self._registry.unready())

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Whether one model can answer."""

        async def answer(call: Call) -> Any:
            slot = self._find(call, request.name, request.version)
            return pb.ModelReadyResponse(ready=not self._registry.model_unready(slot))

        return await self._answer("", "/ModelReady", context, answer, quiet=True)

    async def ServerMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Name, version and extensions of the server."""
        return pb.ServerMetadataResponse(name=SERVER_NAME, version=__version__, extensions=EXTENSIONS)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What a model takes and gives."""

        async def answer(call: Call) -> Any:
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

        return await self._answer("", "/ModelMetadata", context, answer)

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Predict."""

        async def answer(call: Call) -> Any:
            call.bytes_in = request.ByteSize()
            slot = self._find(call, request.model_name, request.model_version)
            slot.require_ready()
            deadline = self._deadline(call, context)
            predictor = slot.predictor
            decoding, predicting, encoding = kserve_steps(slot.name)
            with decoding.time():
                batch, wanted = grpc_codec.decode(request, predictor.input, predictor.outputs, slot.limits)
            with predicting.time():
                outputs = await slot.run(batch, deadline)
            with encoding.time():
                return grpc_codec.encode(request, outputs, wanted, slot.name, slot.version)

        return await self._answer("grpc", "/ModelInfer", context, answer)

    async def RepositoryModelLoad(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Load a model again, where that is enabled."""

        async def answer(call: Call) -> Any:
            slot = self._repository_slot(call, request.model_name)
            if slot.state is State.LOADING:
                raise ModelNotReady(f'model "{slot.name}" is loading already')
            await self._registry.load(slot)
            slot.require_ready()
            return pb.RepositoryModelLoadResponse(model_name=slot.name, isLoaded=True)

        return await self._answer("", "/RepositoryModelLoad", context, answer)

    async def RepositoryModelUnload(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Unload a model, where that is enabled."""

        async def answer(call: Call) -> Any:
            slot = self._repository_slot(call, request.model_name)
            slot.require_ready()
            await self._registry.unload(slot)
            return pb.RepositoryModelUnloadResponse(model_name=slot.name, isUnloaded=True)

        return await self._answer("", "/RepositoryModelUnload", context, answer)

    def _find(self, call: Call, name: str, version: str) -> Slot:
        call.slot = self._registry.find(name, version)
        return call.slot

    def _repository_slot(self, call: Call, name: str) -> Slot:
        if not self._settings.enable_repository:
            raise NotFound(REPOSITORY_OFF)
        return self._find(call, name, "")

    def _deadline(self, call: Call, context: Any) -> float:
        remaining = context.time_remaining()
        allowed = self._settings.request_timeout_seconds
        return call.started + (allowed if remaining is None else min(allowed, remaining))

    async def _answer(
        self,
        protocol: str,
        path: str,
        context: Any,
        answer: Callable[[Call], Awaitable[Any]],
        quiet: bool = False,
    ) -> Any:
        """Run a handler; map its errors to a status; account for the call once."""
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        call = Call(protocol, metadata.get("x-request-id"), path)
        call.quiet = quiet
        call.code = grpc.StatusCode.CANCELLED.name
        try:
            response = await answer(call)
            call.code = grpc.StatusCode.OK.name
            call.bytes_out = response.ByteSize()
        except ServingError as error:
            await _abort(context, call, GRPC_STATUS[type(error)], str(error))
        except Exception:
            logger.exception("request %s failed", call.id)
            await _abort(context, call, grpc.StatusCode.INTERNAL, f"internal error; the request id is {call.id}")
        else:
            context.set_trailing_metadata(_trailers(call))
            return response
        finally:
            self._telemetry.finish(call)


async def _abort(context: Any, call: Call, code: grpc.StatusCode, message: str) -> NoReturn:
    call.code = code.name
    call.quiet = False
    await context.abort(code, message, trailing_metadata=_trailers(call))
    raise AssertionError("abort raises")


def _trailers(call: Call) -> tuple[tuple[str, str], ...]:
    trailers = [("x-request-id", call.id)]
    if call.slot is not None and call.slot.version:
        trailers.append(("x-model-version", call.slot.version))
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
        self._telemetry = telemetry
        self._health = health.aio.HealthServicer()

    async def start(self) -> int:
        """Open the port; gives its number.

        Raises:
            OSError: the port is taken.
        """
        # One process a port: SO_REUSEPORT would let a second server take half of the calls without a word.
        options = [
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", self._settings.max_body_bytes),
            ("grpc.max_send_message_length", -1),
        ]
        self._server = grpc.aio.server(options=options)
        servicer = InferenceServicer(self._registry, self._settings, self._telemetry)
        pb_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (INFERENCE_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        try:
            port: int = self._server.add_insecure_port(f"{self._settings.host}:{self._settings.grpc_port}")
        except RuntimeError:
            raise OSError(
                f"the gRPC port {self._settings.grpc_port} is taken; choose another with --grpc_port"
            ) from None
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

    async def stop(self, grace_seconds: float) -> None:
        """Take no more calls and wait for those in flight."""
        await self._server.stop(grace_seconds)
