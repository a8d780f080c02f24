"""Triton's answer to ``ModelConfig``, a call that KServe's version of the protocol lacks, in protobuf's wire format.

The numbers of the fields are those of Triton's ``grpc_service.proto`` and ``model_config.proto``. Only a few fields of
a large message are set, so they are written here by hand: its description would be far longer, and a process that
holds Triton's own could not load a second one under the same names.
"""

from typing import NamedTuple

from predictors.serving.protocols.model_config import Config

# Numbers of the enumeration DataType.
_DATA_TYPES = {
    name: number
    for number, name in enumerate(
        (
            "TYPE_INVALID", "TYPE_BOOL", "TYPE_UINT8", "TYPE_UINT16", "TYPE_UINT32", "TYPE_UINT64", "TYPE_INT8",
            "TYPE_INT16", "TYPE_INT32", "TYPE_INT64", "TYPE_FP16", "TYPE_FP32", "TYPE_FP64", "TYPE_STRING",
        )
    )
}  # fmt: skip
# Numbers of ModelInput's and ModelOutput's field ``dims``.
_INPUT_DIMS, _OUTPUT_DIMS = 4, 3


class ModelConfigResponse(NamedTuple):
    """The message.

    Args:
        raw: as it is sent.
    """

    raw: bytes

    @classmethod
    def of(cls, config: Config) -> "ModelConfigResponse":
        """The message that holds a model's configuration."""
        fields = [
            _text(1, config["name"]),
            _text(2, config["platform"]),
            _bytes(3, _version_policy(config["version_policy"])),
            _number(4, config["max_batch_size"]),
            *(_bytes(5, _tensor(tensor, _INPUT_DIMS)) for tensor in config["input"]),
            *(_bytes(6, _tensor(tensor, _OUTPUT_DIMS)) for tensor in config["output"]),
            *(
                _bytes(14, _text(1, key) + _bytes(2, _text(1, value["string_value"])))
                for key, value in config["parameters"].items()
            ),
        ]
        return cls(_bytes(1, b"".join(fields)))

    def SerializeToString(self) -> bytes:  # noqa: N802  # as protobuf's messages have it
        """The message as it is sent."""
        return self.raw


def _version_policy(policy: Config) -> bytes:
    if "specific" in policy:
        return _bytes(3, _bytes(1, b"".join(map(_varint, policy["specific"]["versions"]))))
    return _bytes(1, _number(1, policy["latest"]["num_versions"]))


def _tensor(tensor: Config, dims: int) -> bytes:
    packed = b"".join(map(_varint, tensor["dims"]))
    return _text(1, tensor["name"]) + _number(2, _DATA_TYPES[tensor["data_type"]]) + _bytes(dims, packed)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    """Encode an int64: seven bits a byte, the lowest first; a negative number as its two's complement."""
    value &= 2**64 - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
