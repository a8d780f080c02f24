"""A model's configuration as Triton describes it, which its clients ask for: V2's model configuration extension."""

from typing import Any, TypeAlias

from predictors.serving.descriptions import ModelMetadata
from predictors.serving.model.types import TensorSpec

Config: TypeAlias = dict[str, Any]

# Longer numbers may not fit 64 bits.
_MOST_DIGITS = 19


def model_config(metadata: ModelMetadata) -> Config:
    """Describe a model in the fields of Triton's ``ModelConfig``.

    Triton's versions are integers. Here they may be any text, so the loaded one is among the ``parameters`` too, and
    the policy names it if it is an integer.

    Args:
        metadata: of the model, as loaded.
    """
    return {
        "name": metadata.name,
        "platform": metadata.platform,
        "version_policy": _version_policy(metadata.version),
        "max_batch_size": metadata.max_rows,
        "input": [_tensor(spec) for spec in metadata.inputs],
        "output": [_tensor(spec) for spec in metadata.outputs],
        "parameters": {"version": {"string_value": metadata.version}},
    }


def _version_policy(version: str) -> Config:
    if version.isascii() and version.isdigit() and len(version) < _MOST_DIGITS:
        return {"specific": {"versions": [int(version)]}}
    return {"latest": {"num_versions": 1}}


def _tensor(spec: TensorSpec) -> Config:
    """Describe a tensor; where there is a maximum batch size, ``dims`` leave out the dimension of the rows."""
    datatype = "STRING" if spec.datatype == "BYTES" else spec.datatype
    return {"name": spec.name, "data_type": f"TYPE_{datatype}", "dims": list(spec.shape[1:])}
