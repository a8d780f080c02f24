"""What can be asked of a server, whatever the protocol, and the plain form of its answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from predictors.client.tensors import Parameters, Tensor


@dataclass(frozen=True, slots=True)
class Infer:
    """V2's inference.

    Args:
        model: its name.
        inputs: names and tensors.
        parameters: of the request.
        outputs: those wanted; empty for all.
        version: of the model; empty for the one that is served.
    """

    model: str
    inputs: Mapping[str, Tensor]
    parameters: Parameters = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Predict:
    """V1's inference; REST only.

    Args:
        model: its name.
        instances: the rows, each as V1 has it.
        parameters: of the request.
    """

    model: str
    instances: tuple[Any, ...]
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GetMetadata:
    """What a model takes and gives."""

    model: str


@dataclass(frozen=True, slots=True)
class AskReady:
    """Whether a model can answer; all of them if the name is empty."""

    model: str


Operation: TypeAlias = Infer | Predict | GetMetadata | AskReady


@dataclass(frozen=True, slots=True)
class Inference:
    """An answer of V2.

    Args:
        model: which answered.
        model_version: its version.
        outputs: tensors by name.
        request_id: of the call.
    """

    model: str
    model_version: str
    outputs: Mapping[str, Tensor]
    request_id: str = ""

    def __getitem__(self, output: str) -> Tensor:
        """An output by its name."""
        return self.outputs[output]


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer of V1.

    Args:
        body: the fields of the answer, as the server sent them.
        request_id: of the call.
    """

    body: Mapping[str, Any]
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What a tensor of a model is like; -1 in its shape is any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a model takes and gives."""

    name: str
    versions: tuple[str, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
