"""Readiness in REST's answers."""

from typing import Any

from predictors.serving.protocols.http import Response


def readiness(content: dict[str, Any], unready: str) -> Response:
    """Answer 200 with the content, or 503 with the reason."""
    if unready:
        return Response.json({**content, "ready": False, "error": unready}, 503)
    return Response.json(content)
