"""A client of these servers, for other programs: deadlines, retries, hedging, a circuit breaker, and typed answers.

It needs httpcore, which comes with httpx; for ``grpc://`` also grpcio, and the messages of the kserve package. It
imports no server, no KServe and no NumPy.
"""

from predictors.client.answers import (
    Citation,
    Flower,
    Intent,
    IntentAnswer,
    IrisAnswer,
    Point,
    Progress,
    Summary,
    Usage,
)
from predictors.client.async_client import AsyncClient
from predictors.client.client import Client
from predictors.client.errors import (
    BadAnswer,
    CircuitOpen,
    ClientError,
    ConfigurationError,
    ConnectionLost,
    DeadlineExceeded,
    DeadlinePassed,
    Forbidden,
    GatewayFailed,
    InvalidInput,
    NotFound,
    NotReady,
    Overloaded,
    ServerFailed,
    StreamFailed,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from predictors.client.operations import Inference, Metadata, Prediction, TensorSpec
from predictors.client.policy.settings import BreakerPolicy, Policy
from predictors.client.target import Connections, Tls
from predictors.client.tensors import Tensor
from predictors.client.wire.summary_stream import Part

__all__ = [
    "AsyncClient",
    "BadAnswer",
    "BreakerPolicy",
    "CircuitOpen",
    "Citation",
    "Client",
    "ClientError",
    "ConfigurationError",
    "ConnectionLost",
    "Connections",
    "DeadlineExceeded",
    "DeadlinePassed",
    "Flower",
    "Forbidden",
    "GatewayFailed",
    "Inference",
    "Intent",
    "IntentAnswer",
    "InvalidInput",
    "IrisAnswer",
    "Metadata",
    "NotFound",
    "NotReady",
    "Overloaded",
    "Part",
    "Point",
    "Policy",
    "Prediction",
    "Progress",
    "ServerFailed",
    "StreamFailed",
    "Summary",
    "Tensor",
    "TensorSpec",
    "Tls",
    "Unauthorized",
    "Unreachable",
    "Unsupported",
    "Usage",
]
