"""The iris predictor as a Cloud Function: ``gcloud functions deploy`` takes this folder as `make function` fills it."""

from pathlib import Path

import functions_framework.aio
from starlette.requests import Request

from predictors.iris.model import IrisPredictor
from predictors.serving.function import PredictApplication
from predictors.serving.settings import ServerSettings, Source
from predictors.serving.telemetry.logs import configure_logging

configure_logging("info", json=True)
_application = PredictApplication(IrisPredictor("iris", Source(Path(__file__).parent / "iris")), ServerSettings())


@functions_framework.aio.http
async def predict(request: Request) -> PredictApplication:
    """Answer a request: Starlette, on which the framework builds, takes any ASGI application for a response."""
    return _application
