"""What the server says of itself and of its models."""

from typing import Any, NamedTuple

from predictors import __version__
from predictors.serving.model.types import TensorSpec


class ServerMetadata(NamedTuple):
    """What the server says of itself."""

    name: str = "kserve-predictors"
    version: str = __version__
    extensions: tuple[str, ...] = ("binary_tensor_data", "model_configuration")


class ModelMetadata(NamedTuple):
    """What the server says of a model.

    Args:
        name, versions, platform, inputs, outputs: as V2's metadata have them.
        version: the one that is described.
        max_rows: most rows of a request to it.
    """

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    version: str
    max_rows: int

    def v2(self) -> dict[str, Any]:
        """The fields of V2's metadata, by name."""
        return {name: getattr(self, name) for name in self._fields[:5]}


class IndexEntry(NamedTuple):
    """A model in the repository's index."""

    name: str
    version: str
    state: str
    reason: str
