"""Small GGUF files for tests: real headers, and tensors that are holes in the file."""

import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path


class UInt16(int):
    """A number that the file holds in 16 bits; others have 32."""


Value = int | float | str | list[int]
_F32 = 0
_ALIGNMENT = 32


def write_gguf(
    path: Path, architecture: str, metadata: Mapping[str, Value], tensors: Mapping[str, Sequence[int]]
) -> Path:
    """Write a file whose tensors (F32, given by their dimensions) take no disk space."""
    entries: dict[str, Value] = {"general.architecture": architecture, "tokenizer.ggml.model": "no_vocab"}
    entries |= {key if "." in key else f"{architecture}.{key}": value for key, value in metadata.items()}
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    header += b"".join(_text(key) + _value(value) for key, value in entries.items())
    offset = 0
    for name, lengths in tensors.items():
        header += _text(name) + struct.pack(f"<I{len(lengths)}QIQ", len(lengths), *lengths, _F32, offset)
        offset += _aligned(4 * math.prod(lengths))
    with path.open("wb") as file:
        file.write(header)
        file.truncate(_aligned(len(header)) + offset)
    return path


def write_split(directory: Path) -> Path:
    """Write the first of the two files of a model, without the second."""
    metadata = {"split.no": UInt16(0), "split.count": UInt16(2), "split.tensors.count": 2}
    return write_gguf(directory / "model-00001-of-00002.gguf", "llama", metadata, {"a": [4]})


def write_decoder(
    path: Path,
    architecture: str,
    *,
    embedding: int,
    feed_forward: int,
    heads: int,
    kv_heads: int,
    vocabulary: int,
    head_length: int,
    layers: int = 2,
) -> Path:
    """Write a model of the architecture llama, or a similar one (gemma3, with a sliding window)."""
    metadata: dict[str, Value] = {
        "context_length": 8192,
        "embedding_length": embedding,
        "feed_forward_length": feed_forward,
        "block_count": layers,
        f"{architecture}.attention.head_count": heads,
        f"{architecture}.attention.head_count_kv": kv_heads,
        f"{architecture}.attention.key_length": head_length,
        f"{architecture}.attention.value_length": head_length,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.dimension_count": head_length,
        "vocab_size": vocabulary,
    }
    queries, keys = heads * head_length, kv_heads * head_length
    parts = {
        "attn_norm": [embedding],
        "attn_q": [embedding, queries],
        "attn_k": [embedding, keys],
        "attn_v": [embedding, keys],
        "attn_output": [queries, embedding],
        "ffn_norm": [embedding],
        "ffn_gate": [embedding, feed_forward],
        "ffn_down": [feed_forward, embedding],
        "ffn_up": [embedding, feed_forward],
    }
    if architecture == "gemma3":
        metadata["gemma3.attention.sliding_window"] = 512
        parts |= {"attn_q_norm": [head_length], "attn_k_norm": [head_length]}
        parts |= {"post_attention_norm": [embedding], "post_ffw_norm": [embedding]}
    tensors = {"token_embd.weight": [embedding, vocabulary], "output_norm.weight": [embedding]}
    for layer in range(layers):
        tensors |= {f"blk.{layer}.{part}.weight": lengths for part, lengths in parts.items()}
    return write_gguf(path, architecture, metadata, tensors)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, list):
        return struct.pack(f"<IIQ{len(value)}I", 9, 4, len(value), *value)
    if isinstance(value, UInt16):
        return struct.pack("<IH", 2, value)
    return struct.pack("<II", 4, value)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
