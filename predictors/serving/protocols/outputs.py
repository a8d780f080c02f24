"""V2's output tensors, as REST and gRPC share them: which ones a request asks for, and their form."""

import struct

from predictors.serving.errors import InvalidInput
from predictors.serving.model.names import brief
from predictors.serving.model.types import Column, TensorSpec


def output_shape(column: Column) -> list[int]:
    """The shape of an output tensor."""
    return [len(column)] if isinstance(column, list) else list(column.shape)


def check_output_count(count: int, specs: tuple[TensorSpec, ...]) -> None:
    """Check how many outputs a request names, before any of them is looked at.

    Raises:
        InvalidInput: more than there are.
    """
    if count > len(specs):
        raise InvalidInput(
            f'"outputs" names {count} outputs; there are {len(specs)}: {brief([spec.name for spec in specs])}'
        )


def select_outputs(requested: list[str], specs: tuple[TensorSpec, ...]) -> list[TensorSpec]:
    """Look up the outputs that a request names; all of them if it names none.

    Raises:
        InvalidInput: an unknown name, or one named twice.
    """
    if not requested:
        return list(specs)
    by_name = {spec.name: spec for spec in specs}
    for name in requested:
        if name not in by_name:
            raise InvalidInput(f'the requested output "{name[:64]}" does not exist; there are {", ".join(by_name)}')
    if len(set(requested)) != len(requested):
        raise InvalidInput('"outputs" names the same output twice')
    return [by_name[name] for name in requested]


def to_bytes(column: Column) -> bytes:
    """Write a column in the binary form."""
    if isinstance(column, list):
        encoded = [text.encode() for text in column]
        return b"".join(part for raw in encoded for part in (struct.pack("<I", len(raw)), raw))
    return column.tobytes()
