"""The handlers of V2 over REST, and of Triton's model repository extension."""

from predictors.serving.dataplane import DataPlane
from predictors.serving.errors import InvalidInput
from predictors.serving.protocols.http import JSON, Request, Response, unsupported_media_type
from predictors.serving.protocols.model_config import model_config
from predictors.serving.protocols.readiness import readiness
from predictors.serving.protocols.v2 import codec

# The most digits of a header length; larger numbers than any body's are refused without conversion.
_MAX_DIGITS = 12


class V2Handlers:
    """V2 over a data plane."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane

    async def infer(self, request: Request) -> Response:
        """``POST /v2/models/{model}[/versions/{version}]/infer``."""
        inference = await self._plane.open(request, request.params["model"], request.params.get("version", ""))
        media_type = request.media_type()
        if media_type not in ("application/json", "application/octet-stream", ""):
            raise unsupported_media_type(media_type)
        body = await request.body()
        json_length = _json_length(request)
        if media_type != "application/json" and json_length is None and b'"binary_data' not in body:
            # Triton's clients send no content type, or a generic one. Their bodies always use the binary tensor
            # extension, by that header or by a binary_data parameter; all other requests must say application/json.
            raise unsupported_media_type(media_type)
        model = inference.model
        predictor = model.predictor
        batch, wanted = await inference.decode(
            codec.decode, body, json_length, predictor.input, predictor.outputs, model.limits
        )
        outputs = await inference.answer(batch)
        answer, header_length = inference.encode(codec.encode, outputs, wanted, model.name, request.version)
        if header_length is None:
            return Response(200, answer, [JSON])
        length = (b"inference-header-content-length", b"%d" % header_length)
        return Response(200, answer, [(b"content-type", b"application/octet-stream"), length])

    async def live(self, request: Request) -> Response:
        """``GET /v2/health/live``: 200 as long as the event loop runs."""
        return Response.json({"live": True})

    async def ready(self, request: Request) -> Response:
        """``GET /v2/health/ready``: 200 when every model can answer."""
        return readiness({"ready": True}, self._plane.unready())

    async def model_ready(self, request: Request) -> Response:
        """``GET /v2/models/{model}[/versions/{version}]/ready``."""
        model = self._plane.find(request, request.params["model"], request.params.get("version", ""))
        return readiness({"name": model.name, "ready": True}, self._plane.model_unready(model))

    async def metadata(self, request: Request) -> Response:
        """``GET /v2``."""
        return Response.json(self._plane.metadata()._asdict())

    async def models(self, request: Request) -> Response:
        """``GET /v2/models``."""
        return Response.json({"models": [model.name for model in self._plane.visible(request)]})

    async def model_metadata(self, request: Request) -> Response:
        """``GET /v2/models/{model}[/versions/{version}]``."""
        params = request.params
        metadata = await self._plane.model_metadata(request, params["model"], params.get("version", ""))
        return Response.json(metadata.v2())

    async def model_config(self, request: Request) -> Response:
        """``GET /v2/models/{model}[/versions/{version}]/config``."""
        params = request.params
        metadata = await self._plane.model_metadata(request, params["model"], params.get("version", ""))
        return Response.json(model_config(metadata))

    async def index(self, request: Request) -> Response:
        """``POST /v2/repository/index``."""
        return Response.json([entry._asdict() for entry in self._plane.index(request)])

    async def load(self, request: Request) -> Response:
        """``POST /v2/repository/models/{model}[/versions/{version}]/load``: load, or reload, from its artifact."""
        model = await self._plane.load(request, request.params["model"], request.params.get("version", ""))
        return Response.json({"name": model.name, "load": True})

    async def unload(self, request: Request) -> Response:
        """``POST /v2/repository/models/{model}[/versions/{version}]/unload``."""
        model = await self._plane.unload(request, request.params["model"], request.params.get("version", ""))
        return Response.json({"name": model.name, "unload": True})


def _json_length(request: Request) -> int | None:
    given = request.header(b"inference-header-content-length")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > _MAX_DIGITS:
        raise InvalidInput("inference-header-content-length must be a number of bytes")
    return int(given)
