"""Which parameters of a request are a model's own, which ones are meant for servers, and which ones nobody knows."""

from collections.abc import Collection
from typing import Any

from predictors.serving.errors import InvalidInput
from predictors.serving.model.names import brief
from predictors.serving.model.types import Parameters

_SCALAR = {"type": ["string", "number", "boolean"]}
# What clients of Triton, MLServer and KServe send along with any request. `binary_data_output` is honoured by V2 over
# REST; the others steer what this server does not have, such as sequences, priorities, and codecs by content type.
_FOR_SERVERS: dict[str, dict[str, Any]] = {
    "binary_data_output": {"type": "boolean"},
    "content_type": _SCALAR,
    "headers": {"type": "object"},
    "priority": _SCALAR,
    "sequence_end": _SCALAR,
    "sequence_id": _SCALAR,
    "sequence_start": _SCALAR,
    "timeout": _SCALAR,
}
NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": _FOR_SERVERS, "additionalProperties": False}
"""JSON schema of the parameters of a model that has none of its own."""


def own_parameters(given: Parameters, names: Collection[str]) -> Parameters:
    """Pick a model's own parameters out of a request's.

    Args:
        given: the request's.
        names: of the model's own.

    Raises:
        InvalidInput: one that is neither the model's nor for servers.
    """
    for name in given:
        if name not in names and name not in _FOR_SERVERS:
            allowed = f"allowed are {brief([*names])}" if names else "this model takes none"
            raise InvalidInput(f'unknown parameter "{name[:64]}"; {allowed}')
    return {name: value for name, value in given.items() if name in names}
